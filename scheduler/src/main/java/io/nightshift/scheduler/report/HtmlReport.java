package io.nightshift.scheduler.report;

import io.nightshift.infra.run.Finding;
import io.nightshift.scheduler.ledger.RunState;
import io.nightshift.scheduler.report.NightReport.Answer;
import io.nightshift.scheduler.report.NightReport.BackupState;
import io.nightshift.scheduler.report.NightReport.Deadline;
import io.nightshift.scheduler.report.NightReport.Grid;
import io.nightshift.scheduler.report.NightReport.JobFigures;
import io.nightshift.scheduler.report.NightReport.Month;
import io.nightshift.scheduler.report.NightReport.OpenFinding;
import io.nightshift.scheduler.report.NightReport.Totals;
import io.nightshift.scheduler.report.NightReport.Trouble;
import io.nightshift.scheduler.report.NightReport.Verdict;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The report as one file that needs nothing else: no script, no font, no address. Colours say nothing that a word or a
 * symbol beside them does not say; it prints on A4.
 */
public final class HtmlReport {

    private static final DateTimeFormatter DAY = DateTimeFormatter.ofPattern("EEEE d MMMM uuuu", Locale.ENGLISH);
    private static final DateTimeFormatter SHORT_DAY = DateTimeFormatter.ofPattern("EEE d", Locale.ENGLISH);
    private static final DateTimeFormatter MONTH = DateTimeFormatter.ofPattern("MMM uuuu", Locale.ENGLISH);
    private static final int TALLEST_BAR = 16;
    private static final int MOST_FINDINGS = 100;

    private final NightReport report;
    private final Page page = new Page();
    private final DateTimeFormatter time;

    private HtmlReport(NightReport report) {
        this.report = report;
        this.time =
                DateTimeFormatter.ofPattern("EEE d MMM HH:mm", Locale.ENGLISH).withZone(report.zone());
    }

    public static String of(NightReport report) {
        return new HtmlReport(report).html();
    }

    private String html() {
        String title = title(report);
        page.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
                .raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
                .element("title", title + " – Nightshift")
                .raw("\n<style>\n" + style() + "</style>\n</head>\n<body>\n<header>")
                .element("h1", title)
                .element(
                        "p",
                        time.format(report.from()) + " to " + time.format(report.to()) + " (" + report.zone()
                                + "), as known " + time.format(report.madeAt()))
                .raw("</header>\n");
        status();
        answers();
        page.raw("<main>\n");
        troubles();
        grid();
        course();
        totals();
        deadlines();
        findings();
        backups();
        jobs();
        gaps();
        extremes();
        next();
        months();
        notes();
        return page.raw("</main>\n<footer>Nightshift")
                .text(" · times in " + report.zone()
                        + " · a night goes from noon to noon and bears the date of its morning")
                .raw("</footer>\n</body>\n</html>\n")
                .toString();
    }

    /** Such as {@code Night to Sunday 22 November 2026}. */
    public static String title(NightReport report) {
        String day = DAY.format(report.date());
        return switch (report.period()) {
            case DAY -> "Night to " + day;
            case WEEK -> "Seven nights to " + day;
            case MONTH -> "Thirty nights to " + day;
        };
    }

    /** In one line, before anything else. */
    public static String headline(NightReport report) {
        return switch (report.verdict()) {
            case GOOD -> "All is well";
            case UNKNOWN -> "Nothing went wrong; not everything is known";
            case ATTENTION -> "It worked, but look at it";
            case BAD -> "This needs you";
        };
    }

    private void status() {
        Verdict verdict = report.verdict();
        page.raw("<p class=\"status " + Charts.word(verdict) + "\" role=\"status\"><span aria-hidden=\"true\">"
                        + symbol(verdict) + "</span>")
                .element("span", headline(report))
                .raw("</p>\n");
    }

