package io.nightshift.scheduler.cli;

import io.nightshift.infra.backup.BackupCopy;
import io.nightshift.infra.backup.BackupVerifier;
import io.nightshift.infra.backup.Damage;
import io.nightshift.infra.backup.Verification;
import io.nightshift.infra.backup.VerificationNote;
import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.Throughput;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.NotEvaluated;
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
            "Reads a backup back from each storage that holds it, every byte, and compares it with backup.json and the"
                    + " server's manifest; looks into its WAL and pg_control. Names damage by object, bytes and file.",
            "Works from the storages alone, and keeps the verdict beside the backup, for nightshift backups to show.",
            "Exit status: 0 sound, 3 damaged, 5 a storage does not answer."
        })
final class VerifyCommand implements Callable<Integer> {

    private static final int WORKERS = 2;

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private NightshiftCommand top;

    @Parameters(paramLabel = "BACKUP", description = "its label, as nightshift backups shows it")
    private String label = "";

    @Override
    public Integer call() {
        Surroundings surroundings = top.surroundings();
        Configuration configuration = surroundings.configuration();
        BackupSearch search = BackupSearch.of(surroundings, configuration, label);
        Cancellation cancellation = new Cancellation();
        top.onSignal(() -> cancellation.cancel("stopped by a signal, as Ctrl-C sends it"));
        Instant startedAt = surroundings.clock().instant();
        List<Verdict> verdicts = new ArrayList<>();
        for (Storage storage : search.storages()) {
            verdicts.add(verdict(search, storage, cancellation, surroundings));
        }
        String remedy = Verdict.remedy(verdicts, search.cluster());
        print(verdicts, remedy);
        Ledger.Outcome outcome = outcome(verdicts, remedy);
        new HistoryEntry("verify", search.cluster(), Map.of("backup", label), startedAt)
                .enter(top, surroundings, outcome);
        return outcome.exitStatus();
    }

    private Verdict verdict(
            BackupSearch search, Storage storage, Cancellation cancellation, Surroundings surroundings) {
        NightshiftException away = search.failures().get(storage.name());
        if (away != null) {
            return Verdict.unknown(storage.name(), away);
        }
        BackupCopy copy = search.copies().get(storage.name());
        if (copy == null) {
            return Verdict.missing(storage.name());
        }
        try {
            Verification found = verify(copy, search, cancellation);
            if (copy.isPublished()) {
                keep(copy, found, surroundings);
            }
            return Verdict.of(found, search.isBackup());
        } catch (NightshiftException failed) {
            if (failed.kind() != FailureKind.STORAGE_UNAVAILABLE) {
                throw failed;
            }
            return Verdict.unknown(storage.name(), failed);
        }
    }

    @SuppressWarnings("try") // the watch is for closing only
    private Verification verify(BackupCopy copy, BackupSearch search, Cancellation cancellation) {
        Progress progress = new Progress();
        long begun = System.nanoTime();
        try (ProgressWatch watch = new ProgressWatch(top, () -> Optional.of(progress.snapshot()))) {
            Verification found = new BackupVerifier(WORKERS)
                    .verify(copy, List.copyOf(search.copies().values()), progress, cancellation);
            if (found.isSound()) {
                copy.document()
                        .ifPresent(document -> ForegroundWork.keep(
                                top,
                                top.surroundings(),
                                Throughput.since(begun, Throughput.Work.VERIFICATION, document.bytes())));
            }
            return found;
        }
    }

    /** What cannot be kept was found all the same. */
    private void keep(BackupCopy copy, Verification found, Surroundings surroundings) {
        try {
            VerificationNote.write(
                    copy.storage(), copy.paths(), found, surroundings.clock().instant());
        } catch (NightshiftException failed) {
            top.err()
                    .println("nightshift: the verdict is not kept in storage "
                            + copy.storage().name() + ": " + failed.explained());
        }
    }

