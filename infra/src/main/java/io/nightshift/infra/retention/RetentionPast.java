package io.nightshift.infra.retention;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.replication.WalRange;
import io.nightshift.infra.wal.KeptWal;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What earlier runs of retention have said. Nothing is deleted before they have agreed for a night that nothing keeps it:
 * who began to read it while it was kept has that long. Pure.
 *
 * @param records oldest first
 */
public record RetentionPast(List<RetentionRecord> records) {

    /** Less than a day, because runs do not begin at the same second each night. */
    public static final Duration NIGHT = Duration.ofHours(20);

    /** So much earlier than announced something may expire, for the same reason. */
    private static final Duration EARLIER = Duration.ofHours(12);

    public RetentionPast {
        records = records.stream()
                .sorted(Comparator.comparing(RetentionRecord::at))
                .toList();
    }

    public static RetentionPast none() {
        return new RetentionPast(List.of());
    }

    public Optional<Instant> lastRunAt() {
        return records.isEmpty()
                ? Optional.empty()
                : Optional.of(records.get(records.size() - 1).at());
    }

    /** Since when all runs have said that nothing keeps a backup; empty if the last one did not. */
    public Optional<Instant> expiredSince(BackupLabel label) {
        Instant since = null;
        for (int i = records.size() - 1; i >= 0 && records.get(i).expired().contains(label); i--) {
            since = records.get(i).at();
        }
        return Optional.ofNullable(since);
    }

    /** From when on a backup is deleted, if nothing keeps it until then; empty if the last run kept it. */
    public Optional<Instant> deletedFrom(BackupLabel label) {
        return expiredSince(label).map(since -> since.plus(NIGHT));
    }

    /** Backups that ended later than a run began that a person has let go on all the same. */
    public Set<BackupLabel> ahead() {
        return records.stream().flatMap(record -> record.ahead().stream()).collect(Collectors.toUnmodifiableSet());
    }

    /** Systems of which the last run kept nothing. */
    public List<BackupPaths> ended() {
        return records.isEmpty()
                ? List.of()
                : records.get(records.size() - 1).wal().stream()
                        .filter(wal -> wal.from() == null && wal.also().isEmpty())
                        .map(KeptWal::paths)
                        .toList();
    }

    /** From when on WAL is deleted of which a restore needs a stretch; empty if the last run kept it, or said nothing of it. */
    public Optional<Instant> deletedFrom(BackupPaths paths, WalRange wanted) {
        Instant since = null;
        for (int i = records.size() - 1; i >= 0 && letsGo(records.get(i), paths, wanted); i--) {
            since = records.get(i).at();
        }
        return Optional.ofNullable(since).map(at -> at.plus(NIGHT));
    }

    private static boolean letsGo(RetentionRecord record, BackupPaths paths, WalRange wanted) {
        return record.wal().stream()
                .anyMatch(wal -> wal.paths().equals(paths)
                        && !wal.keeps(
                                wanted.timeline(),
                                wanted.start(),
                                wanted.start().plus(1)));
    }

    /** Whether any run of the last night still kept something of a stretch of WAL, or nobody has looked for so long. */
    public boolean keptWithinANight(BackupPaths paths, Timeline timeline, Lsn start, Lsn end, Instant now) {
        for (int i = records.size() - 1; i >= 0; i--) {
            RetentionRecord record = records.get(i);
            boolean kept = record.wal().stream().noneMatch(wal -> wal.paths().equals(paths))
                    || record.wal().stream()
                            .anyMatch(wal -> wal.paths().equals(paths) && wal.keeps(timeline, start, end));
            if (kept) {
                return true;
            }
            if (!record.at().isAfter(now.minus(NIGHT))) {
                return false;
            }
        }
        return true;
    }

    /** Whether an earlier run said that a backup would be kept no longer by now. */
    public boolean announced(BackupLabel label, Instant now) {
        return records.stream()
                .anyMatch(record -> record.expired().contains(label)
                        || isDue(record.expiring().getOrDefault(label, Instant.MAX), now));
    }

    /** Whether an earlier run has said of a stretch of WAL that nothing kept it. */
    public boolean expired(BackupPaths paths, Timeline timeline, Lsn start, Lsn end) {
        return records.stream()
                .anyMatch(record -> record.wal().stream()
                        .anyMatch(wal -> wal.paths().equals(paths) && !wal.keeps(timeline, start, end)));
    }

    /** Whether an earlier run said that a stretch of WAL would be kept no longer by now. */
    public boolean announced(BackupPaths paths, Timeline timeline, Lsn start, Lsn end, Instant now) {
        return expired(paths, timeline, start, end)
                || records.stream()
                        .anyMatch(record -> record.later().stream()
                                .anyMatch(later -> later.paths().equals(paths)
                                        && !later.from().isBefore(end)
                                        && isDue(later.at(), now)));
    }

    private static boolean isDue(Instant time, Instant now) {
        return !time.minus(time.equals(Instant.MAX) ? Duration.ZERO : EARLIER).isAfter(now);
    }
}