    private void answers() {
        page.raw("<dl class=\"answers\">\n");
        for (Answer answer : report.answers()) {
            page.raw("<div class=\"" + Charts.word(answer.verdict()) + "\"><dt><span aria-hidden=\"true\">"
                            + symbol(answer.verdict()) + "</span> ")
                    .text(answer.question())
                    .raw("</dt>")
                    .element("dd", answer.answer())
                    .raw("</div>\n");
        }
        page.raw("</dl>\n");
    }

    static String symbol(Verdict verdict) {
        return switch (verdict) {
            case GOOD -> "✓";
            case ATTENTION -> "!";
            case BAD -> "✗";
            case UNKNOWN -> "?";
        };
    }

    static String symbol(@Nullable RunState state) {
        if (state == null) {
            return "";
        }
        return switch (state) {
            case COMPLETED -> "✓";
            case FAILED -> "✗";
            case MISSED -> "○";
            case STOPPED -> "■";
            case SKIPPED -> "–";
            case REFUSED -> "⊘";
            case RUNNING, QUEUED -> "…";
        };
    }

    private void troubles() {
        if (report.troubles().isEmpty()) {
            return;
        }
        page.sentences("What did not go as it should", List.of("", "job", "was due", "", "why, and what to do"));
        for (Trouble trouble : report.troubles()) {
            page.raw("<tr><td class=\"t " + Charts.word(trouble.verdict()) + "\">" + symbol(trouble.verdict()) + " ")
                    .text(trouble.kind())
                    .raw("</td><th scope=\"row\">");
            job(trouble.job(), trouble.cluster());
            page.raw("</th>")
                    .element("td", "t", time.format(trouble.at()))
                    .element("td", "t", trouble.run() == null ? "" : "run " + trouble.run())
                    .raw("<td class=\"why\">")
                    .text(trouble.text());
            if (trouble.remedy() != null) {
                page.element("span", "hint", "→ " + trouble.remedy());
            }
            page.raw("</td></tr>\n");
        }
        page.endTable();
    }

    private void job(String job, String cluster) {
        page.text(job).raw(" <span class=\"soft\">").text(cluster).raw("</span>");
    }

    private void grid() {
        Grid grid = report.grid();
        if (grid.rows().isEmpty()) {
            return;
        }
        page.element("h2", "Jobs by nights")
                .raw("\n<div class=\"wide\"><table class=\"grid\"><thead><tr><th scope=\"col\">job</th>");
        grid.nights().forEach(night -> page.element("th", inPeriod(night) ? "now" : "", SHORT_DAY.format(night)));
        page.raw("</tr></thead>\n<tbody>\n");
        for (Grid.Row row : grid.rows()) {
            double most =
                    row.cells().stream().mapToDouble(Grid.Cell::seconds).max().orElse(0);
            page.raw("<tr><th scope=\"row\">");
            job(row.job(), row.cluster());
            page.raw("</th>");
            for (int i = 0; i < row.cells().size(); i++) {
                cell(row.cells().get(i), inPeriod(grid.nights().get(i)), most);
            }
            page.raw("</tr>\n");
        }
        page.raw("</tbody></table></div>\n")
                .element(
                        "p",
                        "legend",
                        "✓ completed  ✗ failed  ○ missed  ■ stopped  ⊘ refused  – skipped  … not ended; of several runs the worst."
                                + " L began late, R retried, F found something. A bar is as high as the runs were long,"
                                + " beside the job's other nights.");
    }

    private boolean inPeriod(LocalDate night) {
        return !night.isAfter(report.date())
                && !new Period(report.period(), report.date(), report.zone())
                        .nights()
                        .get(0)
                        .isAfter(night);
    }

