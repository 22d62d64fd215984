package io.nightshift.jobs.indexes;

import io.nightshift.infra.config.RuleLogin;
import io.nightshift.infra.index.IndexAdvice;
import io.nightshift.infra.index.IndexCatalogReader;
import io.nightshift.infra.index.plan.GenericPlan;
import io.nightshift.infra.index.plan.GenericPlan.PassedOver;
import io.nightshift.infra.index.plan.GenericPlan.Planned;
import io.nightshift.infra.index.plan.GenericPlans;
import io.nightshift.infra.index.plan.MissingIndexes;
import io.nightshift.infra.index.plan.PlanTrust;
import io.nightshift.infra.index.plan.PlannedQuery;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.workload.KeptPlan;
import io.nightshift.infra.workload.Query;
import io.nightshift.infra.workload.StatementBook;
import io.nightshift.infra.workload.StatementHistory;
import io.nightshift.infra.workload.StatementName;
import io.nightshift.infra.workload.StatementNight;
import io.nightshift.infra.workload.StatementText;
import io.nightshift.infra.workload.Workload;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/** Plans the queries that take most of the time, and reports which indexes they lack and how they have come along. */
final class AdviseFromPlansTasklet implements Tasklet {

    private final RunContext run;
    private final DatabaseOrchestrator clusters;
    private final StatementBook book;
    private final Clock clock;

    AdviseFromPlansTasklet(RunContext run, DatabaseOrchestrator clusters, StatementBook book, Clock clock) {
        this.run = run;
        this.clusters = clusters;
        this.book = book;
        this.clock = clock;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        run.progress().begin("advise from plans", null, "databases");
        ManagedCluster cluster = clusters.cluster(run.cluster());
        Optional<ManagedNode> primary = cluster.observeNow().primary().map(answered -> cluster.node(answered.node()));
        if (primary.isEmpty() || run.dryRun()) {
            return RepeatStatus.FINISHED;
        }
        List<StatementNight> nights = new StatementHistory(book.snapshots(run.cluster())).nights();
        if (nights.isEmpty()) {
            // It takes two snapshots to see what a night has cost.
            run.leftAlone("index/missing/");
            return RepeatStatus.FINISHED;
        }
        Map<StatementName, StatementText> texts = book.texts(run.cluster());
        var report = new QueryReport(clock.instant().truncatedTo(ChronoUnit.MICROS));
        for (AnalysedDatabase database : AnalysedDatabase.of(cluster, primary.get(), run)) {
            advise(primary.get(), database, nights, texts, report);
            run.progress().advance(1);
        }
        report.write(run);
        return RepeatStatus.FINISHED;
    }

    private void advise(
            ManagedNode primary,
            AnalysedDatabase database,
            List<StatementNight> nights,
            Map<StatementName, StatementText> texts,
            QueryReport report) {
        IndexAnalysisSettings settings = run.settings(IndexAnalysisSettings.class);
        Workload workload = Workload.of(database.oid(), nights, texts, settings.workload());
        report.workload(database.name(), workload, nights);
        if (workload.nameless() > 0) {
            run.notEvaluated(
                    workload.nameless() + " queries of database " + database.name(),
                    "their texts are not known: the server has lost them, or hides them from our role");
        }
        if (workload.important().isEmpty()) {
            return;
        }
        try {
            IndexSession.use(planner(primary, database.name()), run.cancellation(), session -> {
                advise(session, database, workload, report);
                return true;
            });
        } catch (SQLException e) {
            run.cancellation().check();
            notEvaluated(database, String.valueOf(SqlStates.failure("plans", e).getMessage()));
        } catch (NightshiftException refused) {
            run.cancellation().check();
            if (refused.kind() == FailureKind.BUG) {
                throw refused;
            }
            notEvaluated(database, String.valueOf(refused.getMessage()));
        }
    }

    private Connection planner(ManagedNode primary, String database) {
        String planner = run.settings(IndexAnalysisSettings.class).planner();
        return planner == null
                ? primary.direct(database, run.purpose())
                : primary.direct(database, run.purpose(), new RuleLogin(planner, null));
    }

    private void advise(Connection session, AnalysedDatabase database, Workload workload, QueryReport report)
            throws SQLException {
        IndexAnalysisSettings settings = run.settings(IndexAnalysisSettings.class);
        Optional<String> doubt = settings.missing().trustFunctions() ? Optional.empty() : PlanTrust.doubt(session);
        if (doubt.isPresent()) {
            notEvaluated(
                    database,
                    doubt.get()
                            + ": planning calls functions of others with these rights\nHINT: set planner to a role that may only"
                            + " SELECT, or missing.trust-functions if that is all right");
            return;
        }
        List<PlannedQuery> planned = new ArrayList<>();
        var plans = new GenericPlans(session);
        for (Query query : workload.important()) {
            run.cancellation().check();
            GenericPlan plan = plans.plan(query);
            if (plan instanceof Planned found) {
                planned.add(new PlannedQuery(query, found.root()));
            } else if (plan instanceof PassedOver passedOver) {
                report.passedOver(database.name(), query, passedOver);
            }
        }
        report.plans(database.name(), planned, book.plans(run.cluster()));
        Instant now = report.at();
        book.keepPlans(
                run,
                planned.stream()
                        .map(one -> new KeptPlan(
                                one.query().name(),
                                one.plan().digest(),
                                one.plan().text(),
                                now,
                                now))
                        .toList());
        report.advice(MissingIndexes.find(
                IndexCatalogReader.read(session), planned, workload.nights(), settings.missing(), session));
    }

    private void notEvaluated(AnalysedDatabase database, String reason) {
        run.notEvaluated(new NotEvaluated(
                "plans of queries in database " + database.name(),
                reason,
                List.of(IndexAdvice.Kind.MISSING.keys(database.name()))));
    }
}
