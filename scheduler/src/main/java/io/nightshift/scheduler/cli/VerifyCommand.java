package io.nightshift.scheduler.cli;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupVerifier;
import io.nightshift.infra.backup.Damage;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.backup.Verification;
import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.storage.Storage;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.ledger.Ledger;
import io.nightshift.scheduler.ledger.RunState;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "verify",
        description = {
            "Reads a backup back from each storage that holds it, every byte, and compares it with the server's manifest.",
            "Works from the storages alone."
        })
final class VerifyCommand implements Callable<Integer> {

    private static final int WORKERS = 2;

    /** What one storage's copy is worth. */
    private record Verdict(String storage, String state, long files, long bytes, List<String> damages) {}

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private NightshiftCommand top;

    @Parameters(paramLabel = "BACKUP", description = "its label, as nightshift backups shows it")
    private String label = "";

    @Override
    public Integer call() {
        Surroundings surroundings = top.surroundings();
        Configuration configuration = surroundings.configuration();
        StoredBackup backup = BackupList.of(surroundings, configuration, null).find(label);
        Cancellation cancellation = new Cancellation();
        top.onSignal(() -> cancellation.cancel("stopped by a signal, as Ctrl-C sends it"));
        Instant startedAt = surroundings.clock().instant();
        List<Verdict> verdicts = new ArrayList<>();
        for (Storage storage : BackupList.storagesOf(
                surroundings, configuration, backup.paths().cluster())) {
            verdicts.add(verdict(backup, storage, cancellation));
        }
        print(verdicts);
        Ledger.Outcome outcome = outcome(verdicts);
        new HistoryEntry("verify", backup.paths().cluster(), Map.of("backup", label), startedAt)
                .enter(top, surroundings, outcome);
        return outcome.exitStatus();
    }

    private Ledger.Outcome outcome(List<Verdict> verdicts) {
        List<Finding> findings = verdicts.stream()
                .flatMap(verdict -> verdict.damages().stream()
                        .map(damage -> new Finding(
                                "verify/" + label + "/" + verdict.storage() + "/" + damage,
                                Severity.CRITICAL,
                                "backup " + label + " in storage " + verdict.storage(),
                                damage,
                                "keep the other copies; take a new full backup")))
                .toList();
        String summary = verdicts.stream()
                .map(verdict -> "storage " + verdict.storage() + " " + verdict.state())
                .collect(Collectors.joining(", ", "backup " + label + " read back: ", ""));
        JobReport report = new JobReport(summary, List.of(), findings, List.of(), List.of());
        return new Ledger.Outcome(RunState.COMPLETED, null, report.exitStatus(), report);
    }

    @SuppressWarnings("try") // the watch is for closing only
    private Verdict verdict(StoredBackup backup, Storage storage, Cancellation cancellation) {
        StoredBackup.Copy copy = backup.copies().get(storage.name());
        Optional<BackupDocument> document = backup.document();
        if (copy == null || document.isEmpty() || copy.state() == StoredBackup.State.MISSING) {
            String why = copy == null ? "not looked at" : copy.reason();
            return new Verdict(
                    storage.name(),
                    copy == null ? "unknown" : copy.state().name().toLowerCase(Locale.ROOT),
                    0,
                    0,
                    List.of(why));
        }
        Progress progress = new Progress();
        try (ProgressWatch watch = new ProgressWatch(top, () -> Optional.of(progress.snapshot()))) {
            Verification found = new BackupVerifier(WORKERS).verify(storage, document.get(), progress, cancellation);
            List<String> damages = new ArrayList<>(
                    found.damages().stream().map(Damage::toString).toList());
            if (copy.state() == StoredBackup.State.DAMAGED) {
                damages.add(0, copy.reason());
            }
            return new Verdict(
                    storage.name(), damages.isEmpty() ? "ok" : "damaged", found.files(), found.storedBytes(), damages);
        }
    }

    private void print(List<Verdict> verdicts) {
        if (top.isJson()) {
            Map<String, Object> document = new LinkedHashMap<>();
            document.put("label", label);
            document.put("storages", verdicts);
            top.print(document);
            return;
        }
        for (Verdict verdict : verdicts) {
            top.out()
                    .println("storage " + verdict.storage() + ": " + verdict.state() + ", "
                            + Arguments.bytes(verdict.bytes()) + " read back, "
                            + String.format(Locale.ROOT, "%,d", verdict.files())
                            + " files equal to the manifest");
            verdict.damages().forEach(damage -> top.out().println("  " + damage));
        }
    }
}
