package io.nightshift.jobs.health;

import io.nightshift.infra.backup.BackupCatalog;
import io.nightshift.infra.backup.Proofs;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.storage.ClusterStorages;
import io.nightshift.infra.storage.Storage;
import java.time.Clock;
import java.util.List;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/** Looks in the storages whether the cluster's backups were proven by restoring one. A cluster without backups is none of it. */
final class CheckProofTasklet implements Tasklet {

    private final RunContext run;
    private final ClusterStorages storages;
    private final Clock clock;

    CheckProofTasklet(RunContext run, ClusterStorages storages, Clock clock) {
        this.run = run;
        this.storages = storages;
        this.clock = clock;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        List<Storage> places = storages.forReading(run.cluster());
        if (run.dryRun() || places.isEmpty()) {
            return RepeatStatus.FINISHED;
        }
        try {
            List<StoredBackup> backups = new BackupCatalog(places).backups(run.cluster());
            if (!backups.isEmpty()) {
                ProofState.of(Proofs.of(backups), clock.instant(), run.cluster())
                        .ifPresent(run::report);
            }
        } catch (NightshiftException failed) {
            if (failed.kind() != FailureKind.STORAGE_UNAVAILABLE) {
                throw failed;
            }
            run.notEvaluated(new NotEvaluated(
                    "restore tests of cluster " + run.cluster(),
                    String.valueOf(failed.getMessage()),
                    List.of(ProofState.KEY)));
        }
        return RepeatStatus.FINISHED;
    }
}
