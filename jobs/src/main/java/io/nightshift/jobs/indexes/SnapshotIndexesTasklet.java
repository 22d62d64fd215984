package io.nightshift.jobs.indexes;

import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.index.IndexHistory;
import io.nightshift.infra.index.IndexSnapshot;
import io.nightshift.infra.index.IndexSnapshotReader;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.NodeObservation.Answered;
import io.nightshift.infra.routing.ObservedCluster;
import io.nightshift.infra.run.RunContext;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/**
 * Keeps what every node has counted, before anything of ours is counted with it. A node that cannot be asked has a gap, which
 * the judgement finds.
 */
final class SnapshotIndexesTasklet implements Tasklet {

    private final RunContext run;
    private final DatabaseOrchestrator clusters;
    private final IndexHistory history;
    private final Clock clock;

    SnapshotIndexesTasklet(RunContext run, DatabaseOrchestrator clusters, IndexHistory history, Clock clock) {
        this.run = run;
        this.clusters = clusters;
        this.history = history;
        this.clock = clock;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        ManagedCluster cluster = clusters.cluster(run.cluster());
        ObservedCluster observed = cluster.observeNow();
        Answered primary = observed.primary().orElse(null);
        if (run.dryRun() || primary == null) {
            return RepeatStatus.FINISHED;
        }
        run.progress().begin("snapshot indexes", null, "databases");
        for (String database :
                Databases.of(cluster.node(primary.node()), cluster.config().databases(), run)) {
            keep(cluster, observed, database);
            run.progress().advance(1);
        }
        return RepeatStatus.FINISHED;
    }

    private void keep(ManagedCluster cluster, ObservedCluster observed, String database) {
        Instant at = clock.instant().truncatedTo(ChronoUnit.MICROS);
        List<IndexSnapshot> snapshots = new ArrayList<>();
        for (Answered node : observed.answered()) {
            read(cluster, node, database, at).ifPresent(snapshots::add);
        }
        if (!snapshots.isEmpty()) {
            history.keep(
                    run.lease(),
                    new IndexHistory.Place(run.cluster(), database),
                    snapshots,
                    run.settings(IndexAnalysisSettings.class).window());
        }
    }

    private Optional<IndexSnapshot> read(ManagedCluster cluster, Answered node, String database, Instant at) {
        NodeAddress address = node.node();
        try {
            return Optional.of(IndexSession.use(
                    cluster.node(address).direct(database, run.purpose()),
                    run.cancellation(),
                    session -> IndexSnapshotReader.read(session, address, node.part(), at)));
        } catch (SQLException e) {
            run.cancellation().check();
            return Optional.empty();
        } catch (NightshiftException refused) {
            run.cancellation().check();
            if (refused.kind() == FailureKind.BUG) {
                throw refused;
            }
            return Optional.empty();
        }
    }
}
