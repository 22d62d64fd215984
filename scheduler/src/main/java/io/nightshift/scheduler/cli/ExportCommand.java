package io.nightshift.scheduler.cli;

import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.BackupCopies;
import io.nightshift.infra.restore.Exported;
import io.nightshift.infra.restore.PlainExport;
import io.nightshift.infra.restore.SingleFile;
import io.nightshift.infra.restore.TarExport;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.run.Severity;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.ledger.Ledger;
import io.nightshift.scheduler.ledger.RunState;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "export",
        description = {
            "Writes a full backup in PostgreSQL's own formats, compared with the server's manifest on the way. Works from the"
                    + " storages alone; what is damaged in one is read from another.",
            "A plain export is a data directory for pg_verifybackup, pg_combinebackup (17 and newer) and a server. It has the"
                    + " settings of the source, postgresql.auto.conf too: a server started on it archives and preloads what"
                    + " they say. A standby's standby.signal is left out.",
            "A directory that an export did not finish has no backup_manifest and no server starts on it."
        })
final class ExportCommand implements Callable<Integer> {

    private static final String STANDARD_OUTPUT = "-";
    private static final int WORKERS = 2;

    enum Format {
        PLAIN,
        TAR
    }

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private NightshiftCommand top;

    @Parameters(paramLabel = "BACKUP", description = "its label, as nightshift backups shows it")
    private String label = "";

    @Option(
            names = "--to",
            paramLabel = "DIR",
            required = true,
            description = "a directory that is absent or empty; with --single-file any, or - for standard output")
    private String to = "";

    @Option(
            names = "--format",
            paramLabel = "plain|tar",
            description =
                    "plain (the default): a data directory; tar: base.tar.zst, <oid>.tar.zst and backup_manifest, for"
                            + " tar, zstd and pg_verifybackup 18")
    private @Nullable Format format;

    @Option(
            names = "--tablespace",
            paramLabel = "OID=DIR",
            description =
                    "where a tablespace goes that lay outside the data directory, absolute; absent or empty; once for"
                            + " each of them")
    private Map<String, Path> tablespaces = new LinkedHashMap<>();

    @Option(
            names = "--single-file",
            paramLabel = "PATH",
            description = "only this file, with its path as in backup_manifest, such as base/5/2619 or"
                    + " pg_tblspc/16575/PG_18_202506291/5/1; reads little more than the file")
    private @Nullable String singleFile;

    @Override
    public Integer call() {
        requireSensible();
        Surroundings surroundings = top.surroundings();
        Configuration configuration = surroundings.configuration();
        StoredBackup backup = BackupList.of(surroundings, configuration, null).find(label);
        BackupCopies copies = BackupCopies.of(
                backup,
                BackupList.storagesOf(
                        surroundings, configuration, backup.paths().cluster()));
        return ForegroundWork.begin(top, surroundings, "export", backup.paths().cluster(), settings())
                .run((progress, cancellation) -> export(copies, progress, cancellation), (exported, took) -> {
                    print(exported, took);
                    return outcome(exported, took);
                });
    }

    private void requireSensible() {
        if (singleFile != null && (format != null || !tablespaces.isEmpty())) {
            throw usage("--single-file writes the file as it is", "leave --format and --tablespace out");
        }
        if (to.equals(STANDARD_OUTPUT) && (singleFile == null || top.isJson())) {
            throw usage(
                    singleFile == null
                            ? "only a single file can go to standard output"
                            : "--to - and --output json both want standard output",
                    "give a directory with --to");
        }
        if (!to.equals(STANDARD_OUTPUT)) {
            directory();
        }
        if (format == Format.TAR && !tablespaces.isEmpty()) {
            throw usage("--format tar writes each tablespace as an archive", "leave --tablespace out");
        }
    }

    private Exported export(BackupCopies copies, Progress progress, Cancellation cancellation) {
        if (singleFile != null) {
            var file = new SingleFile(copies, singleFile);
            return to.equals(STANDARD_OUTPUT)
                    ? toStandardOutput(file, progress, cancellation)
                    : file.into(directory(), progress, cancellation);
        }
        return format == Format.TAR
                ? new TarExport(copies, directory()).run(progress, cancellation)
                : new PlainExport(copies, directory(), tablespaces).run(WORKERS, progress, cancellation);
    }

