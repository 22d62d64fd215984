package io.nightshift.jobs.proof;

import io.nightshift.infra.backup.ProofNote;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.backup.StoredBackup.State;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.storage.ClusterStorages;
import io.nightshift.infra.storage.Storage;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/** Reports what the test has shown, and notes it in every storage that holds the backup. */
final class WriteProofTasklet implements Tasklet {

    private final RunContext run;
    private final TestedCopies tested;
    private final ClusterStorages storages;
    private final Clock clock;

    WriteProofTasklet(RunContext run, TestedCopies tested, ClusterStorages storages, Clock clock) {
        this.run = run;
        this.tested = tested;
        this.storages = storages;
        this.clock = clock;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        tested.of(run.id()).ifPresent(this::write);
        return RepeatStatus.FINISHED;
    }

    private void write(TestedCopy test) {
        run.progress().begin("write the proof", null, "");
        List<Finding> findings = RestoreTestReport.findings(test, run.cluster());
        findings.forEach(run::report);
        test.result().notEvaluated().forEach(run::notEvaluated);
        RestoreTestReport.checked(run, test, findings.size());
        run.checkOwnership();
        keep(test.chosen().plan().backup(), note(test, findings));
    }

    private ProofNote note(TestedCopy test, List<Finding> findings) {
        TestedCopy.@Nullable Opened opened = test.opened();
        CheckResult result = test.result();
        return new ProofNote(
                ProofNote.FORMAT_VERSION,
                test.chosen().label(),
                run.id(),
                clock.instant(),
                test.chosen().chain().size(),
                opened == null ? null : opened.took().toMillis() / 1000.0,
                opened == null ? null : opened.reached().location(),
                opened == null ? null : opened.reached().at(),
                opened == null ? null : opened.loss().time().toMillis() / 1000.0,
                opened == null ? null : opened.loss().bytes(),
                result.tables(),
                result.indexes(),
                result.assertions(),
                result.compared(),
                result.reachedAll(),
                result.notEvaluated().stream()
                        .map(gap -> gap.subject() + ": " + gap.reason())
                        .toList(),
                findings.size(),
                findings.stream()
                        .map(finding -> finding.subject() + ": " + finding.detail())
                        .toList());
    }

    /** One storage that takes the note is enough. */
    private void keep(StoredBackup backup, ProofNote note) {
        List<NightshiftException> failures = new ArrayList<>();
        int kept = 0;
        for (Storage storage : storages.forReading(run.cluster())) {
            StoredBackup.Copy copy = backup.copies().get(storage.name());
            if (copy == null || (copy.state() != State.OK && copy.state() != State.DAMAGED)) {
                continue;
            }
            try {
                note.write(storage, backup.paths());
                kept++;
            } catch (NightshiftException failed) {
                failures.add(failed);
                run.notEvaluated(new NotEvaluated(
                        "storage " + storage.name(), "the proof is not kept there: " + failed.getMessage()));
            }
        }
        if (kept == 0 && !failures.isEmpty()) {
            throw failures.get(0);
        }
    }
}
