package io.nightshift.scheduler.cli;

import io.nightshift.infra.restore.InertSession;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.restore.Restore;
import io.nightshift.infra.restore.RestorePlan;
import io.nightshift.infra.restore.Restored;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.server.PostgresServer;
import io.nightshift.infra.server.SharedServer;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.ledger.Ledger;
import io.nightshift.scheduler.ledger.RunState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The part of {@code restore} that writes a data directory. */
record RestoredDirectory(
        NightshiftCommand top,
        Surroundings surroundings,
        RestorableCluster source,
        RestorePlan plan,
        RestorePlan.Action action,
        Restore.Destination destination) {

    private static final int WORKERS = 2;

    int call() {
        Restore restore = new Restore(source.chain(plan), plan, action, source.wal(), destination);
        return ForegroundWork.begin(
                        top, surroundings, "restore", plan.document().cluster(), settings())
                .run(
                        (progress, cancellation) -> isControlDatabase(surroundings, directory())
                                ? controlDatabase(restore, progress, cancellation)
                                : restore.run(WORKERS, progress, cancellation),
                        this::conclude);
    }

    /**
     * Nobody uses it meanwhile. The old password is worth nothing, and would hide that what comes back needs a new one; and who
     * opens it must know that what ran when it was backed up runs no more.
     */
    @SuppressWarnings("try") // the claim is held, not used
    private Restored controlDatabase(Restore restore, Progress progress, Cancellation cancellation) {
        try (SharedServer.Unused claim =
                SharedServer.claimUnused(surroundings.home().controlDatabase())) {
            PostgresServer.forgetPassword(directory());
            ControlDatabase.markRestored(surroundings.home());
            return restore.run(WORKERS, progress, cancellation);
        }
    }

    /** Whether a data directory is that of the embedded control database, by whatever name. */
    static boolean isControlDatabase(Surroundings surroundings, Path directory) {
        Path control = SharedServer.dataDirectory(surroundings.home().controlDatabase());
        return real(directory).equals(real(control));
    }

    private static Path real(Path directory) {
        Path absolute = directory.toAbsolutePath().normalize();
        Path parent = absolute.getParent();
        try {
            return Files.exists(absolute) || parent == null
                    ? absolute.toRealPath()
                    : parent.toRealPath().resolve(absolute.getFileName());
        } catch (IOException notThere) {
            return absolute;
        }
    }

    private Path directory() {
        return destination.directory();
    }

    private Map<String, Object> settings() {
        Map<String, Object> settings = new LinkedHashMap<>();
        settings.put("backup", plan.document().label().toString());
        settings.put("target", plan.target().toString());
        settings.put("to", directory().toString());
        return settings;
    }

    private Ledger.Outcome conclude(Restored restored, Duration took) {
        ForegroundWork.keep(top, surroundings, restored.throughput());
        print(restored, took);
        List<Figure> figures = List.of(
                new Figure("files", restored.files(), "files"),
                new Figure("files that were there already", restored.reused(), "files"),
                new Figure("bytes", restored.bytes(), "bytes"),
                new Figure("WAL fetched", plan.walBytes(), "bytes"),
                new Figure("restored in", took.toMillis() / 1000.0, "s"));
        JobReport report = new JobReport(
                summary(restored, took), figures, RestoreText.findings(plan, restored), List.of(), List.of());
        return new Ledger.Outcome(RunState.COMPLETED, null, report.exitStatus(), report);
    }

    private String summary(Restored restored, Duration took) {
        double seconds = Math.max(0.001, took.toMillis() / 1000.0);
        return "restored " + plan.document().label() + " for " + plan.target() + ": "
                + String.format(Locale.ROOT, "%,d files, ", restored.files()) + Arguments.bytes(restored.bytes())
                + (plan.wal().steps().isEmpty() ? "" : " and " + Arguments.bytes(plan.walBytes()) + " of WAL") + " in "
                + RunText.duration(took) + " (" + Arguments.bytes((long) (restored.bytes() / seconds)) + "/s) from "
                + String.join(" and ", restored.storages());
    }

    private void print(Restored restored, Duration took) {
        RestoreText.complain(top, restored);
        if (top.isJson()) {
            Map<String, Object> document = RestoreText.json(plan);
            document.put("directory", directory().toString());
            document.put("files", restored.files());
            document.put("reusedFiles", restored.reused());
            document.put("restoredBytes", restored.bytes());
            document.put("port", restored.port());
            document.put("seconds", took.toMillis() / 1000.0);
            document.put("storages", restored.storages());
            document.put("complaints", restored.complaints());
            document.put("notes", restored.notes());
            document.put("checklist", restored.checklist());
            top.print(document);
            return;
        }
        top.out().println(summary(restored, took));
        plan.notes().forEach(note -> top.out().println("  " + note));
        restored.notes().forEach(note -> top.out().println("  " + note));
        if (!restored.checklist().isEmpty()) {
            top.out().println("Before it takes the source's place:");
            restored.checklist().forEach(line -> top.out().println("  [ ] " + line));
        }
        if (isControlDatabase(surroundings, directory())) {
            top.out().println("Next: nightshift catalog rebuild, which starts it, for the runs since the backup");
            return;
        }
        top.out().println("Next: pg_ctl -D " + directory() + " -l " + directory() + "/log start");
        if (restored.port() > 0) {
            top.out()
                    .println("      PGOPTIONS='"
                            + InertSession.options(plan.document().major())
                            + "' psql -h " + directory() + " -p " + restored.port() + " -U postgres");
        }
    }
}
