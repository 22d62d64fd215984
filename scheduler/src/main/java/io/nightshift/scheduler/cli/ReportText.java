package io.nightshift.scheduler.cli;

import io.nightshift.infra.run.Finding;
import io.nightshift.scheduler.ledger.RunState;
import io.nightshift.scheduler.report.Amounts;
import io.nightshift.scheduler.report.HtmlReport;
import io.nightshift.scheduler.report.NightReport;
import io.nightshift.scheduler.report.NightReport.Grid;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The report for a terminal or a mail. */
final class ReportText {

    private static final int MOST_FINDINGS = 20;
    private static final DateTimeFormatter DAY = DateTimeFormatter.ofPattern("dd", Locale.ROOT);

    private final PrintWriter out;
    private final NightReport report;
    private final DateTimeFormatter time;

    ReportText(PrintWriter out, NightReport report) {
        this.out = out;
        this.report = report;
        this.time =
                DateTimeFormatter.ofPattern("EEE d MMM HH:mm", Locale.ENGLISH).withZone(report.zone());
    }

    void print() {
        out.println(HtmlReport.title(report) + "  (noon to noon, " + report.zone() + ")");
        out.println(HtmlReport.headline(report));
        out.println();
        TextTable answers = new TextTable("", "");
        report.answers().forEach(answer -> answers.row(answer.question(), answer.answer()));
        answers.printRows(out, "  ");
        troubles();
        grid();
        totals();
        deadlines();
        findings();
        backups();
        jobs();
        next();
        report.notes().forEach(note -> out.println("\nnot judged: " + note));
    }

    private void title(String title) {
        out.println();
        out.println(title);
    }

    private void troubles() {
        if (report.troubles().isEmpty()) {
            return;
        }
        title("What did not go as it should");
        for (NightReport.Trouble trouble : report.troubles()) {
            out.println("  " + trouble.kind() + "  " + trouble.job() + " on " + trouble.cluster() + ", "
                    + time.format(trouble.at()) + (trouble.run() == null ? "" : ", run " + trouble.run()) + ": "
                    + trouble.text());
            if (trouble.remedy() != null) {
                out.println("    HINT: " + trouble.remedy());
            }
        }
    }

    private void grid() {
        Grid grid = report.grid();
        if (grid.rows().isEmpty()) {
            return;
        }
        title("Jobs by nights");
        List<String> header = new ArrayList<>(List.of("job", "cluster"));
        grid.nights().forEach(night -> header.add(DAY.format(night)));
        TextTable table = new TextTable(header);
        for (Grid.Row row : grid.rows()) {
            List<String> cells = new ArrayList<>(List.of(row.job(), row.cluster()));
            row.cells().forEach(cell -> cells.add(cell(cell)));
            table.row(cells);
        }
        table.print(out, "  ");
        out.println(
                "  + completed  X failed  o missed  S stopped  R refused  - skipped  ~ not ended; ! late or retried");
    }

    private static String cell(Grid.Cell cell) {
        RunState state = cell.state();
        if (state == null) {
            return "";
        }
        String symbol = switch (state) {
            case COMPLETED -> "+";
            case FAILED -> "X";
            case MISSED -> "o";
            case STOPPED -> "S";
            case SKIPPED -> "-";
            case REFUSED -> "R";
            case RUNNING, QUEUED -> "~";
        };
        return symbol + (cell.late() || cell.retried() ? "!" : "");
    }

    private void totals() {
        NightReport.Totals totals = report.totals();
        title("In figures");
        TextTable table = new TextTable("", "");
        table.row("success rate", totals.successRate() == null ? "-" : Amounts.percent(totals.successRate()));
        table.row(
                "runs",
                totals.runs() + ": " + totals.completed() + " completed, " + totals.failed() + " failed, "
                        + totals.stopped() + " stopped, " + totals.missed() + " missed, " + totals.skipped()
                        + " skipped, " + totals.refused() + " refused, " + totals.open() + " not ended");
        table.row("late, retried", totals.late() + ", " + totals.retried());
        table.row("data moved", Amounts.bytes(totals.bytes()));
        table.row("time at work", Amounts.seconds(totals.busySeconds()));
        table.printRows(out, "  ");
    }

