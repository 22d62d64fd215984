package io.nightshift.jobs.backup;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.SentIncrementals;
import io.nightshift.infra.incremental.BlockChanges;
import io.nightshift.infra.incremental.TruncationGuard;
import io.nightshift.infra.incremental.WalSummaries;
import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.replication.BackupManifest;
import io.nightshift.infra.replication.BackupStart;
import io.nightshift.infra.replication.ReplicationConnection;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.wal.WalLineage;
import java.sql.SQLException;
import java.util.Optional;
import java.util.Set;

/** The backup that a new one builds on. The server is shown only what it can be trusted with, and what it sends is checked. */
record ParentBackup(BackupDocument document, BackupManifest manifest, WalLineage lineage) implements Parent {

    /** Summaries that leave a hole, that the role may not read, or that were removed or damaged: a full backup needs none. */
    private static final Set<FailureKind> UNUSABLE =
            Set.of(FailureKind.REFUSED, FailureKind.CONFIGURATION, FailureKind.DATA_DAMAGED);

    /** Why nothing can be built on it, or what was built is not sound. */
    static final class Unusable extends RuntimeException {

        private static final long serialVersionUID = 1;

        Unusable(String fact) {
            super(fact);
        }
    }

    /** Shows the server the parent, without the files of which it must not send changed blocks only. */
    @Override
    public void upload(ReplicationConnection server, ManagedNode node, RunContext run) {
        BlockChanges truncations = ask(
                node,
                run,
                session ->
                        WalSummaries.truncations(session.connection(), lineage.between(document.startLsn(), Lsn.LAST)));
        var guard = new TruncationGuard(truncations);
        BackupManifest shown = manifest.only(file -> guard.mayShow(file.path()));
        server.uploadManifest(shown::writeTo);
    }

    /** What is wrong with the backup that the server has made of it; empty if nothing is. */
    @Override
    public Optional<String> objection(BackupStart start, SentIncrementals sent, ManagedNode node, RunContext run) {
        String from = "INCREMENTAL FROM LSN: " + document.startLsn();
        if (!sent.label().lines().toList().contains(from)) {
            return Optional.of(
                    "its backup_label does not say \"" + from + "\": the server has built on another backup");
        }
        BlockChanges changes = ask(
                node,
                run,
                session ->
                        WalSummaries.changes(session.connection(), lineage.between(document.startLsn(), start.lsn())));
        return new TruncationGuard(changes).objection(sent.headers());
    }

    @FunctionalInterface
    private interface Question {
        BlockChanges ask(ServerSession session) throws SQLException;
    }

    private static BlockChanges ask(ManagedNode node, RunContext run, Question question) {
        try (ServerSession session = ServerSession.open(node, run)) {
            return question.ask(session);
        } catch (NightshiftException failed) {
            throw UNUSABLE.contains(failed.kind()) ? new Unusable(String.valueOf(failed.getMessage())) : failed;
        } catch (SQLException e) {
            throw SqlStates.failure("WAL summaries of cluster " + run.cluster() + " not read", e);
        }
    }
}
