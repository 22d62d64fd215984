package io.nightshift.scheduler.cli;

import io.nightshift.infra.postgres.TableName;
import io.nightshift.infra.restore.Extracted;
import io.nightshift.infra.restore.ExtractedFile;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.restore.RestorePlan;
import io.nightshift.infra.restore.TableRestore;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.server.PgDump;
import io.nightshift.infra.server.PostgresBinaries;
import io.nightshift.infra.server.ServerBinaries;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.ledger.Ledger;
import io.nightshift.scheduler.ledger.RunState;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** The part of {@code restore} that writes tables, or a database, into files. */
record RestoredTables(
        NightshiftCommand top,
        Surroundings surroundings,
        RestorableCluster source,
        RestorePlan plan,
        TableRestore.Wanted wanted,
        Path directory) {

    private static final int WORKERS = 2;

    int call() {
        int major = plan.document().major();
        PostgresBinaries binaries = ServerBinaries.ofThisMachine(
                        surroundings.home().binaries())
                .find(major)
                .orElseGet(() -> PostgresBinaries.installed(major));
        var restore = new TableRestore(source.chain(plan), plan, source.wal(), binaries, PgDump.find(major));
        return ForegroundWork.begin(
                        top, surroundings, "restore", plan.document().cluster(), settings())
                .run(
                        (progress, cancellation) -> restore.run(wanted, directory, WORKERS, progress, cancellation),
                        this::conclude);
    }

    private Ledger.Outcome conclude(Extracted extracted, Duration took) {
        ForegroundWork.keep(top, surroundings, extracted.restored().throughput());
        ForegroundWork.keep(top, surroundings, extracted.replay());
        print(extracted, took);
        return outcome(extracted, took);
    }

    private Map<String, Object> settings() {
        Map<String, Object> settings = new LinkedHashMap<>();
        settings.put("backup", plan.document().label().toString());
        settings.put("target", plan.target().toString());
        settings.put("to", directory.toString());
        if (wanted.database() != null) {
            settings.put("database", wanted.database());
        }
        if (!wanted.tables().isEmpty()) {
            settings.put("table", tables());
        }
        return settings;
    }

    private String tables() {
        return wanted.tables().stream().map(TableName::toString).collect(Collectors.joining(","));
    }

    private Ledger.Outcome outcome(Extracted extracted, Duration took) {
        List<Figure> figures = List.of(
                new Figure("files", extracted.files().size(), "files"),
                new Figure("bytes", bytes(extracted), "bytes"),
                new Figure("cluster restored for it", extracted.restored().bytes(), "bytes"),
                new Figure("restored in", took.toMillis() / 1000.0, "s"));
        JobReport report = new JobReport(
                summary(extracted, took),
                figures,
                RestoreText.findings(plan, extracted.restored()),
                List.of(),
                List.of());
        return new Ledger.Outcome(RunState.COMPLETED, null, report.exitStatus(), report);
    }

    private static long bytes(Extracted extracted) {
        return extracted.files().stream()
                .mapToLong(file -> file.file().toFile().length())
                .sum();
    }

    private String summary(Extracted extracted, Duration took) {
        String what = wanted.tables().isEmpty()
                ? "database " + extracted.database()
                : wanted.tables().size() == 1
                        ? "table " + tables() + " of database " + extracted.database()
                        : wanted.tables().size() + " tables of database " + extracted.database();
        return "restored " + what + " from " + plan.document().label() + " for " + plan.target() + " "
                + extracted.way() + ": "
                + Arguments.bytes(bytes(extracted)) + " in " + RunText.duration(took) + " from "
                + String.join(" and ", extracted.restored().storages());
    }

    private void print(Extracted extracted, Duration took) {
        RestoreText.complain(top, extracted.restored());
        List<String> notes = new ArrayList<>(plan.notes());
        notes.addAll(extracted.notes());
        if (top.isJson()) {
            Map<String, Object> document = RestoreText.json(plan);
            document.put("directory", directory.toString());
            document.put("database", extracted.database());
            document.put("by", extracted.dumped() ? "pg_dump" : "copy");
            document.put("way", extracted.way());
            document.put(
                    "files",
                    extracted.files().stream().map(RestoredTables::json).toList());
            document.put("seconds", took.toMillis() / 1000.0);
            document.put("storages", extracted.restored().storages());
            document.put("complaints", extracted.restored().complaints());
            document.put("notes", notes);
            top.print(document);
            return;
        }
        top.out().println(summary(extracted, took));
        for (ExtractedFile file : extracted.files()) {
            top.out()
                    .println("  " + file.file() + ": "
                            + (file.tables().isEmpty() ? "all of it" : String.join(", ", file.tables()))
                            + (file.rows() < 0 ? "" : String.format(Locale.ROOT, ", %,d rows", file.rows())));
        }
        notes.forEach(note -> top.out().println("  " + note));
        top.out()
                .println(
                        extracted.dumped()
                                ? "Next: pg_restore -d DATABASE "
                                        + extracted.files().get(0).file()
                                : "Next: cd " + directory
                                        + " && psql -X -v ON_ERROR_STOP=1 -1 -d DATABASE -f load.sql");
    }

    private static Map<String, Object> json(ExtractedFile file) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("path", file.file().toString());
        json.put("bytes", file.file().toFile().length());
        json.put("tables", file.tables());
        if (file.rows() >= 0) {
            json.put("rows", file.rows());
        }
        return json;
    }
}
