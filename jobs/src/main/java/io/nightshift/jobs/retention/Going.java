package io.nightshift.jobs.retention;

import java.util.List;

/**
 * What a run would newly let expire in one storage, against all that is there of the cluster. Pure.
 *
 * @param storage its name
 * @param bytes of backups and WAL that no earlier run has let expire
 * @param of bytes of the cluster
 * @param backups of which no earlier run has said it, newest first
 * @param wal bytes of which no earlier run has said it
 */
record Going(String storage, long bytes, long of, List<Candidate> backups, long wal) {

    Going {
        backups = List.copyOf(backups);
    }

    boolean surprises() {
        return !backups.isEmpty() || wal > 0;
    }
}
