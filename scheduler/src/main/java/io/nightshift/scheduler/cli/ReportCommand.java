package io.nightshift.scheduler.cli;

import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.config.ConfigurationResult;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.ledger.Json;
import io.nightshift.scheduler.ledger.RunFilter;
import io.nightshift.scheduler.report.HtmlReport;
import io.nightshift.scheduler.report.NightReport;
import io.nightshift.scheduler.report.Period;
import io.nightshift.scheduler.report.PlannedJob;
import io.nightshift.scheduler.report.ReportMaker;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "report",
        description = {
            "Answers the questions of the morning: did everything run, can we restore, what got worse?",
            "A night goes from noon to noon in the zone of nightshift.yaml and bears the date of its morning."
        })
final class ReportCommand implements Callable<Integer> {

    enum Format {
        TEXT,
        HTML,
        JSON,
        CSV
    }

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private NightshiftCommand top;

    @Option(names = "--date", paramLabel = "DATE", description = "the morning of the last night (default: today)")
    private @Nullable LocalDate date;

    @Option(
            names = "--period",
            paramLabel = "P",
            defaultValue = "day",
            description = "day, week (7 nights) or month (30 nights) up to the date (default: ${DEFAULT-VALUE})")
    private Period.Length length = Period.Length.DAY;

    @Option(
            names = "--format",
            paramLabel = "F",
            description =
                    "text, html (one file that needs nothing else), json, or csv with a line for each job (default: text)")
    private Format format = Format.TEXT;

    @Option(names = "--to", paramLabel = "FILE", description = "write it there, in place of what is there")
    private @Nullable Path file;

    @Override
    public Integer call() {
        Surroundings surroundings = top.surroundings();
        NightReport report = make(surroundings);
        String text = rendered(report);
        if (file == null) {
            top.out().print(text);
            top.out().flush();
        } else {
            write(file.toAbsolutePath(), text);
            if (!top.isJson()) {
                top.out().println(HtmlReport.headline(report) + ": " + file.toAbsolutePath());
            }
        }
        return 0;
    }

    private NightReport make(Surroundings surroundings) {
        List<String> notes = new ArrayList<>();
        ConfigurationResult read = surroundings.read();
        Configuration configuration = read.configuration();
        if (configuration == null) {
            notes.add("the configuration has " + read.problems().size()
                    + " problems (nightshift config check): due times, deadlines and backups are not judged");
        }
        ZoneId zone =
                configuration == null ? ZoneOffset.UTC : configuration.program().zone();
        Instant now = surroundings.clock().instant();
        Period period = new Period(length, date == null ? LocalDate.ofInstant(now, zone) : date, zone);
        List<PlannedJob> planned =
                configuration == null ? List.of() : PlannedJob.of(configuration, surroundings.jobTypes());
        List<NightReport.BackupState> backups =
                configuration == null ? List.of() : BackupStates.of(surroundings, configuration);
        try (LedgerAtHand ledger = LedgerAtHand.open(surroundings)
                .orElseThrow(() -> new NightshiftException(
                        FailureKind.CONFIGURATION,
                        "there is nothing to report: nothing has run in this home yet",
                        "nightshift serve works the schedule; --home names another home"))) {
            if (date == null && !now.isBefore(period.to())) {
                noteOfTheNewNight(ledger, period, notes);
            }
            return ReportMaker.make(period, now, ledger.report(), planned, backups, notes);
        }
    }

    /** In the afternoon the last night is meant; whoever has just tried something looks for it in vain there. */
    private static void noteOfTheNewNight(LedgerAtHand ledger, Period period, List<String> notes) {
        if (ledger.history().runs(RunFilter.newest(1)).stream()
                .anyMatch(run -> !run.requestedAt().isBefore(period.to()))) {
            notes.add("what ran since noon belongs to the next night: nightshift report --date "
                    + period.date().plusDays(1));
        }
    }

    private String rendered(NightReport report) {
        StringWriter text = new StringWriter();
        PrintWriter out = new PrintWriter(text);
        switch (top.isJson() ? Format.JSON : format) {
            case TEXT -> new ReportText(out, report).print();
            case HTML -> out.print(HtmlReport.of(report));
            case CSV -> ReportCsv.print(out, report);
            case JSON -> {
                Map<String, Object> document = new LinkedHashMap<>();
                document.put("formatVersion", NightshiftCommand.FORMAT_VERSION);
                document.putAll(Json.toMap(report));
                out.println(Json.writePretty(document));
            }
        }
        out.flush();
        return text.toString();
    }

    /** Whole or not at all: somebody may be reading the one of yesterday. */
    private static void write(Path named, String text) {
        Path target = named.toAbsolutePath();
        Path folder = Objects.requireNonNullElse(target.getParent(), target);
        Path beside = target.resolveSibling(target.getFileName() + ".part");
        try {
            Files.writeString(beside, text);
            Files.move(beside, target, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "report not written to " + target
                            + (Files.isDirectory(folder) ? ": " + e.getMessage() : ": there is no folder " + folder),
                    "--to names a file in a folder that is there and writable",
                    e);
        }
    }
}
