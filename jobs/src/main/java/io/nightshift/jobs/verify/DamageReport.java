package io.nightshift.jobs.verify;

import io.nightshift.infra.backup.BackupCatalog;
import io.nightshift.infra.backup.BackupChains;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.backup.StoredBackup.State;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.replication.WalRange;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StoredObject;
import io.nightshift.infra.wal.StoredWal;
import io.nightshift.infra.wal.WalCopy;
import io.nightshift.infra.wal.WalCoverage;
import io.nightshift.infra.wal.WalGap;
import io.nightshift.infra.wal.WalLineage;
import io.nightshift.infra.wal.WalObject;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What is damaged and was not repaired, whichever run has found it, and what can no longer be restored because of it. */
final class DamageReport {

    private final RunContext run;
    private final Places places;
    private final Holdings holdings;
    private final Repairs repairs;
    private final Map<BackupPaths, Consequence> consequences = new HashMap<>();
    private @Nullable List<StoredBackup> backups;
    private int damaged;

    DamageReport(RunContext run, Places places, Holdings holdings, Repairs repairs) {
        this.run = run;
        this.places = places;
        this.holdings = holdings;
        this.repairs = repairs;
    }

    /** Of a finding: whatever is wrong with one object in one storage. */
    static String key(String storage, String object) {
        return "verify/" + storage + "/" + object;
    }

    static String object(WalCopy wal, WalObject object) {
        return wal.paths().folder() + "/wal/" + object.name();
    }

    /** Not every backup of a storage can be listed. */
    static void unknown(RunContext run, String storage, String first) {
        run.notEvaluated(new NotEvaluated(
                "backups in storage " + storage,
                "not all can be listed, the first is " + first,
                List.of(key(storage, ""))));
    }

    /** A whole backup is missing. It is not repaired: whether it was deleted on purpose is for a person to say. */
    static void lost(RunContext run, BackupReading reading) {
        String storages = String.join(" and ", reading.backup().storages(State.OK));
        run.report(new Finding(
                key(
                        reading.storage(),
                        BackupReader.object(
                                reading.backup().paths(), reading.backup().label())),
                Severity.WARNING,
                "backup " + reading.backup().label() + " in storage " + reading.storage(),
                "is not there, and older and newer ones are; storage " + storages + " has it whole",
                "copy its folder there from storage " + storages + ", backup.json last, or delete it there, too"));
    }

    /** What was found and cannot be noted, as on a full disk: a listing does not show it. */
    static Finding notKept(BackupReading reading, String damage, NightshiftException failed) {
        StoredBackup backup = reading.backup();
        return new Finding(
                key(reading.storage(), BackupReader.object(backup.paths(), backup.label())),
                Severity.ERROR,
                "backup " + backup.label() + " in storage " + reading.storage(),
                damage + "; this cannot be noted beside it: " + failed.getMessage(),
                failed.hint());
    }

    /** Damaged is only what the next backup would be built on, so the backup counts as sound. */
    static Finding digests(BackupReading reading, String damage, Repairs repairs) {
        StoredBackup backup = reading.backup();
        String key = key(reading.storage(), BackupReader.object(backup.paths(), backup.label()));
        return new Finding(
                key,
                Severity.ERROR,
                "backup " + backup.label() + " in storage " + reading.storage(),
                damage + "; it can be restored, but no incremental backup can be built on it from this storage"
                        + repairs.reason(key)
                                .map(why -> "; not repaired: " + why)
                                .orElse(""),
                "look after the disk of storage " + reading.storage() + "; the next full backup has new block digests");
    }

    /** A history of which another storage has another: two servers may have written the timeline. */
    static Finding differs(String object, String storage, Map<String, Long> byStorage) {
        Long own = byStorage.get(storage);
        String others = byStorage.entrySet().stream()
                .filter(other -> !other.getValue().equals(own))
                .map(Map.Entry::getKey)
                .collect(Collectors.joining(" and "));
        return new Finding(
                key(storage, object),
                Severity.ERROR,
                "WAL " + object.substring(object.lastIndexOf('/') + 1) + " in storage " + storage,
                "says something else than in storage " + others
                        + "; two servers may have written this timeline, and a restore follows the history that it reads first",
                "compare both with the file in pg_wal of a node of the cluster, and put the wrong one aside");
    }

    /** Reports it, and returns how many copies of backups and stretches of WAL that are. */
    int say() {
        if (repairs.wereWanted() || !holdings.looksSound()) {
            sayBackups();
        }
        for (WalCopy wal : holdings.wal()) {
            if (places.open().contains(wal.storage())) {
                wal.complaints().forEach(complaint -> sayUnknown(wal, complaint));
                sayHistories(wal);
                stretches(wal).forEach(stretch -> say(wal, stretch));
                if (places.isRequired(wal.storage().name())) {
                    sayLost(wal, holdings.lost(wal));
                }
            }
        }
        holdings.wal().stream().map(WalCopy::paths).distinct().forEach(this::sayHoles);
        return damaged + repairs.remaining();
    }

