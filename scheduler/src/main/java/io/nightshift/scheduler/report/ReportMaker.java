package io.nightshift.scheduler.report;

import io.nightshift.infra.run.Severity;
import io.nightshift.scheduler.ledger.RunState;
import io.nightshift.scheduler.report.NightReport.BackupState;
import io.nightshift.scheduler.report.NightReport.Deadline;
import io.nightshift.scheduler.report.NightReport.Grid;
import io.nightshift.scheduler.report.NightReport.JobFigures;
import io.nightshift.scheduler.report.NightReport.MostFailing;
import io.nightshift.scheduler.report.NightReport.NextDue;
import io.nightshift.scheduler.report.NightReport.RunLine;
import io.nightshift.scheduler.report.NightReport.Totals;
import io.nightshift.scheduler.report.NightReport.Trouble;
import io.nightshift.scheduler.report.NightReport.Verdict;
import io.nightshift.scheduler.report.ReportData.JobKey;
import io.nightshift.scheduler.report.ReportData.RunRow;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** From what the ledger, the schedules and the storages say to the report; decides, and asks nobody. */
public final class ReportMaker {

    /** A run that begins later after its due time, beyond its jitter, began late. */
    public static final Duration LATE = Duration.ofMinutes(5);

    static final int MOST_IN_COURSE = 300;
    private static final int MOST_LINES = 5;
    private static final int MOST_NEXT = 20;
    /** From the best to the worst. */
    private static final List<RunState> BY_WEIGHT = List.of(
            RunState.COMPLETED,
            RunState.QUEUED,
            RunState.RUNNING,
            RunState.SKIPPED,
            RunState.REFUSED,
            RunState.STOPPED,
            RunState.MISSED,
            RunState.FAILED);

    private final Period period;
    private final Instant now;
    private final List<PlannedJob> planned;
    private final ReportData data;
    private final Map<JobKey, PlannedJob> plannedByKey;
    /** Of the period, while the data hold the whole grid. */
    private final List<RunRow> runs;

    private ReportMaker(Period period, Instant now, List<PlannedJob> planned, ReportData data) {
        this.period = period;
        this.now = now;
        this.planned = planned;
        this.data = data;
        this.plannedByKey = planned.stream().collect(Collectors.toMap(PlannedJob::key, job -> job));
        this.runs =
                data.runs().stream().filter(run -> period.contains(run.at())).toList();
    }

    /**
     * Makes a report.
     *
     * @param planned the jobs with due times as they are configured now
     * @param backups what each cluster could be restored from
     * @param notes what could not be asked
     */
    public static NightReport make(
            Period period,
            Instant now,
            ReportLedger ledger,
            List<PlannedJob> planned,
            List<BackupState> backups,
            List<String> notes) {
        return make(period, now, ledger.of(period), planned, backups, notes);
    }

    static NightReport make(
            Period period,
            Instant now,
            ReportData data,
            List<PlannedJob> planned,
            List<BackupState> backups,
            List<String> notes) {
        return new ReportMaker(period, now, planned, data).report(backups, notes);
    }

    private NightReport report(List<BackupState> backups, List<String> notes) {
        List<Trouble> troubles = troubles();
        List<Deadline> deadlines = deadlines();
        List<JobFigures> jobs = keys().stream().map(this::figures).toList();
        Totals totals = totals();
        Answers answers = new Answers(period, now, totals, troubles, deadlines, jobs, data.findings(), backups);
        return new NightReport(
                period.length(),
                period.date(),
                period.zone(),
                period.from(),
                period.to(),
                now,
                answers.all(),
                totals,
                grid(),
                course(),
                jobs,
                troubles,
                deadlines,
                data.findings(),
                data.gaps(),
                backups,
                longest(),
                mostFailing(),
                next(),
                data.months(),
                notes);
    }

    /** Everything that ran in the grid's nights or is to run, by name. */
    private List<JobKey> keys() {
        return Stream.concat(
                        data.runs().stream().map(RunRow::key), planned.stream().map(PlannedJob::key))
                .distinct()
                .sorted(Comparator.comparing(JobKey::job).thenComparing(JobKey::cluster))
                .toList();
    }

    private Totals totals() {
        long completed = count(RunState.COMPLETED);
        long judged = completed + count(RunState.FAILED) + count(RunState.STOPPED) + count(RunState.MISSED);
        return new Totals(
                runs.size(),
                (int) completed,
                (int) count(RunState.FAILED),
                (int) count(RunState.STOPPED),
                (int) count(RunState.MISSED),
                (int) count(RunState.SKIPPED),
                (int) count(RunState.REFUSED),
                (int) runs.stream().filter(run -> !run.state().hasEnded()).count(),
                judged == 0 ? null : (double) completed / judged,
                (int) runs.stream().filter(this::isLate).count(),
                (int) runs.stream().filter(run -> run.attempts() > 1).count(),
                runs.stream().mapToDouble(RunRow::seconds).sum(),
                runs.stream().mapToDouble(ReportMaker::bytes).sum());
    }

