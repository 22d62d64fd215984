package io.nightshift.jobs.integrity;

import io.nightshift.infra.damage.CheckFailure;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.postgres.Capability;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.Intent;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Severity;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/** Reads what the catalogs of the primary say of its schema and its sequences. It takes no time, and says what a copy cannot. */
final class JudgeCatalogsTasklet implements Tasklet {

    private static final String CHECKSUMS_OFF = Target.KEY + "checksums-off/";
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private final RunContext run;
    private final DatabaseOrchestrator clusters;

    JudgeCatalogsTasklet(RunContext run, DatabaseOrchestrator clusters) {
        this.run = run;
        this.clusters = clusters;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        if (run.dryRun()) {
            return RepeatStatus.FINISHED;
        }
        run.progress().begin("judge catalogs", null, "");
        ManagedCluster cluster = clusters.cluster(run.cluster());
        try {
            ManagedNode primary = cluster.node(Intent.PRIMARY);
            judgeChecksums(primary);
            Databases.of(primary, cluster, run).forEach(database -> judge(primary, database));
        } catch (NightshiftException unavailable) {
            if (unavailable.kind() != FailureKind.POSTGRES_UNAVAILABLE) {
                throw unavailable;
            }
            run.notEvaluated(new NotEvaluated(
                    "catalogs of cluster " + cluster.name(),
                    String.valueOf(unavailable.getMessage()),
                    Stream.concat(
                                    Stream.of(CHECKSUMS_OFF),
                                    Stream.of(CatalogCheck.values()).map(check -> Target.KEY + check + "/"))
                            .toList()));
        }
        return RepeatStatus.FINISHED;
    }

    /** Without them much damage is found by nothing. */
    private void judgeChecksums(ManagedNode primary) {
        primary.facts(run.purpose())
                .lack(Capability.DATA_CHECKSUMS)
                .ifPresent(lack -> run.report(new Finding(
                        CHECKSUMS_OFF + run.cluster(),
                        Severity.WARNING,
                        "cluster " + run.cluster(),
                        lack.fact() + ": a byte that a disk changes in a column without an index is found by nothing",
                        lack.remedy())));
    }

    private void judge(ManagedNode primary, String database) {
        List<String> all = new ArrayList<>();
        for (CatalogCheck check : CatalogCheck.values()) {
            all.add(check.keys(database));
        }
        try (CheckSession session = CheckSession.of(primary.direct(database, run.purpose()), run.cancellation())) {
            session.limit(LIMIT);
            for (CatalogCheck check : CatalogCheck.values()) {
                judge(session, check, database);
            }
        } catch (SQLException e) {
            run.cancellation().check();
            run.notEvaluated(new NotEvaluated("catalogs of database " + database, CheckFailure.message(e), all));
        } catch (NightshiftException refused) {
            if (refused.kind() != FailureKind.CONFIGURATION) {
                throw refused;
            }
            run.notEvaluated(
                    new NotEvaluated("catalogs of database " + database, String.valueOf(refused.getMessage()), all));
        }
    }

    private void judge(CheckSession session, CatalogCheck check, String database) throws SQLException {
        try {
            check.judge(session, database, run);
        } catch (SQLException e) {
            run.cancellation().check();
            if (CheckFailure.of(e) == CheckFailure.CONNECTION_LOST) {
                throw e;
            }
            run.notEvaluated(new NotEvaluated(
                    check + " in database " + database, CheckFailure.message(e), List.of(check.keys(database))));
        }
    }
}
