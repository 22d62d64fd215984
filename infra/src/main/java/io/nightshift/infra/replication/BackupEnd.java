package io.nightshift.infra.replication;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.ServerNotice;
import io.nightshift.infra.postgres.Timeline;
import java.util.List;

/**
 * A base backup that arrived whole.
 *
 * @param lsn recovery must reach this location before the backup is consistent
 * @param notices what the server said meanwhile, in order; the first {@value #MOST_NOTICES} of them
 * @param sourceDamaged the server found wrong page checksums in what it sent. The bytes are what the server has, the
 *     warnings among the notices name the blocks, and the backup is worth keeping
 */
public record BackupEnd(Lsn lsn, Timeline timeline, List<ServerNotice> notices, boolean sourceDamaged) {

    static final int MOST_NOTICES = 1_000;

    public BackupEnd {
        notices = List.copyOf(notices);
    }
}
