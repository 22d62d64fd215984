package io.nightshift.jobs.retention;

import io.nightshift.infra.backup.BackupCatalog;
import io.nightshift.infra.backup.BackupChains;
import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.backup.Debris;
import io.nightshift.infra.backup.Expiry;
import io.nightshift.infra.backup.PinNote;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.backup.StoredBackup.State;
import io.nightshift.infra.backup.WritingMarker;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.replication.WalRange;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.wal.StoredWal;
import io.nightshift.infra.wal.WalLineage;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What the storages hold of a cluster.
 *
 * @param backups those that exist
 * @param broken what expiries have left that were broken off
 * @param debris what writers have left that died a day ago or earlier
 * @param candidates the backups again, as retention judges them
 */
record Inventory(List<StoredBackup> backups, List<Debris> broken, List<Debris> debris, List<Candidate> candidates) {

    /** An older object that nobody has renewed is of a writer that died. */
    private static final Duration ALIVE = Duration.ofHours(24);

    Inventory {
        backups = List.copyOf(backups);
        broken = List.copyOf(broken);
        debris = List.copyOf(debris);
        candidates = List.copyOf(candidates);
    }

    /**
     * STORAGE_UNAVAILABLE unless all of them answer: what cannot be seen must not look as if it were lost.
     *
     * @param required the names of the storages to which every backup goes
     */
    static Inventory of(String cluster, List<Storage> storages, Collection<String> required, Instant now) {
        BackupCatalog catalog = new BackupCatalog(storages);
        // Before the backups: one that is published between the two is then in both lists, and not in none.
        List<Debris> unfinished = catalog.allDebris(cluster);
        List<StoredBackup> backups = catalog.backups(cluster);
        requireKnown(backups);
        List<Debris> broken = new ArrayList<>();
        List<Debris> left = new ArrayList<>();
        List<Debris> written = new ArrayList<>();
        for (Debris debris : unfinished) {
            boolean isPublishedElsewhere = backups.stream()
                    .anyMatch(backup -> backup.label().equals(debris.label())
                            && backup.paths().equals(debris.paths()));
            boolean isPublished = backups.stream()
                    .anyMatch(backup -> backup.label().equals(debris.label())
                            && backup.paths().equals(debris.paths())
                            && holds(debris.storage(), backup));
            if (isPublished) {
                continue; // meanwhile
            }
            if (Expiry.isMarked(debris)) {
                broken.add(debris);
            } else if (debris.newestAt().plus(ALIVE).isAfter(now) && !isNotesOnly(debris)) {
                written.add(debris);
            } else if (!isPublishedElsewhere) {
                left.add(debris);
            }
        }
        var chains = new BackupChains(backups);
        Map<BackupPaths, PresentTimeline> timelines = new HashMap<>();
        Map<String, Instant> newestIn = newestIn(storages, backups);
        newestIn.values().removeIf(newest -> newest.equals(Instant.MIN));
        required.forEach(storage -> newestIn.putIfAbsent(storage, Instant.MIN));
        return new Inventory(
                backups,
                broken,
                left,
                backups.stream()
                        .map(backup -> candidate(
                                backup,
                                chains,
                                newestIn,
                                written,
                                timelines.computeIfAbsent(
                                        backup.paths(), paths -> PresentTimeline.of(paths, backups, storages))))
                        .toList());
    }

    /** What was noted beside a backup that was deleted meanwhile: nobody writes there. */
    private static boolean isNotesOnly(Debris debris) {
        String notes = debris.paths().object(debris.label(), "notes/");
        return debris.objects().stream().allMatch(object -> object.startsWith(notes));
    }

    /** When the newest backup began that each storage holds. */
    private static Map<String, Instant> newestIn(List<Storage> storages, List<StoredBackup> backups) {
        Map<String, Instant> newest = new LinkedHashMap<>();
        for (Storage storage : storages) {
            newest.put(
                    storage.name(),
                    backups.stream()
                            .filter(backup -> holds(storage.name(), backup))
                            .map(backup -> backup.label().time())
                            .max(Comparator.naturalOrder())
                            .orElse(Instant.MIN));
        }
        return newest;
    }

    private static void requireKnown(List<StoredBackup> backups) {
        for (StoredBackup backup : backups) {
            for (Map.Entry<String, StoredBackup.Copy> copy : backup.copies().entrySet()) {
                if (copy.getValue().state() == State.UNKNOWN) {
                    throw new NightshiftException(
                            FailureKind.STORAGE_UNAVAILABLE,
                            "storage " + copy.getKey() + " does not say what it holds of backup " + backup.label()
                                    + ": " + copy.getValue().reason(),
                            "nothing was deleted; run the job again when the storage answers");
                }
            }
        }
    }

