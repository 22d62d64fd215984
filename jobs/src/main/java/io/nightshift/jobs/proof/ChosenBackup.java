package io.nightshift.jobs.proof;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.restore.BackupCopies;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.restore.RestorePlan;
import io.nightshift.infra.server.PostgresBinaries;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is restored, and with which server.
 *
 * @param chain the backups that are needed, oldest first
 * @param source where the source was when the choice was made
 * @param archived how far it could have been restored then; null where recovery goes there and shows it
 */
record ChosenBackup(
        RestorableCluster cluster,
        RestorePlan plan,
        List<BackupCopies> chain,
        PostgresBinaries binaries,
        SourcePoint source,
        @Nullable ReachedPoint archived) {

    BackupLabel label() {
        return plan.document().label();
    }

    /** The same with another target. */
    ChosenBackup to(RestorableCluster seenNow, RestorePlan other, ReachedPoint furthest) {
        return new ChosenBackup(seenNow, other, seenNow.chain(other), binaries, source, furthest);
    }

    /** How far a plan to the end of the archived WAL goes. */
    static ReachedPoint end(RestorePlan furthest) {
        BackupDocument document = furthest.document();
        return new ReachedPoint(
                furthest.wal().steps().isEmpty()
                        ? document.endLsn()
                        : furthest.wal().end(),
                furthest.newest() == null ? document.endedAt() : furthest.newest());
    }
}
