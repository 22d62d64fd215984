package io.nightshift.jobs.retention;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.backup.BackupType;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.replication.WalRange;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Backups of one system, each an hour after the one before it in time began at the latest; WAL grows by 1,000 bytes a day. */
final class Candidates {

    static final Instant NOW = Instant.parse("2026-11-28T03:00:00Z");

    private final BackupPaths paths;
    private final List<Candidate> all = new ArrayList<>();

    Candidates() {
        this(17);
    }

    Candidates(int major) {
        paths = new BackupPaths("chanuka", major, new SystemIdentifier(7_000_000_000_000_000_000L + major));
    }

    List<Candidate> all() {
        return List.copyOf(all);
    }

    List<Candidate> with(Candidates others) {
        List<Candidate> both = new ArrayList<>(all);
        both.addAll(others.all);
        return both;
    }

    Candidate full(int daysAgo) {
        return at(NOW.minus(Duration.ofDays(daysAgo)), BackupType.FULL, null);
    }

    Candidate incremental(int daysAgo, Candidate parent) {
        return at(NOW.minus(Duration.ofDays(daysAgo)), BackupType.INCREMENTAL, parent);
    }

    Candidate at(Instant endedAt, BackupType type, @Nullable Candidate parent) {
        long day = Duration.between(NOW.minus(Duration.ofDays(1000)), endedAt).toDays();
        return add(new Candidate(
                paths,
                new BackupLabel(endedAt.minus(Duration.ofHours(1)), type, "r8f3"),
                parent == null ? null : parent.label(),
                true,
                false,
                endedAt,
                new Timeline(1),
                new Lsn(1_000 * day),
                true,
                null,
                type == BackupType.FULL ? 1_000_000 : 100_000,
                Set.of("near"),
                null,
                null,
                List.of(),
                List.of()));
    }

    Candidate damaged(Candidate backup) {
        return replace(backup, false, null, null, null, List.of(), List.of());
    }

    Candidate needingWal(Candidate backup, Lsn start, Lsn end) {
        return replace(backup, true, new WalRange(new Timeline(1), start, end), null, null, List.of(), List.of());
    }

    Candidate proven(Candidate backup, Instant at) {
        return replace(backup, true, null, at, null, List.of(), List.of());
    }

    Candidate pinned(Candidate backup, Pin pin) {
        return replace(backup, true, null, null, pin, List.of(), List.of());
    }

    Candidate used(Candidate backup, String user) {
        return replace(backup, true, null, null, null, List.of(user), List.of());
    }

    Candidate lackedBy(Candidate backup, String storage) {
        return replace(backup, true, null, null, null, List.of(), List.of(storage));
    }

    Candidate refuted(Candidate backup) {
        all.remove(backup);
        return add(new Candidate(
                backup.paths(),
                backup.label(),
                backup.parent(),
                true,
                true,
                backup.endedAt(),
                backup.timeline(),
                backup.startLsn(),
                backup.leadsOn(),
                null,
                backup.bytes(),
                backup.holders(),
                null,
                null,
                List.of(),
                List.of()));
    }

    /** On a timeline that the cluster has left before this backup ended, or from which it has gone on. */
    Candidate onTimeline(Candidate backup, int timeline, boolean leadsOn) {
        all.remove(backup);
        return add(new Candidate(
                backup.paths(),
                backup.label(),
                backup.parent(),
                true,
                false,
                backup.endedAt(),
                new Timeline(timeline),
                backup.startLsn(),
                leadsOn,
                null,
                backup.bytes(),
                backup.holders(),
                null,
                null,
                List.of(),
                List.of()));
    }

    private Candidate replace(
            Candidate backup,
            boolean restorable,
            @Nullable WalRange wal,
            @Nullable Instant provenAt,
            @Nullable Pin pin,
            List<String> users,
            List<String> lackedBy) {
        all.remove(backup);
        return add(new Candidate(
                backup.paths(),
                backup.label(),
                backup.parent(),
                restorable,
                false,
                backup.endedAt(),
                backup.timeline(),
                backup.startLsn(),
                backup.leadsOn(),
                wal,
                backup.bytes(),
                backup.holders(),
                provenAt,
                pin,
                users,
                lackedBy));
    }

    void remove(List<Candidate> gone) {
        all.removeAll(gone);
    }

    private Candidate add(Candidate candidate) {
        all.add(candidate);
        return candidate;
    }
}
