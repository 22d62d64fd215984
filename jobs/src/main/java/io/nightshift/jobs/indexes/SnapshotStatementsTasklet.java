package io.nightshift.jobs.indexes;

import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.NodeObservation.Answered;
import io.nightshift.infra.routing.ObservedCluster;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.workload.StatementBook;
import io.nightshift.infra.workload.StatementReader;
import io.nightshift.infra.workload.StatementReader.Reading;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/** Keeps what every node has counted of its statements, before our own questions are among them. */
final class SnapshotStatementsTasklet implements Tasklet {

    private final RunContext run;
    private final DatabaseOrchestrator clusters;
    private final StatementBook book;
    private final Clock clock;

    SnapshotStatementsTasklet(RunContext run, DatabaseOrchestrator clusters, StatementBook book, Clock clock) {
        this.run = run;
        this.clusters = clusters;
        this.book = book;
        this.clock = clock;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        run.progress().begin("snapshot statements", null, "nodes");
        ManagedCluster cluster = clusters.cluster(run.cluster());
        ObservedCluster observed = cluster.observeNow();
        if (run.dryRun()) {
            return RepeatStatus.FINISHED;
        }
        Instant now = clock.instant().truncatedTo(ChronoUnit.MICROS);
        for (Answered answered : observed.answered()) {
            ManagedNode node = cluster.node(answered.node());
            try {
                snapshot(cluster, node, now);
            } catch (SQLException e) {
                run.cancellation().check();
                notEvaluated(
                        node,
                        String.valueOf(
                                SqlStates.failure("pg_stat_statements", e).getMessage()));
            } catch (NightshiftException refused) {
                run.cancellation().check();
                if (refused.kind() == FailureKind.BUG) {
                    throw refused;
                }
                notEvaluated(node, String.valueOf(refused.getMessage()));
            }
            run.progress().advance(1);
        }
        return RepeatStatus.FINISHED;
    }

    private void snapshot(ManagedCluster cluster, ManagedNode node, Instant now) throws SQLException {
        Optional<Reading> reading = IndexSession.use(
                node.direct(run.purpose()),
                run.cancellation(),
                session -> StatementReader.read(session, node.address().toString(), now));
        List<AnalysedDatabase> databases = reading.isPresent() ? List.of() : AnalysedDatabase.of(cluster, node, run);
        for (AnalysedDatabase database : databases) {
            if (reading.isEmpty()) {
                reading = readingIn(node, database.name(), now);
            }
        }
        if (reading.isEmpty()) {
            notEvaluated(node, "no database that we may look into has the extension pg_stat_statements");
            return;
        }
        Reading found = reading.get();
        if (found.hidden() > 0) {
            notEvaluated(
                    node,
                    found.hidden()
                            + " statements of others are hidden from our role, which is no member of pg_read_all_stats");
        }
        book.keep(
                run,
                found.snapshot(),
                found.texts(),
                now.minus(run.settings(IndexAnalysisSettings.class).workload().window()));
    }

    private Optional<Reading> readingIn(ManagedNode node, String database, Instant now) throws SQLException {
        try {
            return IndexSession.use(
                    node.direct(database, run.purpose()),
                    run.cancellation(),
                    session -> StatementReader.read(session, node.address().toString(), now));
        } catch (NightshiftException refused) {
            run.cancellation().check();
            if (refused.kind() == FailureKind.BUG) {
                throw refused;
            }
            return Optional.empty();
        }
    }

    private void notEvaluated(ManagedNode node, String reason) {
        run.notEvaluated(new NotEvaluated("queries of node " + node.address(), reason, List.of("index/missing/")));
    }
}
