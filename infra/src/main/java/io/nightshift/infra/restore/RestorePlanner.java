package io.nightshift.infra.restore;

import io.nightshift.infra.backup.BackupChain;
import io.nightshift.infra.backup.BackupChains;
import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupDocument.Wal;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.RestoreTarget.AtLsn;
import io.nightshift.infra.restore.RestoreTarget.AtName;
import io.nightshift.infra.restore.RestoreTarget.AtTime;
import io.nightshift.infra.restore.RestoreTarget.AtXid;
import io.nightshift.infra.restore.RestoreTarget.Immediate;
import io.nightshift.infra.restore.RestoreTarget.Latest;
import io.nightshift.infra.wal.StoredWal;
import io.nightshift.infra.wal.WalEvent;
import io.nightshift.infra.wal.WalEvent.TablespaceCreation;
import io.nightshift.infra.wal.WalEvents;
import io.nightshift.infra.wal.WalLineage;
import io.nightshift.infra.wal.WalLineage.Branch;
import io.nightshift.infra.wal.WalPath;
import io.nightshift.infra.wal.WalSearch;
import io.nightshift.infra.wal.WalSegments;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Finds the backup and the WAL that lead to a target, before anything is written. Whether it can be reached is read from
 * the WAL itself, record by record from the backup on: what a server would say after hours of replay is said now.
 */
final class RestorePlanner {

    private final String cluster;
    private final List<StoredBackup> backups;
    private final Function<StoredBackup, WalSegments> walOf;
    private final StoredWal wal;

    /**
     * @param backups of one system identifier and major version
     * @param walOf the WAL that is in a backup itself
     * @param wal of the archive
     */
    RestorePlanner(
            String cluster, List<StoredBackup> backups, Function<StoredBackup, WalSegments> walOf, StoredWal wal) {
        this.cluster = cluster;
        var chains = new BackupChains(backups);
        this.backups = backups.stream()
                .filter(chains::isComplete)
                .sorted(Comparator.comparing(
                                (StoredBackup backup) -> document(backup).endLsn())
                        .reversed())
                .toList();
        this.walOf = walOf;
        this.wal = wal;
    }

    private static BackupDocument document(StoredBackup backup) {
        return backup.document().orElseThrow();
    }

    /**
     * The plan with the newest backup that leads there.
     *
     * @param only the backup to take; null for any
     * @throws NightshiftException REFUSED if the target cannot be reached: it says why, and which point is the nearest;
     *     DATA_DAMAGED if WAL on the way is damaged, or the history of the timeline is lost
     */
    RestorePlan plan(@Nullable StoredBackup only, RestoreTarget target, RestoreTimeline timeline) {
        List<StoredBackup> candidates = only == null ? backups : List.of(only);
        // What a backup holds is the same on whatever timeline the cluster went on.
        RestoreTimeline followed =
                only != null && target instanceof Immediate && timeline instanceof RestoreTimeline.Latest
                        ? new RestoreTimeline.OfBackup()
                        : timeline;
        if (candidates.isEmpty()) {
            throw new NightshiftException(
                    FailureKind.REFUSED,
                    "cluster " + cluster + " has no backup that can be restored",
                    "nightshift backups --cluster " + cluster + " shows what there is");
        }
        Unsuitable refusal = null;
        for (StoredBackup candidate : candidates) {
            try {
                return plan(candidate, target, lineage(candidate, followed));
            } catch (Unsuitable unsuitable) {
                refusal = refusal == null || unsuitable.saysMoreThan(refusal) ? unsuitable : refusal;
            }
        }
        throw Objects.requireNonNull(refusal).reason;
    }

    private RestorePlan plan(StoredBackup candidate, RestoreTarget target, WalLineage lineage) {
        BackupDocument document = document(candidate);
        try {
            return new Attempt(candidate, target, lineage, document.startLsn()).plan();
        } catch (Unsuitable damaged) {
            if (damaged.why != Why.WAL_OF_THE_BACKUP_DAMAGED) {
                throw damaged;
            }
            return new Attempt(candidate, target, lineage, document.endLsn()).plan();
        }
    }

    /** From what says least to what says most of a target that no backup leads to. */
    private enum Why {
        NOT_ON_THE_WAY,
        NOT_FOUND,
        WAL_OF_THE_BACKUP_DAMAGED,
        DAMAGED,
        /** The backup ends behind the target. */
        TOO_LATE
    }

    /** This backup does not lead there; another one may. */
    private static final class Unsuitable extends RuntimeException {

