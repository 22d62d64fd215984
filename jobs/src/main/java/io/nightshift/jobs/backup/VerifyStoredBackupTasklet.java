package io.nightshift.jobs.backup;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupVerifier;
import io.nightshift.infra.backup.NewBackup;
import io.nightshift.infra.backup.Verification;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.storage.ClusterStorages;
import io.nightshift.infra.storage.Storage;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/**
 * Reads the new backup back from every required storage and compares it with the server's manifest. One that is damaged
 * is deleted, so that a restart takes another; one that was found whole is not read again.
 */
final class VerifyStoredBackupTasklet implements Tasklet {

    /** All processors, as long as their memory stays small: each worker has about 8 MiB. */
    private static final int WORKERS =
            Math.max(2, Math.min(8, Runtime.getRuntime().availableProcessors()));

    private static final String VERIFIED = "verified backup";

    private final RunContext run;
    private final ClusterStorages storages;
    private final Clock clock;

    VerifyStoredBackupTasklet(RunContext run, ClusterStorages storages, Clock clock) {
        this.run = run;
        this.storages = storages;
        this.clock = clock;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        if (run.dryRun()) {
            return RepeatStatus.FINISHED;
        }
        BackupDocument document = WrittenBackup.recall(run);
        String label = document.label().toString();
        if (run.recall(VERIFIED).filter(label::equals).isPresent()) {
            return RepeatStatus.FINISHED;
        }
        BackupVerifier verifier = new BackupVerifier(WORKERS);
        List<Verification> damaged = new ArrayList<>();
        for (Storage storage : storages.forWriting(run.cluster()).storages()) {
            Instant began = clock.instant();
            Verification verification = verifier.verify(storage, document, run.progress(), run.cancellation());
            BackupReport.verified(run, document, verification, Duration.between(began, clock.instant()));
            if (!verification.isSound()) {
                damaged.add(verification);
            }
        }
        if (!damaged.isEmpty()) {
            giveUp(document);
            throw damaged(document, damaged);
        }
        run.remember(VERIFIED, label);
        return RepeatStatus.FINISHED;
    }

    /** The report keeps what was found. The bytes are worth nothing, and a disk that is full of them helps nobody. */
    private void giveUp(BackupDocument document) {
        run.checkOwnership();
        WrittenBackup.forget(run);
        NewBackup.discard(storages.forWriting(run.cluster()), document.paths(), document.label());
    }

    private static NightshiftException damaged(BackupDocument document, List<Verification> damaged) {
        return new NightshiftException(
                FailureKind.DATA_DAMAGED,
                "backup " + document.label() + " reads back with damage from "
                        + damaged.stream()
                                .map(verification -> "storage " + verification.storage() + " ("
                                        + verification.damages().size() + ", the first: "
                                        + verification.damages().get(0) + ")")
                                .collect(Collectors.joining(" and from ")),
                "nobody has seen the backup and it is given up; look after the storage's disk, then run the job again");
    }
}