    /** WAL that is nowhere, between stretches that are there: no record of a gap explains it, and retention has not let it go. */
    private void sayHoles(BackupPaths system) {
        WalCoverage coverage = WalCoverage.of(holdings.wal().stream()
                .filter(wal -> wal.paths().equals(system))
                .flatMap(wal -> wal.segments().stream())
                .map(WalCopy.Item::object)
                .toList());
        List<WalRange> holes = coverage.gaps();
        if (holes.isEmpty()) {
            return;
        }
        List<WalGap> known = knownGaps(system);
        for (WalRange hole : holes) {
            boolean isExpired = holdings.expired()
                    .past()
                    .expired(system, hole.timeline(), hole.start(), hole.start().plus(1));
            boolean isKnown = known.stream()
                    .anyMatch(gap -> gap.timeline().equals(hole.timeline())
                            && gap.from().compareTo(hole.start()) <= 0
                            && hole.end().compareTo(gap.to()) <= 0);
            if (!isExpired && !isKnown) {
                damaged++;
                run.report(new Finding(
                        "verify/hole/" + system.folder() + "/" + hole.timeline() + "/" + hole.start(),
                        Severity.ERROR,
                        "WAL from " + hole.start() + " to " + hole.end() + " of timeline " + hole.timeline(),
                        "is gone, and what comes before and after it is there; "
                                + consequence(system, found -> found.ofWal(hole)),
                        "bring its segments back if they are anywhere; else take a full backup"));
            }
        }
    }

    private List<WalGap> knownGaps(BackupPaths system) {
        String folder = system.folder() + "/wal/";
        List<WalGap> known = new ArrayList<>();
        for (Storage storage : places.open()) {
            try (Stream<StoredObject> gaps = storage.list(folder + "gaps/")) {
                gaps.forEach(gap -> WalGap.named(gap.name().substring(folder.length()), gap.modifiedAt())
                        .ifPresent(known::add));
            }
        }
        return known;
    }

    private void sayBackups() {
        Map<String, String> unknown = new LinkedHashMap<>();
        for (StoredBackup backup : backups()) {
            for (Storage storage : places.open()) {
                StoredBackup.Copy copy = backup.copies().get(storage.name());
                if (copy != null && copy.state() == State.UNKNOWN) {
                    unknown.putIfAbsent(storage.name(), backup.label() + ": " + copy.reason());
                } else if (copy != null && isDamaged(backup, storage, copy.state())) {
                    say(backup, storage.name(), copy);
                }
            }
        }
        unknown.forEach((storage, first) -> unknown(run, storage, first));
    }

    /** As they are now; listed only where something is wrong. */
    private List<StoredBackup> backups() {
        List<StoredBackup> listed = backups;
        if (listed == null) {
            listed = new BackupCatalog(places.open()).backups(run.cluster());
            backups = listed;
        }
        return listed;
    }

    private boolean isDamaged(StoredBackup backup, Storage storage, State state) {
        return state == State.DAMAGED
                || (state == State.COPYING
                        && holdings.suspects().stream()
                                .anyMatch(suspect -> suspect.storage().equals(storage.name())
                                        && suspect.backup().label().equals(backup.label())));
    }

    private void say(StoredBackup backup, String storage, StoredBackup.Copy copy) {
        String object = BackupReader.object(backup.paths(), backup.label());
        String what = copy.state() == State.COPYING ? "its backup.json is missing" : copy.reason();
        if (backup.isRestorable()) {
            String whole = String.join(" and ", backup.storages(State.OK));
            report(storage, object, "backup " + backup.label(), what + "; storage " + whole + " has it whole", false);
        } else {
            report(
                    storage,
                    object,
                    "backup " + backup.label(),
                    what + "; " + consequence(backup.paths(), found -> found.ofBackup(backup)),
                    true);
        }
    }

    /** What was noted of WAL is not readable: it is read again, and noted anew. */
    private void sayUnknown(WalCopy wal, String complaint) {
        run.report(new Finding(
                key(wal.storage().name(), wal.paths().folder() + "/verified-wal"),
                Severity.WARNING,
                "WAL of " + wal.paths().folder() + " in storage "
                        + wal.storage().name(),
                complaint + "; all of it counts as not read",
                "look after the disk of storage " + wal.storage().name()));
    }

    private void sayHistories(WalCopy wal) {
        for (WalCopy.Item item : wal.histories()) {
            if (!item.damage().isEmpty()) {
                boolean isLost = !isSoundElsewhere(wal, item.object());
                report(
                        wal.storage().name(),
                        object(wal, item.object()),
                        "WAL " + item.object().name(),
                        item.damage() + "; "
                                + (isLost
                                        ? "without it nobody knows where the timeline branched off, and none of it can be restored"
                                        : "another storage has it whole"),
                        isLost);
            }
        }
    }

