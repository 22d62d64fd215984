package io.nightshift.infra.wal;

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
public record KeptWal(BackupPaths paths, @Nullable Lsn from, List<WalRange> also) implements ListedWal.Keeper {

    public KeptWal {
        also = List.copyOf(also);
    }

    /** Whether something of a stretch is kept. */
    @Override
    public boolean keeps(Timeline timeline, Lsn start, Lsn end) {
        boolean behind = from != null && from.isBefore(end);
        return behind
                || also.stream()
                        .anyMatch(range -> range.timeline().equals(timeline)
                                && range.start().isBefore(end)
                                && start.isBefore(range.end()));
    }
}
