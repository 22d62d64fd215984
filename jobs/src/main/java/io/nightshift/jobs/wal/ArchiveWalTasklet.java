package io.nightshift.jobs.wal;

import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.replication.ReplicationConnection;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.WorkFolder;
import io.nightshift.infra.storage.ClusterStorages;
import io.nightshift.infra.storage.StorageSet;
import java.time.Clock;
import java.util.Optional;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/** Archives WAL until the run's day ends. A restart goes on where the archive ends. */
final class ArchiveWalTasklet implements Tasklet {

    private final RunContext run;
    private final DatabaseOrchestrator clusters;
    private final ClusterStorages storages;
    private final WorkFolder folder;
    private final Clock clock;

    ArchiveWalTasklet(
            RunContext run, DatabaseOrchestrator clusters, ClusterStorages storages, WorkFolder folder, Clock clock) {
        this.run = run;
        this.clusters = clusters;
        this.storages = storages;
        this.folder = folder;
        this.clock = clock;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        ManagedCluster cluster = clusters.cluster(run.cluster());
        if (run.dryRun()) {
            sayWhereItGoesOn(cluster);
            return RepeatStatus.FINISHED;
        }
        new Archiving(run, cluster, storages, folder, clock).work();
        return RepeatStatus.FINISHED;
    }

    private void sayWhereItGoesOn(ManagedCluster cluster) {
        run.progress().begin("look at the archive", null, "");
        ManagedNode node = ArchiveStream.primary(cluster);
        try (ReplicationConnection server = node.replication(run.purpose())) {
            ArchiveStream.Source source =
                    ArchiveStream.open(node, server, run.cluster(), new StorageSet(storages.forReading(run.cluster())));
            Optional<Lsn> end = end(source);
            run.summary(
                    end.isPresent()
                            ? "would go on at " + end.get() + " of timeline "
                                    + source.lineage().goingOnAt(end.get()) + " from " + node.address()
                            : "would begin with what " + node.address() + " keeps from now on, at "
                                    + source.identity().flushLsn());
        }
    }

    private Optional<Lsn> end(ArchiveStream.Source source) {
        try {
            return source.lineage()
                    .end(source.archive().coverage(), source.archive().gaps());
        } catch (NightshiftException failed) {
            if (failed.kind() != FailureKind.STORAGE_UNAVAILABLE) {
                throw failed;
            }
            // A new storage, whose directory the first run makes, or one that is not mounted.
            run.notEvaluated("archive", String.valueOf(failed.getMessage()));
            return Optional.empty();
        }
    }
}