    private long count(RunState state) {
        return runs.stream().filter(run -> run.state() == state).count();
    }

    private boolean isLate(RunRow run) {
        return lateness(run).compareTo(LATE) > 0;
    }

    private Duration lateness(RunRow run) {
        if (run.due() == null || (run.startedAt() == null && run.state() != RunState.QUEUED)) {
            return Duration.ZERO;
        }
        PlannedJob plan = plannedByKey.get(run.key());
        Duration spread = plan == null ? Duration.ZERO : plan.spread();
        return Duration.between(run.due().plus(spread), Objects.requireNonNullElse(run.startedAt(), now));
    }

    // jobs × nights

    private Grid grid() {
        List<LocalDate> nights = period.gridNights();
        Map<JobKey, Map<LocalDate, List<RunRow>>> byNight = data.runs().stream()
                .collect(Collectors.groupingBy(RunRow::key, Collectors.groupingBy(run -> period.nightOf(run.at()))));
        return new Grid(
                nights,
                keys().stream()
                        .map(key -> new Grid.Row(
                                key.job(),
                                key.cluster(),
                                nights.stream()
                                        .map(night -> cell(byNight.getOrDefault(key, Map.of())
                                                .getOrDefault(night, List.of())))
                                        .toList()))
                        .toList());
    }

    private Grid.Cell cell(List<RunRow> ofNight) {
        return ofNight.stream()
                .max(Comparator.comparing((RunRow run) -> BY_WEIGHT.indexOf(run.state()))
                        .thenComparing(RunRow::id))
                .map(worst -> new Grid.Cell(
                        worst.state(),
                        ofNight.size(),
                        ofNight.stream().anyMatch(this::isLate),
                        ofNight.stream().anyMatch(run -> run.attempts() > 1),
                        ofNight.stream().anyMatch(RunRow::findings),
                        ofNight.stream().mapToDouble(RunRow::seconds).sum(),
                        worst.id()))
                .orElse(Grid.Cell.EMPTY);
    }

    // each job

    private JobFigures figures(JobKey key) {
        List<RunRow> own = runs.stream().filter(run -> run.key().equals(key)).toList();
        List<Double> seconds = own.stream()
                .filter(ReportMaker::isCompleted)
                .map(RunRow::seconds)
                .sorted()
                .toList();
        long judged = own.stream()
                .filter(run -> isCompleted(run)
                        || run.state() == RunState.FAILED
                        || run.state() == RunState.STOPPED
                        || run.state() == RunState.MISSED)
                .count();
        ReportData.Usual usual = data.usual().get(key);
        return new JobFigures(
                key.job(),
                key.cluster(),
                type(key),
                own.size(),
                seconds.size(),
                judged == 0 ? null : (double) seconds.size() / judged,
                quantile(seconds, 0.5),
                quantile(seconds, 0.95),
                usual == null ? null : usual.p50(),
                own.stream().mapToDouble(ReportMaker::bytes).sum(),
                usual == null ? null : usual.bytes(),
                data.lastSuccess().get(key),
                course(key));
    }

    private String type(JobKey key) {
        PlannedJob plan = plannedByKey.get(key);
        return plan != null
                ? plan.type()
                : data.runs().stream()
                        .filter(run -> run.key().equals(key))
                        .map(RunRow::type)
                        .findFirst()
                        .orElse("");
    }

    private List<@Nullable Double> course(JobKey key) {
        Map<LocalDate, List<Double>> byNight = data.runs().stream()
                .filter(run -> run.key().equals(key) && isCompleted(run))
                .collect(Collectors.groupingBy(
                        run -> period.nightOf(run.at()), Collectors.mapping(RunRow::seconds, Collectors.toList())));
        List<@Nullable Double> course = new ArrayList<>();
        for (LocalDate night : period.gridNights()) {
            List<Double> seconds =
                    byNight.getOrDefault(night, List.of()).stream().sorted().toList();
            course.add(quantile(seconds, 0.5));
        }
        return course;
    }

    /** The smallest value that is not less than so much of the others; null of nothing. */
    static @Nullable Double quantile(List<Double> sorted, double part) {
        return sorted.isEmpty() ? null : sorted.get((int) Math.max(0, Math.ceil(part * sorted.size()) - 1));
    }

    // what did not go as it should