        private static final long serialVersionUID = 1;

        private final NightshiftException reason;
        private final Why why;

        Unsuitable(Why why, NightshiftException reason) {
            super(reason);
            this.reason = reason;
            this.why = why;
        }

        Unsuitable(Why why, String fact, String hint) {
            this(why, new NightshiftException(FailureKind.REFUSED, fact, hint));
        }

        /** Of an older backup, which is the last word where the newer one was too late. */
        boolean saysMoreThan(Unsuitable newer) {
            return newer.why == Why.TOO_LATE ? why != Why.NOT_ON_THE_WAY : why.compareTo(newer.why) > 0;
        }
    }

    private WalLineage lineage(StoredBackup backup, RestoreTimeline choice) {
        Timeline own = document(backup).timeline();
        if (choice instanceof RestoreTimeline.Given given) {
            return lineage(given.timeline());
        }
        if (choice instanceof RestoreTimeline.OfBackup) {
            return lineage(own);
        }
        return lineage(Stream.concat(
                        wal.timelines().stream(),
                        backups.stream().map(one -> document(one).timeline()))
                .max(Comparator.naturalOrder())
                .orElse(own));
    }

    private WalLineage lineage(Timeline timeline) {
        if (!wal.timelines().contains(timeline)) {
            if (backups.stream().noneMatch(backup -> document(backup).timeline().equals(timeline))) {
                throw new NightshiftException(
                        FailureKind.REFUSED,
                        "cluster " + cluster + " has neither a backup nor WAL of timeline " + timeline,
                        "timelines with WAL: " + wal.timelines());
            }
            // Backups with their own WAL need no history.
            return WalLineage.of(timeline);
        }
        return wal.lineage(timeline);
    }

    /** One backup, tried for the target. */
    private final class Attempt {

        private final StoredBackup backup;
        private final BackupDocument document;
        private final RestoreTarget target;
        private final WalLineage lineage;
        private final WalPath path;
        private final Lsn from;
        private final List<String> notes = new ArrayList<>(wal.away());
        private final Set<TablespaceCreation> tablespaces = new LinkedHashSet<>();
        private boolean isReadFromTheStart;

        /** @param first where WAL of the archive is read from; if it is not there, from the end of the backup's own */
        Attempt(StoredBackup backup, RestoreTarget target, WalLineage lineage, Lsn first) {
            this.backup = backup;
            this.document = document(backup);
            this.target = target;
            this.lineage = lineage;
            WalPath whole = WalPath.of(lineage, wal.coverage(), wal.segmentSize(), first);
            boolean reachesEnd = document.endLsn().compareTo(whole.end()) <= 0;
            boolean isNeeded = document.wal() == Wal.ARCHIVE;
            if (first.equals(document.startLsn()) && (reachesEnd || isNeeded)) {
                this.path = whole;
                this.from = first;
            } else {
                // What lies before is in the backup itself.
                this.path = WalPath.of(lineage, wal.coverage(), wal.segmentSize(), document.endLsn());
                this.from = new Lsn(document.endLsn().position() & -wal.segmentSize());
            }
        }

        RestorePlan plan() {
            requireOnTheWay();
            if (document.wal() == Wal.ARCHIVE && path.end().isBefore(document.endLsn())) {
                throw missing();
            }
            if (target instanceof Immediate || (target instanceof Latest && !hasArchive() && !isBroken())) {
                return immediate();
            }
            if (target instanceof AtTime at && !at.time().isAfter(document.endedAt())) {
                throw tooEarly("ended " + document.endedAt());
            }
            if (target instanceof AtLsn at && at.location().isBefore(document.endLsn())) {
                throw tooEarly("ends at " + document.endLsn());
            }
            if (!hasArchive()) {
                throw elsewhere(
                        Why.NOT_FOUND,
                        new NightshiftException(
                                FailureKind.REFUSED,
                                target + " cannot be reached: "
                                        + (isBroken()
                                                ? "the WAL right behind backup " + document.label() + " is missing"
                                                : "no WAL behind backup " + document.label() + " is archived"),
                                nearestIsTheEnd()));
            }
            if (target instanceof AtTime at) {
                return at(at);
            }
            if (target instanceof AtLsn at) {
                return at(at);
            }
            if (target instanceof AtName at) {
                notes.add("of several restore points of that name the first behind the backup counts");
                return found(search(search -> search.restorePoint(at.name())));
            }
            if (target instanceof AtXid at) {
                return found(search(search -> search.endOf(at.xid())));
            }
            WalSearch.Result result = search(WalSearch::furthest);
            if (isBroken()) {
                throw unreachable(result, "there is a hole in it");
            }
            return furthest(result);
        }

