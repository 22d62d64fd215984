package io.nightshift.jobs.proof;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.restore.BackupCopies;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.restore.RestorePlan;
import io.nightshift.infra.server.PostgresBinaries;
import java.util.List;

/**
 * What is restored, and with which server.
 *
 * @param chain the backups that are needed, oldest first
 * @param source where the source was when the choice was made
 */
record ChosenBackup(
        RestorableCluster cluster,
        RestorePlan plan,
        List<BackupCopies> chain,
        PostgresBinaries binaries,
        SourcePoint source) {

    BackupLabel label() {
        return plan.document().label();
    }

    /** On disk at most, with the WAL that recovery needs. */
    static long bytes(RestorePlan plan, List<BackupCopies> chain) {
        return plan.walBytes()
                + chain.stream()
                        .map(BackupCopies::document)
                        .mapToLong(BackupDocument::bytes)
                        .sum();
    }
}
