package io.nightshift.jobs.backup;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.postgres.Lsn;

/**
 * Something that came to be there, or ceased to be, while a session looked: its commit record begins between the two
 * locations.
 */
record Change(String what, boolean there, Lsn before, Lsn after) {

    boolean within(BackupDocument backup) {
        return backup.startLsn().isBefore(before) && after.isBefore(backup.endLsn());
    }
}