    private Ledger.Outcome outcome(List<Verdict> verdicts, String remedy) {
        List<Finding> findings = verdicts.stream()
                .filter(verdict -> !verdict.isUnknown())
                .flatMap(verdict -> verdict.damages().stream()
                        .map(damage -> new Finding(
                                "verify/" + label + "/" + verdict.storage() + "/" + damage,
                                Severity.CRITICAL,
                                "backup " + label + " in storage " + verdict.storage(),
                                damage,
                                remedy)))
                .collect(Collectors.toCollection(ArrayList::new));
        verdicts.forEach(verdict -> verdict.remarks()
                .forEach(remark -> findings.add(new Finding(
                        "verify/" + label + "/" + verdict.storage() + "/" + remark,
                        Severity.WARNING,
                        "backup " + label + " in storage " + verdict.storage(),
                        remark,
                        "look after the disk of storage " + verdict.storage()))));
        List<NotEvaluated> unknown = verdicts.stream()
                .filter(Verdict::isUnknown)
                .map(verdict -> new NotEvaluated(
                        "storage " + verdict.storage(), verdict.damages().get(0)))
                .toList();
        String summary = verdicts.stream()
                .map(verdict -> "storage " + verdict.storage() + " " + verdict.state())
                .collect(Collectors.joining(", ", "backup " + label + " read back: ", ""));
        JobReport report = new JobReport(summary, List.of(), findings, unknown, List.of());
        int exitStatus = findings.isEmpty() && !unknown.isEmpty()
                ? FailureKind.STORAGE_UNAVAILABLE.exitStatus()
                : report.exitStatus();
        return new Ledger.Outcome(RunState.COMPLETED, null, exitStatus, report);
    }

    private void print(List<Verdict> verdicts, String remedy) {
        if (top.isJson()) {
            Map<String, Object> document = new LinkedHashMap<>();
            document.put("label", label);
            document.put("storages", verdicts);
            document.put("remedy", remedy);
            top.print(document);
            return;
        }
        for (Verdict verdict : verdicts) {
            top.out().println("storage " + verdict.storage() + ": " + verdict.text());
            verdict.damages().forEach(damage -> top.out().println("  " + damage));
            verdict.remarks().forEach(remark -> top.out().println("  " + remark));
        }
        if (!remedy.isEmpty()) {
            top.out().println("HINT: " + remedy);
        }
    }

    /**
     * What one storage's copy is worth.
     *
     * @param state ok, damaged, missing, unknown, or incomplete: no storage has a backup.json, so it is no backup
     * @param remarks what does no harm to a restore
     */
    private record Verdict(
            String storage, String state, long files, long bytes, List<String> damages, List<String> remarks) {

        Verdict(String storage, String state, long files, long bytes, List<String> damages) {
            this(storage, state, files, bytes, damages, List.of());
        }

        static Verdict of(Verification found, boolean isBackup) {
            return new Verdict(
                    found.storage(),
                    !isBackup ? "incomplete" : found.isSound() ? "ok" : "damaged",
                    found.files(),
                    found.storedBytes(),
                    found.damages().stream().map(Damage::toString).toList(),
                    found.digestDamages().stream()
                            .map(damage -> damage + ": it can be restored, but not built on from there")
                            .toList());
        }

        static Verdict missing(String storage) {
            return new Verdict(storage, "missing", 0, 0, List.of("no objects"));
        }

        static Verdict unknown(String storage, NightshiftException away) {
            return new Verdict(storage, "unknown", 0, 0, List.of(String.valueOf(away.getMessage())));
        }

        boolean isUnknown() {
            return state.equals("unknown");
        }

        String text() {
            if (isUnknown() || state.equals("missing")) {
                return state;
            }
            String what = state.equals("incomplete") ? "not a backup, no storage has its backup.json" : state;
            return what + ", " + Arguments.bytes(bytes) + " read back, " + String.format(Locale.ROOT, "%,d", files)
                    + " files equal to the manifest";
        }

        /** What to do now; "" if nothing. */
        static String remedy(List<Verdict> verdicts, String cluster) {
            if (verdicts.stream().allMatch(verdict -> verdict.state().equals("ok"))) {
                return "";
            }
            List<String> bad = storages(verdicts, "damaged");
            List<String> good = storages(verdicts, "ok");
            if (verdicts.stream().anyMatch(verdict -> verdict.state().equals("incomplete"))) {
                return "it is still being written, or its writer died; nightshift history shows whether a run is at it."
                        + " Do not restore from it; nightshift backups lists what can be";
            }
            if (!bad.isEmpty()) {
                return (good.isEmpty()
                                ? "no sound copy was read: take a new full backup now with nightshift run full-backup"
                                        + " --cluster " + cluster + ", and delete nothing older before it has ended"
                                : "restore from storage " + good.get(0) + ", whose copy is sound")
                        + "; look after the disk of storage " + String.join(" and ", bad);
            }
            List<String> away = storages(verdicts, "unknown");
            return away.isEmpty()
                    ? "this backup lies in storage " + String.join(" and ", good) + " only"
                    : "see why storage " + String.join(" and ", away) + " does not answer, then verify again";
        }

        private static List<String> storages(List<Verdict> verdicts, String state) {
            return verdicts.stream()
                    .filter(verdict -> verdict.state().equals(state))
                    .map(Verdict::storage)
                    .toList();
        }
    }
}
