package io.nightshift.jobs.backup;

import io.nightshift.infra.backup.BackupChain;
import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupType;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.backup.StoredBackup.State;
import io.nightshift.infra.config.Durations;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.wal.WalLineage;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Finds the backup that a new one builds on: the newest that fits, whole in every storage that the new one goes to. Pure.
 *
 * @param parent null if none fits
 * @param reasons why others do not, newest first; why there is no parent
 */
record ParentChoice(@Nullable StoredBackup parent, List<String> reasons) {

    /**
     * What the parent is for.
     *
     * @param type of the new backup
     * @param lineage of the timeline that its server is on
     * @param checksums whether its pages have checksums, as {@code data_checksums} says: on or off
     * @param storages that it goes to
     * @param spoilt what a closer look has found that nothing can be built on, and why
     */
    record Wanted(
            BackupType type,
            WalLineage lineage,
            String checksums,
            List<String> storages,
            Instant now,
            Map<BackupLabel, String> spoilt) {

        Wanted(BackupType type, WalLineage lineage, String checksums, List<String> storages, Instant now) {
            this(type, lineage, checksums, storages, now, Map.of());
        }

        Wanted without(Map<BackupLabel, String> unusable) {
            return new Wanted(type, lineage, checksums, storages, now, Map.copyOf(unusable));
        }
    }

    ParentChoice {
        reasons = List.copyOf(reasons);
    }

    /** @param backups of one cluster, system identifier and major version */
    static ParentChoice of(Wanted wanted, List<StoredBackup> backups, ChainedBackupSettings settings) {
        List<String> reasons = new ArrayList<>();
        List<StoredBackup> newestFirst = backups.stream()
                .filter(backup -> wanted.type() == BackupType.INCREMENTAL
                        || backup.label().type() == BackupType.FULL)
                .sorted(Comparator.comparing(
                                (StoredBackup backup) -> backup.label().time())
                        .thenComparing(ParentChoice::start) // two may begin in one second
                        .reversed())
                .toList();
        for (StoredBackup candidate : newestFirst) {
            Optional<String> unfit = unfit(wanted, candidate, backups);
            if (unfit.isEmpty()) {
                Optional<String> due = fullIsDue(wanted, BackupChain.of(candidate, backups), settings);
                due.ifPresent(reasons::add);
                return new ParentChoice(due.isEmpty() ? candidate : null, reasons);
            }
            reasons.add("backup " + candidate.label() + " " + unfit.get());
        }
        if (newestFirst.isEmpty()) {
            reasons.add("there is no " + (wanted.type() == BackupType.INCREMENTAL ? "" : "full ") + "backup yet");
        }
        return new ParentChoice(null, reasons);
    }

    private static Lsn start(StoredBackup backup) {
        return backup.document().map(BackupDocument::startLsn).orElse(Lsn.INVALID);
    }

    private static Optional<String> unfit(Wanted wanted, StoredBackup candidate, List<StoredBackup> backups) {
        if (candidate.document().isEmpty()) {
            return Optional.of("has no readable backup.json");
        }
        String why = wanted.spoilt().get(candidate.label());
        if (why != null) {
            return Optional.of(why);
        }
        BackupDocument document = candidate.document().get();
        if (!wanted.lineage().passes(document.timeline(), document.endLsn())) {
            return Optional.of("ended at " + document.endLsn() + " on timeline " + document.timeline()
                    + ", which is not on the way to timeline "
                    + wanted.lineage().present());
        }
        String checksums = document.source().settings().getOrDefault("data_checksums", "unknown");
        if (!checksums.equals(wanted.checksums())) {
            return Optional.of(
                    "was taken with data checksums " + checksums + ", which are " + wanted.checksums() + " now");
        }
        try {
            return BackupChain.of(candidate, backups).links().stream()
                    .flatMap(link -> notWhole(link, wanted.storages()).stream()
                            .map(lack -> link.equals(candidate) ? lack : "needs " + link.label() + ", which " + lack))
                    .findFirst();
        } catch (NightshiftException broken) {
            return Optional.of("is broken: " + broken.getMessage());
        }
    }

    /** Why no storage could give what a backup builds on; empty if one could, and if it needs none. */
    static Optional<String> brokenParent(BackupDocument document, List<StoredBackup> backups) {
        if (document.parent() == null) {
            return Optional.empty();
        }
        Optional<StoredBackup> parent = backups.stream()
                .filter(backup -> backup.paths().equals(document.paths())
                        && backup.label().equals(document.parent()))
                .findFirst();
        if (parent.isEmpty()) {
            return Optional.of("is in no storage");
        }
        return BackupChain.isComplete(parent.get(), backups)
                ? Optional.empty()
                : Optional.of("cannot be restored any more: it, or one that it needs, is lost or damaged");
    }

    private static Optional<String> notWhole(StoredBackup link, List<String> storages) {
        return storages.stream()
                .filter(storage -> !link.storages(State.OK).contains(storage))
                .map(storage -> {
                    StoredBackup.Copy copy = link.copies().get(storage);
                    return "is not whole in storage " + storage + ": "
                            + (copy == null ? "nobody has looked" : copy.reason());
                })
                .findFirst();
    }

    private static Optional<String> fullIsDue(Wanted wanted, BackupChain chain, ChainedBackupSettings settings) {
        Instant began = chain.full().document().orElseThrow().startedAt();
        Duration age = Duration.between(began, wanted.now());
        if (age.plus(settings.fullMayBeEarlier()).compareTo(settings.fullEvery()) >= 0) {
            return Optional.of("the last full backup began at " + began + ", and full-every is "
                    + Durations.print(settings.fullEvery()));
        }
        return chain.links().size() >= settings.maxChain()
                ? Optional.of(
                        "the chain has " + chain.links().size() + " backups, and max-chain is " + settings.maxChain())
                : Optional.empty();
    }
}