        private boolean hasArchive() {
            return document.endLsn().isBefore(path.end());
        }

        private void requireOnTheWay() {
            Optional<Branch> branch = lineage.branches().stream()
                    .filter(one -> one.timeline().equals(document.timeline()))
                    .findFirst();
            boolean isOn = branch.isPresent()
                    && (branch.get().end() == null
                            || document.endLsn().compareTo(branch.get().end()) <= 0);
            if (!isOn) {
                throw new Unsuitable(
                        Why.NOT_ON_THE_WAY,
                        "backup " + document.label() + " is not on the way to timeline " + lineage.present()
                                + ": it ends at "
                                + document.endLsn() + " on timeline " + document.timeline()
                                + branch.map(one -> ", which was left at " + one.end())
                                        .orElse(""),
                        "--target-timeline " + document.timeline() + " follows the backup's own");
            }
        }

        private RestorePlan immediate() {
            if (document.wal() == Wal.INCLUDED) {
                return plan(new Immediate(), new WalPath(List.of()), document.endLsn(), null);
            }
            search(from, document.endLsn(), WalSearch::furthest);
            return plan(new Immediate(), path.between(from, document.endLsn()), document.endLsn(), null);
        }

        private RestorePlan at(AtTime at) {
            // Servers count microseconds.
            Instant last = at.inclusive() ? at.time() : at.time().minus(1, ChronoUnit.MICROS);
            WalSearch.Result result = search(search -> search.firstLaterThan(last));
            if (result.found().isPresent()) {
                return plan(at, result.found().get(), result);
            }
            // When it was stored says nothing: what came behind it may have been on its way.
            Optional<Instant> latest = result.passed().latest();
            boolean isKnown = latest.filter(time -> !at.time().isAfter(time)).isPresent();
            if (!isKnown || isBroken()) {
                throw elsewhere(
                        Why.NOT_FOUND,
                        unreachable(
                                result,
                                latest.map(time -> "the archived WAL says what happened until " + time + ", not later")
                                        .orElse("the archived WAL behind it has no time")));
            }
            notes.add("no transaction ended between "
                    + result.newest().map(end -> end.at().toString()).orElse("the backup")
                    + " and the end of the archived WAL, so recovery goes to its last record");
            return furthest(result);
        }

        private RestorePlan at(AtLsn at) {
            WalSearch.Result result = search(search -> search.upTo(at.location()));
            if (result.lastRecord().isBefore(at.location())) {
                throw elsewhere(
                        Why.NOT_FOUND,
                        unreachable(result, "the last archived record begins at " + result.lastRecord()));
            }
            // Recovery reads the record there in any case.
            return plan(
                    at,
                    path.between(from, result.end()),
                    at.location(),
                    result.newest()
                            .filter(end -> at.inclusive() || end.start().isBefore(at.location()))
                            .map(WalEvent.TransactionEnd::at)
                            .orElse(null));
        }

        private RestorePlan found(WalSearch.Result result) {
            if (result.found().isEmpty()) {
                throw elsewhere(Why.NOT_FOUND, unreachable(result, "it is not in the archived WAL behind it"));
            }
            return plan(target, result.found().get(), result);
        }

        private RestorePlan plan(RestoreTarget recovery, WalEvent stop, WalSearch.Result result) {
            if (stop.start().isBefore(document.endLsn())) {
                throw tooEarly("ends at " + document.endLsn());
            }
            return plan(
                    recovery,
                    path.between(from, stop.end()),
                    stop.start(),
                    result.newest().map(WalEvent.TransactionEnd::at).orElse(null));
        }

        /** To the last record and no less: damage that a server took for the end would be noticed. */
        private RestorePlan furthest(WalSearch.Result result) {
            if (!result.lastRecord().isValid()) {
                return immediate();
            }
            return plan(
                    new AtLsn(result.lastRecord(), true),
                    path,
                    result.lastRecord(),
                    result.newest().map(WalEvent.TransactionEnd::at).orElse(null));
        }

        private RestorePlan plan(RestoreTarget recovery, WalPath needed, Lsn stopsAt, @Nullable Instant newest) {
            long bytes = needed.steps().stream()
                    .mapToLong(step -> wal.storedBytes(step.object()))
                    .sum();
            if (document.wal() == Wal.INCLUDED && !isReadFromTheStart) {
                readOwnWal();
            }
            var replay = new RestorePlan.Replay(stopsAt, newest, List.copyOf(tablespaces));
            return new RestorePlan(
                    BackupChain.of(backup, backups), target, recovery, lineage, needed, bytes, replay, notes);
        }