    private static Candidate candidate(
            StoredBackup backup,
            BackupChains chains,
            Map<String, Instant> newestIn,
            List<Debris> written,
            PresentTimeline timeline) {
        Optional<BackupDocument> document = backup.document();
        return new Candidate(
                backup.paths(),
                backup.label(),
                document.map(BackupDocument::parent).orElse(null),
                chains.isComplete(backup),
                isRefuted(backup, chains),
                document.map(BackupDocument::endedAt).orElse(backup.label().time()),
                document.map(BackupDocument::timeline).orElse(new Timeline(1)),
                document.map(BackupDocument::startLsn).orElse(Lsn.INVALID),
                document.filter(timeline::goesOnFrom).isPresent(),
                document.filter(known -> known.wal() == BackupDocument.Wal.ARCHIVE)
                        .map(known -> new WalRange(known.timeline(), known.startLsn(), known.endLsn()))
                        .orElse(null),
                document.map(BackupDocument::storedBytes).orElse(0L),
                newestIn.keySet().stream()
                        .filter(storage -> holds(storage, backup))
                        .collect(Collectors.toUnmodifiableSet()),
                backup.proof()
                        .filter(proof -> proof.holds())
                        .map(proof -> proof.at())
                        .orElse(null),
                backup.pin().map(Inventory::pin).orElse(null),
                written.stream()
                        .filter(debris -> mayBuildOn(debris, backup))
                        .map(debris -> "the writer of " + debris.label())
                        .distinct()
                        .toList(),
                newestIn.keySet().stream()
                        .filter(storage -> lacks(storage, backup, newestIn))
                        .toList());
    }

    /**
     * Where a system is now.
     *
     * @param newest of which there is a backup or WAL
     * @param lineage how it came to be; empty if nobody can read that
     */
    private record PresentTimeline(Timeline newest, Optional<WalLineage> lineage) {

        static PresentTimeline of(BackupPaths paths, List<StoredBackup> backups, List<Storage> storages) {
            Optional<WalLineage> archived = StoredWal.presentLineage(storages, paths);
            Timeline newest = backups.stream()
                    .filter(backup -> backup.paths().equals(paths))
                    .flatMap(backup -> backup.document().stream())
                    .map(BackupDocument::timeline)
                    .max(Comparator.naturalOrder())
                    .orElse(new Timeline(1));
            return archived.filter(lineage -> lineage.present().compareTo(newest) >= 0)
                    .map(lineage -> new PresentTimeline(lineage.present(), Optional.of(lineage)))
                    .orElse(new PresentTimeline(newest, Optional.empty()));
        }

        /** Where nobody knows how it came to be, it goes on from its own backups only. */
        boolean goesOnFrom(BackupDocument backup) {
            return lineage.map(known -> known.passes(backup.timeline(), backup.endLsn()))
                    .orElse(backup.timeline().equals(newest));
        }
    }

    /** By its own last restore test; without one, by that of anything that it builds on. */
    private static boolean isRefuted(StoredBackup backup, BackupChains chains) {
        if (backup.proof().isPresent()) {
            return !backup.proof().get().holds();
        }
        return chains.isComplete(backup)
                && chains.of(backup).links().stream()
                        .anyMatch(link ->
                                link.proof().filter(proof -> !proof.holds()).isPresent());
    }

    /** A writer whose marker does not say what it builds on may need anything of its system. */
    private static boolean mayBuildOn(Debris written, StoredBackup backup) {
        if (!written.paths().equals(backup.paths())
                || written.label().equals(backup.label())
                || (written.marker().isPresent() && !written.label().type().needsParent())) {
            return false;
        }
        BackupLabel parent = written.marker().map(WritingMarker::parent).orElse(null);
        return parent == null || parent.equals(backup.label());
    }

    private static Pin pin(PinNote note) {
        return new Pin(note.reason(), note.until() == null ? Instant.MIN : note.until());
    }

    /** One that holds a newer backup was never meant to have the older one, or has been given up on it. */
    private static boolean lacks(String storage, StoredBackup backup, Map<String, Instant> newestIn) {
        return !holds(storage, backup)
                && !Objects.requireNonNull(newestIn.get(storage))
                        .isAfter(backup.label().time());
    }

    private static boolean holds(String storage, StoredBackup backup) {
        StoredBackup.Copy copy = backup.copies().get(storage);
        return copy != null && (copy.state() == State.OK || copy.state() == State.DAMAGED);
    }

    /** When the newest backup ended, but for some. */
    Optional<Instant> newest(Set<BackupLabel> but) {
        return candidates.stream()
                .filter(candidate -> !but.contains(candidate.label()))
                .map(Candidate::endedAt)
                .max(Comparator.naturalOrder());
    }

    /** What was last said of whether somebody wants a backup kept. */
    Optional<PinNote> pin(Candidate candidate) {
        return backups.stream()
                .filter(backup -> backup.label().equals(candidate.label())
                        && backup.paths().equals(candidate.paths()))
                .findFirst()
                .flatMap(StoredBackup::pin);
    }

    /** The restorable backups of a system, newest first. */
    List<StoredBackup> restorable(BackupPaths paths) {
        var chains = new BackupChains(backups);
        List<StoredBackup> restorable = new ArrayList<>(backups.stream()
                .filter(backup -> backup.paths().equals(paths) && chains.isComplete(backup))
                .toList());
        Collections.reverse(restorable);
        return restorable;
    }
}
