package io.nightshift.infra.replication;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the server says when its checkpoint is done and the files are about to come.
 *
 * @param lsn recovery of the backup begins here
 * @param tablespaces in the order of their archives, the data directory last
 */
public record BackupStart(Lsn lsn, Timeline timeline, List<TablespaceInfo> tablespaces) {

    public BackupStart {
        tablespaces = List.copyOf(tablespaces);
    }

    /** What the server expects to send, without WAL; null unless progress was asked for. */
    public @Nullable Long estimatedBytes() {
        long kilobytes = 0;
        for (TablespaceInfo tablespace : tablespaces) {
            Long size = tablespace.kilobytes();
            if (size == null) {
                return null;
            }
            kilobytes += size;
        }
        return kilobytes * 1024;
    }
}