    private void sayLost(WalCopy wal, List<WalObject> lost) {
        List<Stretch> stretches = new ArrayList<>();
        for (WalObject object : lost) {
            int last = stretches.size() - 1;
            if (object instanceof WalObject.History history) {
                reportLost(wal, history, "");
            } else if (last >= 0 && stretches.get(last).isContinuedBy(WalCopy.segment(object))) {
                stretches.set(
                        last,
                        stretches.get(last).withOneMore(WalCopy.segment(object).end()));
            } else {
                WalSegment segment = WalCopy.segment(object);
                stretches.add(new Stretch(object, "", 0, segment.timeline(), segment.start(), segment.end()));
            }
        }
        stretches.forEach(stretch -> reportLost(wal, stretch.first(), stretch.others()));
    }

    private void reportLost(WalCopy wal, WalObject lost, String others) {
        report(
                wal.storage().name(),
                object(wal, lost),
                "WAL " + lost.name(),
                "is missing" + others + "; another storage has it",
                false);
    }

    /** Damaged or lost segments that follow each other; the first of them gives the name. */
    private record Stretch(WalObject first, String damage, int more, Timeline timeline, Lsn start, Lsn end) {

        boolean isContinuedBy(WalSegment segment) {
            return timeline.equals(segment.timeline()) && end.equals(segment.start());
        }

        String others() {
            return more == 0 ? "" : " (and " + more + " more, up to " + end + ")";
        }

        WalRange range() {
            return new WalRange(timeline, start, end);
        }

        Stretch withOneMore(Lsn newEnd) {
            return new Stretch(first, damage, more + 1, timeline, start, newEnd);
        }
    }

    private List<Stretch> stretches(WalCopy wal) {
        List<Stretch> stretches = new ArrayList<>();
        boolean goesOn = false;
        for (WalCopy.Item item : wal.segments()) {
            if (item.damage().isEmpty()) {
                goesOn = false;
                continue;
            }
            WalSegment segment = WalCopy.segment(item.object());
            int last = stretches.size() - 1;
            boolean isNext = goesOn
                    && stretches.get(last).isContinuedBy(segment)
                    && isSoundElsewhere(wal, item.object())
                            == isSoundElsewhere(wal, stretches.get(last).first());
            if (isNext) {
                stretches.set(last, stretches.get(last).withOneMore(segment.end()));
            } else {
                stretches.add(new Stretch(
                        item.object(), item.damage(), 0, segment.timeline(), segment.start(), segment.end()));
            }
            goesOn = true;
        }
        return stretches;
    }

    private void say(WalCopy wal, Stretch stretch) {
        boolean isLost = !isSoundElsewhere(wal, stretch.first());
        report(
                wal.storage().name(),
                object(wal, stretch.first()),
                "WAL " + stretch.first().name(),
                stretch.damage() + stretch.others() + "; "
                        + (isLost
                                ? consequence(wal.paths(), found -> found.ofWal(stretch.range()))
                                : "another storage has it whole"),
                isLost);
    }

    /** As far as it was read. */
    private boolean isSoundElsewhere(WalCopy wal, WalObject object) {
        return holdings.others(wal).stream()
                .flatMap(other -> other.item(object).stream())
                .anyMatch(item -> item.damage().isEmpty());
    }

    private String consequence(BackupPaths paths, Function<Consequence, String> words) {
        try {
            return words.apply(consequences.computeIfAbsent(paths, this::consequence));
        } catch (NightshiftException away) {
            Places.requireOfStorage(away);
            return "no storage that answers has it whole, and what can be restored without it is not known: "
                    + away.getMessage();
        }
    }

    private Consequence consequence(BackupPaths system) {
        List<StoredBackup> own = backups().stream()
                .filter(backup -> backup.paths().equals(system))
                .toList();
        var chains = new BackupChains(own);
        return new Consequence(
                own,
                own.stream()
                        .filter(chains::isComplete)
                        .reduce((older, newer) -> newer)
                        .map(newest -> RestorableCluster.of(run.cluster(), places.open(), own, newest)
                                .restorability()),
                present(system));
    }

    private Optional<WalLineage> present(BackupPaths system) {
        try {
            return StoredWal.presentLineage(places.open(), system);
        } catch (NightshiftException unreadable) {
            Places.requireOfStorage(unreadable);
            return Optional.empty();
        }
    }

    /** @param isLost whether nobody has it whole: then a new backup is what a restore can begin with */
    private void report(String storage, String object, String subject, String detail, boolean isLost) {
        damaged++;
        String key = key(storage, object);
        run.report(new Finding(
                key,
                Severity.ERROR,
                subject + " in storage " + storage,
                detail
                        + repairs.reason(key)
                                .map(why -> "; not repaired: " + why)
                                .orElse(""),
                (isLost
                                ? "take a new full backup now with nightshift run full-backup --cluster "
                                        + run.cluster() + ", and delete nothing older before it has ended; "
                                : "")
                        + "look after the disk of storage " + storage));
    }
}