    private void cell(Grid.Cell cell, boolean now, double most) {
        RunState state = cell.state();
        String colour = state == null ? "" : Charts.colour(state);
        page.raw("<td class=\"" + (now ? "now " : "") + colour + "\"");
        if (state != null) {
            page.raw(" title=\"" + Page.escaped(cellInWords(cell)) + "\"");
        }
        page.raw(">").raw(symbol(state));
        if (state != null) {
            String marks = (cell.late() ? "L" : "") + (cell.retried() ? "R" : "") + (cell.findings() ? "F" : "");
            int height = most == 0 ? 0 : (int) Math.round(cell.seconds() / most * TALLEST_BAR);
            page.element("small", marks.isEmpty() && cell.runs() > 1 ? "×" + cell.runs() : marks)
                    .raw("<i style=\"height:" + height + "px;margin-top:" + (TALLEST_BAR + 2 - height) + "px\"></i>");
        }
        page.raw("</td>");
    }

    private static String cellInWords(Grid.Cell cell) {
        return Objects.requireNonNull(cell.state()) + (cell.run() == null ? "" : ", run " + cell.run())
                + (cell.runs() > 1 ? ", worst of " + cell.runs() + " runs" : "") + ", "
                + Amounts.seconds(cell.seconds());
    }

    private void course() {
        if (report.course().isEmpty()) {
            return;
        }
        page.element("h2", "The course of the night")
                .raw("\n<div class=\"chart\">" + Charts.night(report) + "</div>\n")
                .element(
                        "p",
                        "legend",
                        "Green completed, red failed or stopped, a diamond never began (missed, skipped or refused); dashed: by when it must have completed.");
    }

    private void totals() {
        Totals totals = report.totals();
        page.element("h2", "In figures").raw("\n<dl class=\"totals\">");
        total("success rate", totals.successRate() == null ? "–" : Amounts.percent(totals.successRate()));
        total("runs", Integer.toString(totals.runs()));
        total("completed", Integer.toString(totals.completed()));
        total("failed or stopped", Integer.toString(totals.failed() + totals.stopped()));
        total("missed", Integer.toString(totals.missed()));
        total("late", Integer.toString(totals.late()));
        total("retried", Integer.toString(totals.retried()));
        total("data moved", Amounts.bytes(totals.bytes()));
        total("time at work", Amounts.seconds(totals.busySeconds()));
        page.raw("</dl>\n");
    }

    private void total(String name, String value) {
        page.raw("<div>").element("dt", name).element("dd", value).raw("</div>");
    }

    private void deadlines() {
        if (report.deadlines().isEmpty()) {
            return;
        }
        page.sentences("By when it must have succeeded", List.of("", "job", "deadline", "completed", ""));
        for (Deadline deadline : report.deadlines()) {
            Boolean met = deadline.met();
            Verdict verdict = met == null ? Verdict.UNKNOWN : met ? Verdict.GOOD : Verdict.BAD;
            page.raw("<tr><td class=\"t " + Charts.word(verdict) + "\">" + symbol(verdict) + " ")
                    .text(met == null ? "to come" : met ? "met" : "not met")
                    .raw("</td><th scope=\"row\">");
            job(deadline.job(), deadline.cluster());
            page.raw("</th>")
                    .element("td", "t", time.format(deadline.deadline()))
                    .element("td", "t", deadline.completedAt() == null ? "–" : time.format(deadline.completedAt()))
                    .element("td", deadline.text())
                    .raw("</tr>\n");
        }
        page.endTable();
    }

    private void findings() {
        if (report.findings().isEmpty()) {
            page.element("h2", "Findings").element("p", "soft", "None stands.");
            return;
        }
        page.sentences("Findings", List.of("severity", "state", "since", "what", "job"));
        report.findings().stream().limit(MOST_FINDINGS).forEach(this::finding);
        page.endTable();
        if (report.findings().size() > MOST_FINDINGS) {
            page.element("p", "soft", report.findings().size() - MOST_FINDINGS + " more are not shown.");
        }
    }

