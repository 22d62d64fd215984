package io.nightshift.jobs.retention;

import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.replication.WalRange;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which WAL of one system is kept. History files always are.
 *
 * @param from where it begins, on each timeline; null if none is needed but what {@code also} says
 * @param also that single backups need
 */
record WalDecision(BackupPaths paths, @Nullable Lsn from, List<WalRange> also) {

    WalDecision {
        also = List.copyOf(also);
    }

    /**
     * @param window the backups from which WAL leads on; one whose beginning nobody knows keeps all
     * @param also that other kept backups need
     */
    static WalDecision of(BackupPaths paths, List<Candidate> window, List<WalRange> also) {
        return new WalDecision(
                paths,
                window.stream().map(Candidate::startLsn).min(Lsn::compareTo).orElse(null),
                also);
    }

    /** Whether a stretch of WAL is kept, all of it. */
    boolean keeps(Timeline timeline, Lsn start, Lsn end) {
        boolean inWindow = from != null && from.isBefore(end);
        return inWindow
                || also.stream()
                        .anyMatch(range -> range.timeline().equals(timeline)
                                && range.start().isBefore(end)
                                && start.isBefore(range.end()));
    }
}
