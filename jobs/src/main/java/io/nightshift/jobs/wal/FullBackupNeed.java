package io.nightshift.jobs.wal;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.wal.WalGap;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;

/**
 * Whether gaps call for a full backup: recovery does not get across a gap, so a chain must begin behind it. One is asked for
 * at most every twelve hours; the records of the gaps remember when. Pure.
 */
final class FullBackupNeed {

    static final Duration AT_MOST_EVERY = Duration.ofHours(12);

    private FullBackupNeed() {}

    /** Whether one may be asked for now. */
    static boolean mayAsk(List<WalGap> gaps, Instant now) {
        return gaps.stream()
                .filter(WalGap::fullRequested)
                .noneMatch(gap -> gap.at().plus(AT_MOST_EVERY).isAfter(now));
    }

    /** Whether no backup begins behind the last gap. */
    static boolean isOpen(List<WalGap> gaps, Collection<BackupDocument> backups) {
        return gaps.stream()
                .map(WalGap::to)
                .max(Comparable::compareTo)
                .filter(end ->
                        backups.stream().noneMatch(backup -> backup.startLsn().compareTo(end) >= 0))
                .isPresent();
    }
}