    private void finding(OpenFinding open) {
        Finding finding = open.finding();
        Verdict verdict = switch (finding.state()) {
            case RESOLVED -> Verdict.GOOD;
            case SUPPRESSED -> Verdict.UNKNOWN;
            case NEW, STILL ->
                switch (finding.severity()) {
                    case INFO -> Verdict.UNKNOWN;
                    case WARNING -> Verdict.ATTENTION;
                    case ERROR, CRITICAL -> Verdict.BAD;
                };
        };
        page.raw("<tr><td class=\"t " + Charts.word(verdict) + "\">" + symbol(verdict) + " ")
                .text(finding.severity().name().toLowerCase(Locale.ROOT))
                .raw("</td>")
                .element("td", "t", finding.state().name().toLowerCase(Locale.ROOT))
                .element("td", "t", open.since() == null ? "–" : time.format(open.since()))
                .raw("<td class=\"why\"><b>")
                .text(finding.subject())
                .raw("</b>: ")
                .text(finding.detail());
        if (finding.remedy() != null) {
            page.element("span", "hint", "→ " + finding.remedy());
        }
        page.raw("</td><td>");
        job(open.job(), open.cluster());
        page.raw("</td></tr>\n");
    }

    private void backups() {
        if (report.backups().isEmpty()) {
            return;
        }
        page.table(
                "Newest backup of each cluster",
                "",
                List.of("cluster", "backup", "taken", "#age", "#size", "verified", "proven by a restore"));
        for (BackupState backup : report.backups()) {
            page.raw("<tr>").element("th", backup.cluster());
            if (backup.label() == null) {
                page.raw("<td colspan=\"6\" class=\"bad\">✗ ")
                        .text(backup.problem() == null ? "there is none" : backup.problem())
                        .raw("</td></tr>\n");
                continue;
            }
            Instant ended = backup.endedAt();
            page.element("td", backup.label())
                    .element("td", "t", ended == null ? "–" : time.format(ended))
                    .element("td", "n", ended == null ? "–" : Amounts.age(Duration.between(ended, report.madeAt())))
                    .element("td", "n", backup.bytes() == null ? "–" : Amounts.bytes(backup.bytes()))
                    .element("td", backup.verified() ? "read back" : "no")
                    .element("td", backup.provenAt() == null ? "never" : time.format(backup.provenAt()))
                    .raw("</tr>\n");
        }
        page.endTable();
    }

    private void jobs() {
        if (report.jobs().isEmpty()) {
            return;
        }
        page.table(
                "Each job",
                "usual: median of the four weeks before; the line shows the median of each night above",
                List.of(
                        "job",
                        "type",
                        "#runs",
                        "#success",
                        "#p50",
                        "#p95",
                        "#usual",
                        "#trend",
                        "nights",
                        "#data",
                        "last success"));
        for (JobFigures job : report.jobs()) {
            page.raw("<tr><th scope=\"row\">");
            job(job.job(), job.cluster());
            page.raw("</th>")
                    .element("td", "soft", job.type())
                    .element("td", "n", Integer.toString(job.runs()))
                    .element("td", "n", job.successRate() == null ? "–" : Amounts.percent(job.successRate()))
                    .element("td", "n", secondsOrDash(job.p50()))
                    .element("td", "n", secondsOrDash(job.p95()))
                    .element("td", "n", secondsOrDash(job.usualP50()))
                    .element("td", "n", job.trend() == null ? "–" : String.format(Locale.ROOT, "×%.2f", job.trend()))
                    .raw("<td>" + Charts.sparkline(job.course(), "median duration of " + job.job() + " in each night")
                            + "</td>")
                    .element("td", "n", job.bytes() == 0 ? "–" : Amounts.bytes(job.bytes()))
                    .element("td", "t", job.lastSuccess() == null ? "never" : time.format(job.lastSuccess()))
                    .raw("</tr>\n");
        }
        page.endTable();
    }

    private static String secondsOrDash(@Nullable Double seconds) {
        return seconds == null ? "–" : Amounts.seconds(seconds);
    }

    private void gaps() {
        if (report.notEvaluated().isEmpty()) {
            return;
        }
        page.sentences("Asked for and not evaluated", List.of("subject", "why not", "job", "#run"));
        report.notEvaluated().forEach(gap -> {
            page.raw("<tr>")
                    .element("td", gap.subject())
                    .element("td", gap.reason())
                    .raw("<td>");
            job(gap.job(), gap.cluster());
            page.raw("</td>").element("td", "n", Long.toString(gap.run())).raw("</tr>\n");
        });
        page.endTable();
    }