    private static Exported toStandardOutput(SingleFile file, Progress progress, Cancellation cancellation) {
        try (OutputStream out = new FileOutputStream(FileDescriptor.out)) {
            return file.to(out, progress, cancellation);
        } catch (IOException failed) {
            throw new NightshiftException(
                    FailureKind.RESOURCES_EXHAUSTED, "cannot write to standard output: " + failed.getMessage());
        }
    }

    private Path directory() {
        try {
            return Path.of(to).toAbsolutePath().normalize();
        } catch (InvalidPathException unmappable) {
            throw usage(
                    "--to " + to + " is no path in the locale of this process: " + unmappable.getReason(),
                    "set LC_ALL=C.UTF-8 in its environment");
        }
    }

    private Map<String, Object> settings() {
        Map<String, Object> settings = new LinkedHashMap<>();
        settings.put("backup", label);
        settings.put("to", to);
        if (singleFile == null) {
            settings.put("format", word());
        } else {
            settings.put("single-file", singleFile);
        }
        return settings;
    }

    private String word() {
        return singleFile != null
                ? "file"
                : (format == null ? Format.PLAIN : format).name().toLowerCase(Locale.ROOT);
    }

    private Ledger.Outcome outcome(Exported exported, Duration took) {
        List<Finding> findings = exported.complaints().stream()
                .map(complaint -> new Finding(
                        "export/" + label + "/" + complaint,
                        Severity.WARNING,
                        "backup " + label,
                        complaint,
                        "nightshift verify " + label + " names all that is damaged"))
                .toList();
        List<Figure> figures = List.of(
                new Figure("files", exported.files(), "files"),
                new Figure("bytes", exported.bytes(), "bytes"),
                new Figure("exported in", took.toMillis() / 1000.0, "s"));
        JobReport report = new JobReport(summary(exported, took), figures, findings, List.of(), List.of());
        return new Ledger.Outcome(RunState.COMPLETED, null, report.exitStatus(), report);
    }

    private String summary(Exported exported, Duration took) {
        String what = singleFile != null ? singleFile + " of " + label : label + " as " + word();
        double seconds = Math.max(0.001, took.toMillis() / 1000.0);
        return "exported " + what + ": " + String.format(Locale.ROOT, "%,d", exported.files())
                + (exported.files() == 1 ? " file, " : " files, ") + Arguments.bytes(exported.bytes()) + " in "
                + RunText.duration(took) + " (" + Arguments.bytes((long) (exported.bytes() / seconds)) + "/s) from "
                + String.join(" and ", exported.storages()) + " to " + to;
    }

    private void print(Exported exported, Duration took) {
        exported.complaints()
                .forEach(complaint -> top.err().println("nightshift: read from another copy, because of " + complaint));
        if (to.equals(STANDARD_OUTPUT)) {
            top.err().println(summary(exported, took));
            return;
        }
        if (top.isJson()) {
            Map<String, Object> document = new LinkedHashMap<>();
            document.put("label", label);
            document.put("directory", directory().toString());
            document.put("format", word());
            document.put("files", exported.files());
            document.put("bytes", exported.bytes());
            document.put("seconds", took.toMillis() / 1000.0);
            document.put("storages", exported.storages());
            document.put("complaints", exported.complaints());
            document.put("notes", exported.notes());
            top.print(document);
            return;
        }
        top.out().println(summary(exported, took));
        exported.notes().forEach(note -> top.out().println("  " + note));
        if (singleFile == null) {
            nextSteps();
        }
    }

    private void nextSteps() {
        top.out().println("Next: pg_verifybackup " + directory() + (format == Format.TAR ? "   (18 or newer)" : ""));
        if (format != Format.TAR) {
            top.out()
                    .println(
                            "      before a server starts on it: its settings are the source's, so look at archive_mode and"
                                    + " port first,");
            top.out().println("      pg_ctl -D " + directory() + " -o '-c archive_mode=off -p PORT' start");
        }
    }

    private static NightshiftException usage(String fact, String hint) {
        return new NightshiftException(FailureKind.CONFIGURATION, fact, hint);
    }
}