    private void deadlines() {
        if (report.deadlines().isEmpty()) {
            return;
        }
        title("By when it must have succeeded");
        TextTable table = new TextTable("", "job", "cluster", "deadline", "completed", "");
        report.deadlines()
                .forEach(deadline -> table.row(
                        deadline.met() == null ? "to come" : deadline.met() ? "met" : "NOT MET",
                        deadline.job(),
                        deadline.cluster(),
                        time.format(deadline.deadline()),
                        timeOrDash(deadline.completedAt()),
                        deadline.text()));
        table.print(out, "  ");
    }

    private void findings() {
        if (report.findings().isEmpty()) {
            return;
        }
        title("Findings");
        report.findings().stream().limit(MOST_FINDINGS).forEach(open -> {
            Finding finding = open.finding();
            out.println("  " + RunText.word(finding.severity()) + " (" + RunText.word(finding.state()) + ", since "
                    + timeOrDash(open.since()) + ")  " + finding.subject() + ": " + finding.detail());
            if (finding.remedy() != null) {
                out.println("    HINT: " + finding.remedy());
            }
        });
        if (report.findings().size() > MOST_FINDINGS) {
            out.println("  " + (report.findings().size() - MOST_FINDINGS) + " more: --format html or json");
        }
        report.notEvaluated()
                .forEach(gap ->
                        out.println("  not evaluated (run " + gap.run() + ")  " + gap.subject() + ": " + gap.reason()));
    }

    private void backups() {
        if (report.backups().isEmpty()) {
            return;
        }
        title("Newest backup of each cluster");
        TextTable table = new TextTable("cluster", "backup", "taken", "age", "size", "verified", "proven");
        report.backups()
                .forEach(backup -> table.row(
                        backup.cluster(),
                        backup.label() != null
                                ? backup.label()
                                : backup.problem() != null ? backup.problem() : "there is none",
                        timeOrDash(backup.endedAt()),
                        backup.endedAt() == null
                                ? "-"
                                : Amounts.age(Duration.between(backup.endedAt(), report.madeAt())),
                        backup.bytes() == null ? "-" : Amounts.bytes(backup.bytes()),
                        backup.verified() ? "read back" : "-",
                        backup.provenAt() == null ? "never" : time.format(backup.provenAt())));
        table.print(out, "  ");
    }

    private void jobs() {
        if (report.jobs().isEmpty()) {
            return;
        }
        title("Each job");
        TextTable table = new TextTable(
                "job", "cluster", "runs", "success", "p50", "p95", "usual", "trend", "data", "last success");
        report.jobs()
                .forEach(job -> table.row(
                        job.job(),
                        job.cluster(),
                        Integer.toString(job.runs()),
                        job.successRate() == null ? "-" : Amounts.percent(job.successRate()),
                        secondsOrDash(job.p50()),
                        secondsOrDash(job.p95()),
                        secondsOrDash(job.usualP50()),
                        job.trend() == null ? "-" : String.format(Locale.ROOT, "x%.2f", job.trend()),
                        job.bytes() == 0 ? "-" : Amounts.bytes(job.bytes()),
                        job.lastSuccess() == null ? "never" : time.format(job.lastSuccess())));
        table.print(out, "  ");
    }

    private void next() {
        if (report.next().isEmpty()) {
            return;
        }
        title("Due next");
        TextTable table = new TextTable("due", "job", "cluster", "usually takes");
        report.next()
                .forEach(due ->
                        table.row(time.format(due.due()), due.job(), due.cluster(), secondsOrDash(due.usualSeconds())));
        table.print(out, "  ");
    }

    private static String secondsOrDash(@Nullable Double seconds) {
        return seconds == null ? "-" : Amounts.seconds(seconds);
    }

    private String timeOrDash(@Nullable Instant at) {
        return at == null ? "-" : time.format(at);
    }
}