    private List<Trouble> troubles() {
        List<Trouble> troubles = new ArrayList<>();
        runs.forEach(run -> trouble(run).ifPresent(troubles::add));
        planned.forEach(plan -> troubles.addAll(unaccounted(plan)));
        data.conditions().stream()
                // the runs themselves have said so already
                .filter(condition -> !List.of("late", "missed").contains(condition.kind()))
                .map(ReportMaker::trouble)
                .forEach(troubles::add);
        troubles.sort(Comparator.comparing(Trouble::verdict).reversed().thenComparing(Trouble::at));
        return troubles;
    }

    private Optional<Trouble> trouble(RunRow run) {
        String reason = run.reason() == null ? "" : run.reason();
        String fact = reason.lines().findFirst().orElse("no reason is known");
        String hint = reason.lines()
                .filter(line -> line.startsWith("HINT: "))
                .map(line -> line.substring("HINT: ".length()))
                .findFirst()
                .orElse(null);
        return Optional.ofNullable(
                switch (run.state()) {
                    case FAILED -> trouble(run, "failed", Verdict.BAD, fact, hint);
                    case STOPPED -> trouble(run, "stopped", Verdict.BAD, fact, hint);
                    case MISSED ->
                        trouble(
                                run,
                                "missed",
                                isCovered(run) ? Verdict.ATTENTION : Verdict.BAD,
                                fact,
                                hint == null && !isCovered(run)
                                        ? "nightshift run " + run.key().job()
                                        : hint);
                    case REFUSED -> trouble(run, "refused", Verdict.ATTENTION, fact, hint);
                    default ->
                        isLate(run)
                                ? trouble(
                                        run,
                                        "late",
                                        Verdict.ATTENTION,
                                        (run.startedAt() == null ? "still waits " : "began ")
                                                + Amounts.duration(lateness(run)) + " after it was due",
                                        null)
                                : run.attempts() > 1
                                        ? trouble(
                                                run,
                                                "retried",
                                                Verdict.ATTENTION,
                                                run.state() + " at attempt " + run.attempts(),
                                                "nightshift show " + run.id() + " tells why the attempts before failed")
                                        : null;
                });
    }

    static boolean isCovered(RunRow run) {
        return run.reason() != null && run.reason().contains("covered by run");
    }

    private static Trouble trouble(RunRow run, String kind, Verdict verdict, String text, @Nullable String remedy) {
        return new Trouble(kind, verdict, run.key().job(), run.key().cluster(), run.id(), run.at(), text, remedy);
    }

    private static Trouble trouble(ReportData.Condition condition) {
        return new Trouble(
                condition.kind(),
                condition.severity().isAtLeast(Severity.ERROR) ? Verdict.BAD : Verdict.ATTENTION,
                Objects.requireNonNullElse(condition.job(), "-"),
                Objects.requireNonNullElse(condition.cluster(), "-"),
                condition.run(),
                condition.beganAt(),
                condition.text(),
                condition.remedy());
    }

    /** Due times that passed while nobody served: no row of the ledger tells of them yet. */
    private List<Trouble> unaccounted(PlannedJob plan) {
        ReportData.Cursor cursor = data.cursors().get(plan.key());
        if (cursor == null || !cursor.schedule().equals(plan.schedule().text())) {
            return List.of();
        }
        Instant from = latest(cursor.until(), period.from().minusMillis(1));
        Instant until =
                earliest(now.minus(plan.spread()).minus(LATE), period.to().minusMillis(1));
        if (!from.isBefore(until)) {
            return List.of();
        }
        return plan.schedule().between(from, until).stream()
                .filter(due -> !due.isExcluded())
                .map(due -> new Trouble(
                        "not accounted for",
                        Verdict.BAD,
                        plan.job(),
                        plan.cluster(),
                        null,
                        due.at(),
                        "it was due and no Nightshift node has looked at the clock since",
                        "start nightshift serve"))
                .toList();
    }

    // by when it must have succeeded

    private List<Deadline> deadlines() {
        List<Deadline> deadlines = new ArrayList<>();
        for (PlannedJob plan : planned) {
            if (plan.succeedBy() != null) {
                for (LocalDate night : period.nights()) {
                    deadline(plan, night).ifPresent(deadlines::add);
                }
            }
        }
        return deadlines;
    }

