package io.nightshift.jobs.indexes;

import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.index.Index;
import io.nightshift.infra.index.IndexActivity;
import io.nightshift.infra.index.IndexAdvice;
import io.nightshift.infra.index.IndexAdvisor;
import io.nightshift.infra.index.IndexCatalog;
import io.nightshift.infra.index.IndexCatalogReader;
import io.nightshift.infra.index.IndexFill;
import io.nightshift.infra.index.IndexFillReader;
import io.nightshift.infra.index.IndexHistory;
import io.nightshift.infra.index.IndexUses;
import io.nightshift.infra.index.WalStreams;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.NodeObservation;
import io.nightshift.infra.routing.NodeObservation.Answered;
import io.nightshift.infra.routing.ObservedCluster;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.RunContext;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/** Reads the catalogs of each database on the primary, asks every node what it has used, and reports what follows. */
final class JudgeIndexesTasklet implements Tasklet {

    /** How often a table is met while somebody takes it for himself, before its database is left for the next night. */
    private static final int TRIES = 3;

    private final RunContext run;
    private final DatabaseOrchestrator clusters;
    private final IndexHistory history;
    private final Clock clock;

    JudgeIndexesTasklet(RunContext run, DatabaseOrchestrator clusters, IndexHistory history, Clock clock) {
        this.run = run;
        this.clusters = clusters;
        this.history = history;
        this.clock = clock;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        run.progress().begin("judge indexes", null, "databases");
        ManagedCluster cluster = clusters.cluster(run.cluster());
        ObservedCluster observed = cluster.observeNow();
        Answered primary = observed.primary().orElse(null);
        if (primary == null) {
            run.summary("nothing judged: no primary of cluster " + run.cluster() + " answers");
            run.notEvaluated(
                    new NotEvaluated("indexes of cluster " + run.cluster(), noPrimary(observed), List.of("index/")));
            return RepeatStatus.FINISHED;
        }
        ManagedNode node = cluster.node(primary.node());
        List<String> databases = Databases.of(node, cluster.config().databases(), run);
        if (run.dryRun()) {
            run.summary("would look at " + databases.size() + " databases (" + String.join(", ", databases) + ") on "
                    + observed.answered().size() + " of " + observed.nodes().size() + " nodes, which answer");
            return RepeatStatus.FINISHED;
        }
        var report = new IndexReport();
        Optional<String> unlisted = unlisted(cluster, observed);
        unlisted.ifPresent(reason -> run.notEvaluated("what standbys of cluster " + run.cluster() + " use", reason));
        databases.forEach(database -> judge(cluster, observed, unlisted.orElse(null), node, database, report));
        report.write(run, databases.size());
        return RepeatStatus.FINISHED;
    }

    private static String noPrimary(ObservedCluster observed) {
        return observed.conflict()
                .map(conflict -> String.valueOf(conflict.getMessage()))
                .orElse("no primary answers");
    }

    private void judge(
            ManagedCluster cluster,
            ObservedCluster observed,
            @Nullable String unlisted,
            ManagedNode primary,
            String database,
            IndexReport report) {
        try {
            // Before anything else: whoever plans a query is counted as if it had scanned the indexes.
            IndexUses uses = uses(cluster, observed, unlisted, database);
            IndexAdvisor advisor = advisor(primary, database, uses);
            uses.unseen()
                    .forEach((node, reason) ->
                            run.notEvaluated("what " + node + " uses in database " + database, reason));
            IndexSession.use(primary.direct(database, run.purpose()), run.cancellation(), session -> {
                Map<Long, IndexFill> fills = IndexFillReader.estimate(session, advisor.toEstimate());
                measure(cluster, observed, primary, database, advisor.toMeasure(fills), fills);
                report.add(advisor.review(IndexCatalogReader.definitions(session, advisor.toDefine()), fills));
                return true;
            });
        } catch (SQLException e) {
            run.cancellation().check();
            notEvaluated(
                    database,
                    String.valueOf(SqlStates.failure("database " + database, e).getMessage()));
        } catch (NightshiftException refused) {
            run.cancellation().check();
            if (refused.kind() == FailureKind.BUG) {
                throw refused;
            }
            notEvaluated(database, String.valueOf(refused.getMessage()));
        }
        run.progress().advance(1);
    }

    /** Where it cannot be measured, estimates have to do. */
    private void measure(
            ManagedCluster cluster,
            ObservedCluster observed,
            ManagedNode primary,
            String database,
            List<Long> suspects,
            Map<Long, IndexFill> fills) {
        List<Long> measured = suspects.stream()
                .limit(run.settings(IndexAnalysisSettings.class).measuredIndexes())
                .toList();
        if (measured.isEmpty()) {
            return;
        }
        ManagedNode node = observed.standbys().stream()
                .findFirst()
                .map(standby -> cluster.node(standby.node()))
                .orElse(primary);
        try {
            IndexSession.use(node.direct(database, run.purpose()), run.cancellation(), session -> {
                Optional<String> schema = IndexFillReader.extensionSchema(session);
                if (schema.isPresent()) {
                    for (Long oid : measured) {
                        long bytes = IndexFillReader.measured(session, schema.get(), oid);
                        fills.computeIfPresent(oid, (same, fill) -> fill.with(bytes));
                    }
                }
                return true;
            });
        } catch (SQLException e) {
            run.cancellation().check();
        } catch (NightshiftException refused) {
            run.cancellation().check();
            if (refused.kind() == FailureKind.BUG) {
                throw refused;
            }
        }
    }

