package io.nightshift.jobs.proof;

import io.nightshift.infra.backup.BackupCatalog;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.Restorability;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.restore.RestorePlan;
import io.nightshift.infra.restore.RestoreTarget;
import io.nightshift.infra.restore.RestoreTimeline;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.storage.ClusterStorages;
import io.nightshift.infra.storage.Storage;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/**
 * Reads the rows of the source, if that is asked for, and lets the copy recover to exactly the place where they were like
 * that: waits until the WAL up to there is archived.
 */
final class FingerprintSourceTasklet implements Tasklet {

    private static final long ARCHIVE_LIMIT_SECONDS = 120;

    private final RunContext run;
    private final TestedCopies tested;
    private final DatabaseOrchestrator clusters;
    private final ClusterStorages storages;

    FingerprintSourceTasklet(
            RunContext run, TestedCopies tested, DatabaseOrchestrator clusters, ClusterStorages storages) {
        this.run = run;
        this.tested = tested;
        this.clusters = clusters;
        this.storages = storages;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        RestoreTestSettings settings = run.settings(RestoreTestSettings.class);
        Duration limit = settings.digestLimit();
        if (limit != null) {
            tested.of(run.id()).ifPresent(test -> read(test, settings, new CheckTime(limit)));
        }
        return RepeatStatus.FINISHED;
    }

    private void read(TestedCopy test, RestoreTestSettings settings, CheckTime time) {
        ManagedCluster cluster = clusters.cluster(run.cluster());
        var reader = new SourceReader(cluster, run, time);
        ChosenBackup chosen = test.chosen();
        try {
            if (reader.hasStandby()) {
                Fingerprint fingerprint =
                        reader.ofStandby(chosen.plan().document().systemIdentifier());
                await(test, fingerprint);
            } else if (settings.closedRanges().isEmpty()) {
                notCompared("the cluster has no standby that answers, and the settings name no closed-ranges");
            } else {
                test.compareWith(reader.ofClosedRanges(settings.closedRanges()), chosen);
            }
        } catch (SQLException | NightshiftException failed) {
            run.cancellation().check();
            notCompared(SourceReader.reason(failed));
        }
    }

    private void notCompared(String reason) {
        run.notEvaluated(
                new NotEvaluated("rows, compared with the source", reason, List.of(RestoreTestReport.KEY + "rows/")));
    }

    private void await(TestedCopy test, Fingerprint fingerprint) {
        Fingerprint.Point point = fingerprint.at();
        if (point == null) {
            return;
        }
        Lsn begin = test.chosen().plan().document().endLsn();
        if (point.location().isBefore(begin)) {
            notCompared("the standby has replayed up to " + point.location() + ", and the backup ends at " + begin);
            return;
        }
        run.progress().begin("wait for the archive of " + point.location(), null, "");
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(ARCHIVE_LIMIT_SECONDS);
        while (true) {
            run.cancellation().check();
            RestorableCluster seen = seen(test.chosen());
            Optional<Restorability.Window> window = seen.restorability().newest();
            Optional<RestorePlan> plan = window.map(Restorability.Window::to)
                    .filter(end -> !end.isBefore(point.location()))
                    .flatMap(end -> plan(seen, test.chosen(), point.location(), end));
            if (plan.isPresent()) {
                if (!plan.get().lineage().present().equals(point.timeline())) {
                    notCompared("the standby follows timeline " + point.timeline() + ", the archive goes on to "
                            + plan.get().lineage().present());
                    return;
                }
                test.compareWith(
                        fingerprint,
                        test.chosen()
                                .to(
                                        seen,
                                        plan.get(),
                                        ChosenBackup.end(test.chosen().plan())));
                return;
            }
            if (System.nanoTime() - deadline > 0) {
                notCompared("the standby was read at " + point.location() + ", and the archive has not come to there"
                        + " within " + ARCHIVE_LIMIT_SECONDS + " s"
                        + window.map(there -> ": it ends at " + there.to()).orElse(""));
                return;
            }
            LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(2));
        }
    }

    /** As the storages are now: the archive has gone on. */
    private RestorableCluster seen(ChosenBackup chosen) {
        List<Storage> places = storages.forReading(run.cluster());
        List<StoredBackup> backups = new BackupCatalog(places).backups(run.cluster());
        return RestorableCluster.of(
                run.cluster(), places, backups, chosen.plan().backup());
    }

    /**
     * To exactly there. A location that a standby has replayed is the end of a record: recovery stops before the next one,
     * or, where there is none, at the end of the archive. Empty where that is not certain yet.
     */
    private static Optional<RestorePlan> plan(RestorableCluster seen, ChosenBackup chosen, Lsn location, Lsn end) {
        RestoreTarget target =
                location.equals(end) ? new RestoreTarget.Latest() : new RestoreTarget.AtLsn(location, false);
        try {
            return Optional.of(seen.plan(chosen.plan().backup(), target, new RestoreTimeline.Latest()));
        } catch (NightshiftException notYet) {
            if (notYet.kind() != FailureKind.REFUSED) {
                throw notYet;
            }
            return Optional.empty();
        }
    }
}