    private Optional<Deadline> deadline(PlannedJob plan, LocalDate night) {
        Instant begin = period.beginOf(night);
        Instant deadline = Stream.of(night.minusDays(1), night, night.plusDays(1))
                .map(day -> day.atTime(Objects.requireNonNull(plan.succeedBy()))
                        .atZone(plan.zone())
                        .toInstant())
                .filter(at -> !at.isBefore(begin) && at.isBefore(period.endOf(night)))
                .findFirst()
                .orElse(period.endOf(night));
        List<RunRow> own = runs.stream()
                .filter(run -> run.key().equals(plan.key())
                        && period.nightOf(run.at()).equals(night)
                        && !run.at().isAfter(deadline))
                .toList();
        boolean isDue =
                plan.schedule().between(begin.minusMillis(1), deadline).stream().anyMatch(due -> !due.isExcluded());
        ReportData.Cursor cursor = data.cursors().get(plan.key());
        if (own.isEmpty() && (!isDue || cursor == null || cursor.since().isAfter(deadline))) {
            return Optional.empty();
        }
        Instant completedAt = own.stream()
                .filter(ReportMaker::isCompleted)
                .map(RunRow::endedAt)
                .filter(Objects::nonNull)
                .min(Comparator.naturalOrder())
                .orElse(null);
        Boolean met = completedAt != null
                ? Boolean.valueOf(!completedAt.isAfter(deadline))
                : now.isBefore(deadline) ? null : Boolean.FALSE;
        return Optional.of(new Deadline(
                plan.job(), plan.cluster(), night, deadline, met, completedAt, told(met, completedAt, deadline, own)));
    }

    private static String told(
            @Nullable Boolean met, @Nullable Instant completedAt, Instant deadline, List<RunRow> own) {
        if (completedAt != null) {
            return Boolean.TRUE.equals(met)
                    ? Amounts.age(Duration.between(completedAt, deadline)) + " to spare"
                    : Amounts.age(Duration.between(deadline, completedAt)) + " too late";
        }
        if (met == null) {
            return "still to come";
        }
        return own.isEmpty()
                ? "did not run"
                : "last: " + own.get(own.size() - 1).state();
    }

    // the rest

    private List<RunLine> longest() {
        return runs.stream()
                .filter(run -> run.seconds() > 0)
                .sorted(Comparator.comparing(RunRow::seconds).reversed())
                .limit(MOST_LINES)
                .map(this::line)
                .toList();
    }

    private List<RunLine> course() {
        return period.length() != Period.Length.DAY
                ? List.of()
                : runs.stream().limit(MOST_IN_COURSE).map(this::line).toList();
    }

    /** A run that goes on has taken as long as it has until now. */
    private RunLine line(RunRow run) {
        boolean goesOn = run.state() == RunState.RUNNING && run.startedAt() != null;
        return new RunLine(
                run.id(),
                run.key().job(),
                run.key().cluster(),
                run.state(),
                run.due(),
                run.startedAt(),
                goesOn ? Duration.between(run.startedAt(), now).toMillis() / 1000.0 : run.seconds(),
                run.bytes() == null ? null : run.bytes().longValue());
    }

    /** Over all nights of the grid: one night says little about that. */
    private List<MostFailing> mostFailing() {
        Predicate<RunRow> isFailure = run ->
                run.state() == RunState.FAILED || run.state() == RunState.STOPPED || run.state() == RunState.MISSED;
        Map<JobKey, List<RunRow>> byJob = data.runs().stream()
                .filter(run -> run.state().hasEnded())
                .collect(Collectors.groupingBy(RunRow::key, LinkedHashMap::new, Collectors.toList()));
        return byJob.entrySet().stream()
                .map(job -> new MostFailing(
                        job.getKey().job(),
                        job.getKey().cluster(),
                        (int) job.getValue().stream().filter(isFailure).count(),
                        job.getValue().size()))
                .filter(job -> job.failed() > 0)
                .sorted(Comparator.comparing(MostFailing::failed).reversed())
                .limit(MOST_LINES)
                .toList();
    }

    private List<NextDue> next() {
        return planned.stream()
                .flatMap(plan -> plan.schedule().nextToRun(now).stream()
                        .map(due -> new NextDue(
                                plan.job(),
                                plan.cluster(),
                                due.at(),
                                Optional.ofNullable(data.usual().get(plan.key()))
                                        .map(ReportData.Usual::p50)
                                        .orElse(null))))
                .sorted(Comparator.comparing(NextDue::due))
                .limit(MOST_NEXT)
                .toList();
    }

    private static boolean isCompleted(RunRow run) {
        return run.state() == RunState.COMPLETED;
    }

    private static double bytes(RunRow run) {
        return run.bytes() == null ? 0 : run.bytes();
    }

    private static Instant latest(Instant a, Instant b) {
        return a.isAfter(b) ? a : b;
    }

    private static Instant earliest(Instant a, Instant b) {
        return a.isBefore(b) ? a : b;
    }
}
