package io.nightshift.scheduler.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.nightshift.scheduler.ledger.RunState;
import io.nightshift.scheduler.report.NightReport.Answer;
import io.nightshift.scheduler.report.NightReport.Deadline;
import io.nightshift.scheduler.report.NightReport.Trouble;
import io.nightshift.scheduler.report.NightReport.Verdict;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A night as it should be, and one with a miss, a failure, a retry and a late start. */
class NightReportTest {

    /** Where the pages are left, for looking at them. */
    private static final Path PAGES = Path.of("target", "report-pages");

    private static PlantedNights good;
    private static PlantedNights bad;

    @BeforeAll
    static void plant() throws Exception {
        good = new PlantedNights();
        bad = new PlantedNights().spoil();
        Files.createDirectories(PAGES);
    }

    @AfterAll
    static void close() {
        good.close();
        bad.close();
    }

    @Test
    void says_of_a_night_as_it_should_be_that_nothing_went_wrong() throws Exception {
        NightReport report = good.report(Period.Length.DAY);
        Files.writeString(PAGES.resolve("good.html"), HtmlReport.of(report));

        assertThat(report.troubles()).isEmpty();
        assertThat(report.answers())
                .extracting(Answer::verdict)
                .containsExactly(Verdict.GOOD, Verdict.UNKNOWN, Verdict.GOOD);
        assertThat(report.answers().get(0).answer()).isEqualTo("Yes: all 15 runs completed.");
        assertThat(report.answers().get(1).answer())
                .startsWith("Probably: each of 2 clusters has a backup, the oldest (stage) 31 h old")
                .contains("never proven by a restore");
        assertThat(report.totals().successRate()).isEqualTo(1.0);
        assertThat(report.deadlines()).extracting(Deadline::met).containsExactly(true, true);
        assertThat(report.findings()).isEmpty();
        assertThat(report.notEvaluated()).isEmpty();
    }

    @Test
    void tells_the_miss_the_failure_the_retry_and_the_late_start() throws Exception {
        NightReport report = bad.report(Period.Length.DAY);
        Files.writeString(PAGES.resolve("bad.html"), HtmlReport.of(report));

        assertThat(report.troubles())
                .extracting(Trouble::kind, Trouble::job, Trouble::verdict)
                .containsExactlyInAnyOrder(
                        tuple("missed", "chanuka-incremental", Verdict.BAD),
                        tuple("failed", "stage-full-backup", Verdict.BAD),
                        tuple("overdue", "stage-full-backup", Verdict.BAD),
                        tuple("late", "chanuka-full-backup", Verdict.ATTENTION),
                        tuple("retried", "chanuka-integrity", Verdict.ATTENTION));
        assertThat(report.answers().get(0).answer())
                .isEqualTo("No: 1 failed, 1 missed, 1 overdue, 2 deadlines not met, 1 late, 1 retried.");
        assertThat(report.troubles())
                .filteredOn(trouble -> trouble.kind().equals("failed"))
                .singleElement()
                .satisfies(trouble -> assertThat(trouble.remedy()).startsWith("raise max_wal_senders on db3"));
        assertThat(report.verdict()).isEqualTo(Verdict.BAD);
    }

    @Test
    void judges_by_when_a_job_must_have_succeeded() {
        assertThat(bad.report(Period.Length.DAY).deadlines())
                .extracting(Deadline::job, Deadline::met, Deadline::text)
                .containsExactly(
                        tuple("chanuka-full-backup", false, "25 min too late"),
                        tuple("stage-full-backup", false, "last: failed"));
    }

    @Test
    void names_what_got_worse() {
        NightReport report = bad.report(Period.Length.DAY);

        assertThat(report.answers().get(2).verdict()).isEqualTo(Verdict.BAD);
        assertThat(report.answers().get(2).answer())
                .startsWith("1 new finding (error: index orders_customer_idx <of> \"orders\")")
                .contains("chanuka-full-backup on chanuka took ", " times as long as usual");
        assertThat(report.notEvaluated()).extracting(NightReport.Gap::subject).containsExactly("database scratch");
    }

    @Test
    void shows_the_worst_of_each_night_in_the_grid() {
        NightReport report = bad.report(Period.Length.DAY);

        assertThat(report.grid().nights()).hasSize(14).endsWith(PlantedNights.MORNING);
        assertThat(report.grid().rows())
                .extracting(
                        NightReport.Grid.Row::job,
                        row -> row.cells().get(13).state(),
                        row -> row.cells().get(12).state())
                .containsExactly(
                        tuple("chanuka-full-backup", RunState.COMPLETED, RunState.COMPLETED),
                        tuple("chanuka-incremental", RunState.MISSED, RunState.COMPLETED),
                        tuple("chanuka-integrity", RunState.COMPLETED, null),
                        tuple("stage-full-backup", RunState.FAILED, RunState.COMPLETED),
                        tuple("stage-index-advice", RunState.COMPLETED, RunState.COMPLETED));
        assertThat(report.grid().rows().get(0).cells().get(13).late()).isTrue();
        assertThat(report.grid().rows().get(2).cells().get(13).retried()).isTrue();
    }