    private void extremes() {
        if (report.longest().isEmpty()) {
            return;
        }
        page.raw("<div class=\"pair\"><div>");
        page.table("Longest", "", List.of("job", "#run", "began", "#took"));
        report.longest().forEach(run -> {
            page.raw("<tr><th scope=\"row\">");
            job(run.job(), run.cluster());
            page.raw("</th>")
                    .element("td", "n", Long.toString(run.run()))
                    .element("td", "t", run.startedAt() == null ? "–" : time.format(run.startedAt()))
                    .element("td", "n", Amounts.seconds(run.seconds()))
                    .raw("</tr>\n");
        });
        page.endTable().raw("</div><div>");
        if (!report.mostFailing().isEmpty()) {
            page.table("Most failing", "", List.of("job", "#failed, stopped or missed", "#of"));
            report.mostFailing().forEach(job -> {
                page.raw("<tr><th scope=\"row\">");
                job(job.job(), job.cluster());
                page.raw("</th>")
                        .element("td", "n", Integer.toString(job.failed()))
                        .element(
                                "td",
                                "n",
                                job.of() + " in " + report.grid().nights().size() + " nights")
                        .raw("</tr>\n");
            });
            page.endTable();
        }
        page.raw("</div></div>\n");
    }

    private void next() {
        if (report.next().isEmpty()) {
            return;
        }
        page.table("Due next", "", List.of("due", "in", "job", "#usually takes"));
        report.next().forEach(due -> {
            page.raw("<tr>")
                    .element("td", "t", time.format(due.due()))
                    .element("td", "t", Amounts.age(Duration.between(report.madeAt(), due.due())))
                    .raw("<th scope=\"row\">");
            job(due.job(), due.cluster());
            page.raw("</th>")
                    .element("td", "n", secondsOrDash(due.usualSeconds()))
                    .raw("</tr>\n");
        });
        page.endTable();
    }

    private void months() {
        if (report.months().isEmpty()) {
            return;
        }
        page.table(
                "Months", "", List.of("month", "#completed", "#failed or stopped", "#missed", "#success", "#data", ""));
        for (Month month : report.months()) {
            int judged = month.completed() + month.failed() + month.missed();
            page.raw("<tr>")
                    .element("th", MONTH.format(month.month()))
                    .element("td", "n", Integer.toString(month.completed()))
                    .element("td", "n", Integer.toString(month.failed()))
                    .element("td", "n", Integer.toString(month.missed()))
                    .element("td", "n", judged == 0 ? "–" : Amounts.percent((double) month.completed() / judged))
                    .element("td", "n", Amounts.bytes(month.bytes()))
                    .element("td", "soft", month.kept() ? "in part from what housekeeping kept" : "")
                    .raw("</tr>\n");
        }
        page.endTable();
        List<Month> oldestFirst = new ArrayList<>(report.months());
        Collections.reverse(oldestFirst);
        if (oldestFirst.size() > 1) {
            page.raw("<div class=\"chart\">"
                    + Charts.bars(
                            oldestFirst.stream()
                                    .map(month -> MONTH.format(month.month()))
                                    .toList(),
                            oldestFirst.stream().map(Month::bytes).toList(),
                            oldestFirst.stream()
                                    .map(month -> Amounts.bytes(month.bytes()))
                                    .toList(),
                            "data moved in each month")
                    + "</div>\n");
        }
    }

    private void notes() {
        if (!report.notes().isEmpty()) {
            page.element("h2", "What this report could not judge").raw("<ul>");
            report.notes().forEach(note -> page.element("li", note));
            page.raw("</ul>\n");
        }
    }

    private static String style() {
        try (InputStream in = HtmlReport.class.getResourceAsStream("report.css")) {
            return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