        /** What the backup has of it, and the archive has not. Whether it is whole the restore itself finds out. */
        private void readOwnWal() {
            try (var events = new WalEvents(
                    walOf.apply(backup),
                    document.major(),
                    wal.segmentSize(),
                    any -> document.timeline(),
                    document.startLsn())) {
                for (var event = events.next();
                        event.isPresent() && event.get().start().isBefore(document.endLsn());
                        event = events.next()) {
                    if (event.get() instanceof TablespaceCreation creation) {
                        tablespaces.add(creation);
                    }
                }
            } catch (IOException | NightshiftException unreadable) {
                notes.add("could not see whether the backup's own WAL creates tablespaces outside this directory: "
                        + unreadable.getMessage());
            }
        }

        private WalSearch.Result search(Question question) {
            return search(from, path.end(), question);
        }

        private WalSearch.Result search(Lsn begin, Lsn end, Question question) {
            try {
                WalSearch.Result result = question.ask(
                        new WalSearch(wal, document.major(), wal.segmentSize(), path::timeline, begin, end));
                isReadFromTheStart = begin.equals(document.startLsn());
                tablespaces.addAll(result.passed().tablespaces());
                return result;
            } catch (WalSearch.Broken broken) {
                boolean isInTheBackup = document.wal() == Wal.INCLUDED
                        && from.equals(document.startLsn())
                        && broken.before().end().isBefore(document.endLsn());
                var damaged = new NightshiftException(
                        FailureKind.DATA_DAMAGED,
                        "archived WAL of cluster " + cluster + " behind backup " + document.label() + ": "
                                + broken.getMessage(),
                        nearest(broken.before()),
                        broken);
                throw isInTheBackup
                        ? new Unsuitable(Why.WAL_OF_THE_BACKUP_DAMAGED, damaged)
                        : elsewhere(Why.DAMAGED, damaged);
            } catch (IOException impossible) {
                throw new UncheckedIOException(impossible);
            }
        }

        /** An older backup may lead to the same xid or name somewhere else; to a time or a location it takes this way. */
        private RuntimeException elsewhere(Why why, NightshiftException reason) {
            return target instanceof AtName || target instanceof AtXid ? new Unsuitable(why, reason) : reason;
        }

        private Unsuitable tooEarly(String words) {
            return new Unsuitable(
                    Why.TOO_LATE,
                    target + " is before the end of backup " + document.label() + ", which " + words,
                    nearestIsTheEnd());
        }

        private String nearestIsTheEnd() {
            return "nearest: the end of backup " + document.label() + ", " + document.endLsn() + " ("
                    + document.endedAt() + "), with --target-immediate";
        }

        private Unsuitable missing() {
            return new Unsuitable(
                    Why.DAMAGED,
                    "backup " + document.label() + " needs WAL from " + document.startLsn() + " to "
                            + document.endLsn() + "; it is archived "
                            + (path.steps().isEmpty() ? "not at all" : "up to " + path.end()),
                    "nightshift backups shows the others");
        }

        private NightshiftException unreachable(WalSearch.Result result, String reason) {
            return new NightshiftException(
                    FailureKind.REFUSED,
                    target + " cannot be reached from backup " + document.label() + ": " + reason
                            + (isBroken() ? "; the WAL from " + end() + " on is missing" : ""),
                    nearest(result));
        }

        private String nearest(WalSearch.Result result) {
            if (result.lastRecord().isBefore(document.endLsn())) {
                return nearestIsTheEnd();
            }
            String newest = result.newest()
                    .map(end -> " (last transaction " + end.at() + ")")
                    .orElse("");
            return "nearest: " + result.lastRecord() + newest + ", with --target-lsn " + result.lastRecord();
        }

        /** Whether archived WAL on this way goes on behind a hole. */
        private boolean isBroken() {
            return lineage.end(wal.coverage(), List.of())
                    .filter(furthest -> end().isBefore(furthest))
                    .isPresent();
        }

        /** How far the backup and the WAL behind it go. */
        private Lsn end() {
            return hasArchive() ? path.end() : document.endLsn();
        }
    }

    @FunctionalInterface
    private interface Question {
        WalSearch.Result ask(WalSearch search) throws IOException;
    }
}