    @Test
    void notices_due_times_that_nobody_has_accounted_for() {
        try (PlantedNights down = new PlantedNights()) {
            Instant stopped = PlantedNights.MORNING
                    .atTime(0, 30)
                    .atZone(PlantedNights.NAIROBI)
                    .toInstant();
            down.sql()
                    .sql("DELETE FROM run WHERE due > :stopped")
                    .param("stopped", java.sql.Timestamp.from(stopped))
                    .update();
            down.sql()
                    .sql("UPDATE schedule_cursor SET accounted_until = :stopped")
                    .param("stopped", java.sql.Timestamp.from(stopped))
                    .update();

            NightReport report = down.report(Period.Length.DAY);

            assertThat(report.troubles())
                    .hasSize(8)
                    .allSatisfy(trouble -> assertThat(trouble.kind()).isEqualTo("not accounted for"));
            assertThat(report.deadlines()).extracting(Deadline::text).containsOnly("did not run");
            assertThat(report.verdict()).isEqualTo(Verdict.BAD);
        }
    }

    @Test
    void covers_a_week_and_a_month_and_compares_with_the_weeks_before() throws Exception {
        NightReport week = good.report(Period.Length.WEEK);
        NightReport month = bad.report(Period.Length.MONTH);
        Files.writeString(PAGES.resolve("month.html"), HtmlReport.of(month));

        assertThat(week.grid().nights()).hasSize(14);
        assertThat(month.grid().nights()).hasSize(30);
        assertThat(week.jobs().get(0).runs()).isEqualTo(7);
        assertThat(week.jobs().get(0).trend()).isBetween(1.0, 1.2);
        assertThat(month.totals().missed()).isEqualTo(1);
        assertThat(week.course()).isEmpty();
        assertThat(month.months()).extracting(NightReport.Month::month).startsWith(LocalDate.of(2026, 11, 1));
    }

    @Test
    void puts_a_moment_into_the_night_of_its_morning_on_days_of_any_length() {
        ZoneId berlin = ZoneId.of("Europe/Berlin");
        Period spring = new Period(Period.Length.DAY, LocalDate.of(2026, 3, 29), berlin);

        assertThat(spring.from()).isEqualTo(Instant.parse("2026-03-28T11:00:00Z"));
        assertThat(spring.to()).isEqualTo(Instant.parse("2026-03-29T10:00:00Z"));
        assertThat(spring.nightOf(Instant.parse("2026-03-28T10:59:59Z"))).isEqualTo(LocalDate.of(2026, 3, 28));
        assertThat(spring.nightOf(Instant.parse("2026-03-28T11:00:00Z"))).isEqualTo(LocalDate.of(2026, 3, 29));
        assertThat(spring.nights()).containsExactly(LocalDate.of(2026, 3, 29));
    }

    @Test
    void writes_a_page_that_needs_nothing_else_and_escapes_everything() {
        String page = HtmlReport.of(bad.report(Period.Length.DAY));

        assertThat(page)
                .contains("index orders_customer_idx &lt;of&gt; &quot;orders&quot;", "block 17 &amp; 18")
                .contains(
                        "@media print", "prefers-color-scheme: dark", "<svg", "<title>Night to Sunday 22 November 2026")
                .doesNotContain("<script", "http:", "https:", "url(", "@import", "<link", "<of>");
        assertThat(well(page)).as("an open tag for each closed one").isTrue();
    }

    @Test
    void answers_in_words_when_there_is_nothing() {
        NightReport report = ReportMaker.make(
                new Period(Period.Length.DAY, LocalDate.of(2020, 1, 1), PlantedNights.NAIROBI),
                Instant.parse("2020-01-01T06:00:00Z"),
                new ReportLedger(good.database().pool()),
                List.of(),
                List.of(),
                List.of());

        assertThat(report.answers().get(0).answer()).isEqualTo("Nothing ran and nothing was due.");
        assertThat(report.verdict()).isEqualTo(Verdict.UNKNOWN);
        assertThat(HtmlReport.of(report)).contains("</html>");
    }

    /** A strict reader of tags, for a page that has no void elements but meta. */
    private static boolean well(String page) {
        java.util.Deque<String> open = new java.util.ArrayDeque<>();
        java.util.regex.Matcher tags =
                java.util.regex.Pattern.compile("<(/?)([a-z0-9]+)[^>]*?(/?)>").matcher(page);
        while (tags.find()) {
            if (tags.group(2).equals("meta") || !tags.group(3).isEmpty()) {
                continue;
            }
            if (tags.group(1).isEmpty()) {
                open.push(tags.group(2));
            } else if (!open.pop().equals(tags.group(2))) {
                return false;
            }
        }
        return open.isEmpty();
    }
}