    private IndexAdvisor advisor(ManagedNode primary, String database, IndexUses uses) throws SQLException {
        IndexAnalysisSettings settings = run.settings(IndexAnalysisSettings.class);
        IndexCatalog catalog = catalog(primary, database);
        catalog.temporalKeys()
                .forEach(key -> run.notEvaluated(
                        "foreign key " + key + " in database " + database,
                        "it compares times: which index supports it is not judged"));
        catalog.illegible().stream()
                .map(index -> catalog.table(index).name())
                .distinct()
                .forEach(table -> run.notEvaluated(new NotEvaluated(
                        "indexes of " + database + "." + table,
                        "the table is locked: their expressions cannot be read",
                        keys(database, catalog, table.toString()))));
        return new IndexAdvisor(catalog, uses, settings.policy());
    }

    private static List<String> keys(String database, IndexCatalog catalog, String table) {
        return Stream.concat(
                        catalog.indexes().stream()
                                .filter(index ->
                                        catalog.table(index).name().toString().equals(table))
                                .map(Index::name)
                                .flatMap(index ->
                                        Stream.of(IndexAdvice.Kind.values()).map(kind -> kind.keys(database) + index)),
                        Stream.of(IndexAdvice.Kind.FOREIGN_KEY.keys(database) + table + "("))
                .toList();
    }

    /** Somebody may lock a table between our look at the locks and our question about it. */
    private IndexCatalog catalog(ManagedNode primary, String database) throws SQLException {
        for (int attempt = 1; ; attempt++) {
            try {
                return IndexSession.use(
                        primary.direct(database, run.purpose()), run.cancellation(), IndexCatalogReader::read);
            } catch (SQLException e) {
                run.cancellation().check();
                if (attempt == TRIES || !SqlStates.LOCK_NOT_AVAILABLE.equals(e.getSQLState())) {
                    throw e;
                }
            }
        }
    }

    /** That there are standbys which are no nodes; a node that does not answer may be one of those that are seen. */
    private Optional<String> unlisted(ManagedCluster cluster, ObservedCluster observed) {
        var silent = new WalStreams(List.of(), true);
        List<WalStreams> streams = new ArrayList<>();
        observed.unreachable().forEach(node -> streams.add(silent));
        for (Answered node : observed.answered()) {
            try {
                Connection session = cluster.node(node.node()).direct(run.purpose());
                streams.add(IndexSession.use(session, run.cancellation(), WalStreams::read));
            } catch (SQLException e) {
                run.cancellation().check();
                streams.add(silent);
            } catch (NightshiftException refused) {
                run.cancellation().check();
                if (refused.kind() == FailureKind.BUG) {
                    throw refused;
                }
                streams.add(silent);
            }
        }
        return WalStreams.unlisted(streams);
    }

    private IndexUses uses(
            ManagedCluster cluster, ObservedCluster observed, @Nullable String unlisted, String database) {
        Map<NodeAddress, Map<Long, Long>> scans = new LinkedHashMap<>();
        Map<NodeAddress, String> unseen = new TreeMap<>(Comparator.comparing(NodeAddress::toString));
        observed.unreachable().forEach(node -> unseen.put(node.node(), "it does not answer"));
        for (Answered node : observed.answered()) {
            try {
                Connection session = cluster.node(node.node()).direct(database, run.purpose());
                scans.put(node.node(), IndexSession.use(session, run.cancellation(), IndexCatalogReader::scans));
            } catch (SQLException e) {
                run.cancellation().check();
                unseen.put(
                        node.node(),
                        String.valueOf(SqlStates.failure("statistics", e).getMessage()));
            } catch (NightshiftException refused) {
                run.cancellation().check();
                unseen.put(node.node(), String.valueOf(refused.getMessage()));
            }
        }
        IndexActivity activity = history.activity(
                new IndexHistory.Place(run.cluster(), database),
                observed.nodes().stream().map(NodeObservation::node).toList(),
                clock.instant(),
                run.settings(IndexAnalysisSettings.class).window());
        return new IndexUses(scans, unseen, unlisted, activity);
    }

    private void notEvaluated(String database, String reason) {
        run.notEvaluated(new NotEvaluated(
                "indexes of database " + database,
                reason,
                Stream.of(IndexAdvice.Kind.values())
                        .map(kind -> kind.keys(database))
                        .toList()));
    }
}
