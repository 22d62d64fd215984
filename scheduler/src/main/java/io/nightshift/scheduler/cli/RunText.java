package io.nightshift.scheduler.cli;

import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.Section;
import io.nightshift.infra.run.Timings;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunState;
import io.nightshift.scheduler.report.Amounts;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Runs as people read them. */
final class RunText {

    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss 'UTC'", Locale.ROOT)
            .withZone(ZoneOffset.UTC);

    private static final DateTimeFormatter TIME_OF_DAY =
            DateTimeFormatter.ofPattern("HH:mm:ss", Locale.ROOT).withZone(ZoneOffset.UTC);

    private static final int LONGEST_WHAT = 90;

    private RunText() {}

    static void list(PrintWriter out, List<Run> runs) {
        TextTable table = new TextTable("run", "job", "cluster", "state", "started", "took", "what");
        runs.forEach(run -> table.row(
                Long.toString(run.id()),
                run.job(),
                run.cluster(),
                run.state().toString(),
                run.startedAt() == null ? "-" : time(run.startedAt()),
                took(run),
                shortened(firstLine(what(run)))));
        table.print(out);
    }

    /** What a run has to say, below its headline. */
    static void report(PrintWriter out, JobReport report) {
        report(out, report, false);
    }

    /** @param timings whether to tell where the time went as well */
    static void report(PrintWriter out, JobReport report, boolean timings) {
        if (!report.summary().isEmpty()) {
            out.println();
            out.println("  " + report.summary());
        }
        if (!report.figures().isEmpty()) {
            out.println();
            TextTable figures = new TextTable("", "");
            report.figures().forEach(figure -> figures.row(figure.name(), value(figure)));
            figures.printRows(out, "  ");
        }
        findings(out, report.findings());
        report.notEvaluated().forEach(gap -> {
            out.println();
            out.println("  not evaluated  " + gap.subject() + ": " + gap.reason());
        });
        report.sections().stream()
                .filter(section -> timings || !section.title().equals(Timings.TITLE))
                .forEach(section -> section(out, section));
    }

    /** What is new first, then what is still there, then what nobody needs to act on. */
    private static void findings(PrintWriter out, List<Finding> findings) {
        if (findings.isEmpty()) {
            return;
        }
        out.println();
        out.println("  findings: "
                + Arrays.stream(Finding.State.values())
                        .map(state -> Map.entry(
                                state,
                                findings.stream()
                                        .filter(finding -> finding.state() == state)
                                        .count()))
                        .filter(count -> count.getValue() > 0)
                        .map(count -> count.getValue() + " " + word(count.getKey()))
                        .collect(Collectors.joining(", ")));
        findings.stream()
                .sorted(Comparator.comparing(Finding::state)
                        .thenComparing(Finding::severity, Comparator.reverseOrder()))
                .forEach(finding -> {
                    out.println("  " + word(finding.severity()) + " (" + word(finding.state()) + ")  "
                            + finding.subject() + ": " + finding.detail());
                    if (finding.remedy() != null) {
                        out.println("    HINT: " + finding.remedy());
                    }
                });
    }

    static void section(PrintWriter out, Section section) {
        out.println();
        out.println("  " + section.title());
        if (section.data() instanceof Section.Text text) {
            text.lines().lines().forEach(line -> out.println("    " + line));
        } else if (section.data() instanceof Section.Table data) {
            TextTable table = new TextTable(data.columns());
            data.rows().forEach(table::row);
            table.print(out, "    ");
        } else if (section.data() instanceof Section.Series series) {
            series.points()
                    .forEach(point -> out.println("    " + point.at() + "  " + point.value() + " " + series.unit()));
        }
    }

    /** How a run ended and what it has to say. */
    static void outcome(PrintWriter out, Run run) {
        outcome(out, run, false);
    }

    /** @param timings whether to tell where the time went as well */
    static void outcome(PrintWriter out, Run run, boolean timings) {
        out.println(headline(run));
        String reason = run.reason();
        if (reason != null) {
            reason.lines().forEach(line -> out.println("  " + line));
        }
        if (run.report() != null) {
            report(out, run.report(), timings);
        }
    }

    private static String headline(Run run) {
        return "run " + run.id() + "  " + run.job() + " on " + run.cluster() + "  " + run.state()
                + (run.endedAt() == null ? "" : " after " + took(run));
    }

    static String what(Run run) {
        String reason = run.reason();
        if (run.state() == RunState.QUEUED && run.waitingFor() != null) {
            return "waits: " + run.waitingFor();
        }
        if (reason != null && run.state() != RunState.COMPLETED) {
            return reason;
        }
        return run.report() == null ? "" : run.report().summary();
    }

    static String time(Instant at) {
        return TIME.format(at);
    }

    static String timeOfDay(Instant at) {
        return TIME_OF_DAY.format(at);
    }

    static String took(Run run) {
        return run.took() == null ? "-" : duration(run.took());
    }

    static String duration(Duration duration) {
        return Amounts.duration(duration);
    }

    private static String value(Figure figure) {
        Number value = figure.value();
        return switch (figure.unit()) {
            case "bytes" -> Arguments.bytes(value.longValue());
            case "bytes/s" -> Arguments.bytes(value.longValue()) + "/s";
            default ->
                (value instanceof Double || value instanceof Float
                                ? String.format(Locale.ROOT, "%.2f", value.doubleValue())
                                : String.format(Locale.ROOT, "%,d", value.longValue()))
                        + (figure.unit().isEmpty() ? "" : " " + figure.unit());
        };
    }

    static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    static String firstLine(String text) {
        return text.lines().findFirst().orElse("");
    }

    static String shortened(String text) {
        return text.length() <= LONGEST_WHAT ? text : text.substring(0, LONGEST_WHAT - 1) + "…";
    }

    static String orDash(@Nullable String text) {
        return text == null ? "-" : text;
    }
}
