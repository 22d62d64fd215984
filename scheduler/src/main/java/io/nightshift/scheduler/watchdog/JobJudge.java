package io.nightshift.scheduler.watchdog;

import io.nightshift.infra.config.Durations;
import io.nightshift.infra.config.Missed.Policy;
import io.nightshift.infra.run.Severity;
import io.nightshift.scheduler.ledger.JobPast;
import io.nightshift.scheduler.ledger.JobPast.Cursor;
import io.nightshift.scheduler.ledger.JobPast.MissedTimes;
import io.nightshift.scheduler.ledger.JobPast.Present;
import io.nightshift.scheduler.ledger.RunState;
import io.nightshift.scheduler.ledger.ScheduledJob;
import io.nightshift.scheduler.schedule.DueTime;
import io.nightshift.scheduler.watchdog.Facts.OfJob;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What is wrong with a job on a cluster: due times and successes that are not there. It counts from the cursor, so a
 * schedule that was edited owes nothing for the time before.
 */
final class JobJudge {

    /** The ticker accounts for a due time within half a minute, whatever becomes of its trigger. */
    private static final Duration ACCOUNTED_WITHIN = Duration.ofMinutes(2);
    /** A queued run begins within seconds where a thread is free. */
    private static final Duration BEGUN_WITHIN = Duration.ofMinutes(5);

    private static final List<Duration> LOOK_BACK =
            List.of(Duration.ofDays(1), Duration.ofDays(8), Duration.ofDays(35));
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm xxx", Locale.ROOT);

    private final OfJob job;
    private final JobPast past;
    private final Facts facts;

    private JobJudge(OfJob job, Facts facts) {
        this.job = job;
        this.past = job.past();
        this.facts = facts;
    }

    static Stream<Condition> judge(OfJob job, Facts facts) {
        JobJudge judge = new JobJudge(job, facts);
        return Stream.of(judge.unaccounted(), judge.notBegun(), judge.missed(), judge.overdue(), judge.behindDeadline())
                .flatMap(Optional::stream);
    }

    /** The first due time that the clock should have accounted for. */
    static Optional<Condition> unaccounted(OfJob job, Facts facts) {
        return new JobJudge(job, facts).unaccounted();
    }

    private Optional<Condition> unaccounted() {
        ScheduledJob scheduled = job.scheduled();
        Cursor cursor = cursorInForce(scheduled, past);
        if (scheduled == null || cursor == null || takesTurns(scheduled)) {
            return Optional.empty();
        }
        return scheduled
                .schedule()
                .next(cursor.accountedUntil())
                .map(due -> due.at().plus(scheduled.offset()))
                .filter(begin -> begin.plus(ACCOUNTED_WITHIN).isBefore(facts.now()))
                .map(begin -> condition(
                        ConditionKind.LATE,
                        "late/" + name(),
                        null,
                        Severity.ERROR,
                        "due " + time(begin) + " and not accounted for, " + age(begin, facts.now()) + " late",
                        "look into the log of nightshift serve; nightshift plan shows what would become of it"));
    }

    /** Where each missed due time is made up for, the next ones wait for the run before. */
    private boolean takesTurns(ScheduledJob scheduled) {
        return scheduled.missed().policy() == Policy.ALL && past.present() != null;
    }

    private Optional<Condition> notBegun() {
        Present present = past.present();
        if (present == null
                || present.state() != RunState.QUEUED
                || !present.waitsSince().plus(BEGUN_WITHIN).isBefore(facts.databaseNow())) {
            return Optional.empty();
        }
        Instant due = present.due();
        return Optional.of(condition(
                ConditionKind.LATE,
                "late/run/" + present.run(),
                present.run(),
                Severity.WARNING,
                "run " + present.run() + (due == null ? "" : ", due " + time(due) + ",")
                        + " has not begun, it waits for "
                        + age(present.waitsSince(), facts.databaseNow())
                        + (present.waitingFor() == null ? "" : " (" + present.waitingFor() + ")"),
                "nightshift show " + present.run()));
    }

    private Optional<Condition> missed() {
        MissedTimes missed = past.missed();
        return missed == null
                ? Optional.empty()
                : Optional.of(condition(
                        ConditionKind.MISSED,
                        "missed/" + name(),
                        null,
                        Severity.ERROR,
                        missed.count() + (missed.count() == 1 ? " due time" : " due times")
                                + " missed and no run completed since, the newest " + time(missed.newest()) + ": "
                                + missed.reason(),
                        runIt()));
    }

    private Optional<Condition> overdue() {
        Duration within = job.expectation().successWithin();
        Instant since = Stream.of(past.lastSuccess(), past.firstAsked(), begun())
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(facts.watchingSince());
        if (within == null || !since.plus(within).isBefore(facts.now())) {
            return Optional.empty();
        }
        String fact = past.lastSuccess() == null
                ? "no run has ever completed, known since " + time(since)
                : "no run has completed since " + time(since);
        return Optional.of(condition(
                ConditionKind.OVERDUE,
                "overdue/" + name(),
                null,
                Severity.ERROR,
                fact + ", " + age(since, facts.now()) + " ago; expected within " + Durations.print(within)
                        + job.paused()
                                .apply(facts.now())
                                .map(pause -> "; it is " + pause)
                                .orElse(""),
                "nightshift history --job " + job.job() + " --cluster " + job.cluster() + ", then " + runIt()));
    }

    private @Nullable Instant begun() {
        Cursor cursor = past.cursor();
        return cursor == null ? null : cursor.inForceSince();
    }

    private Optional<Condition> behindDeadline() {
        LocalTime by = job.expectation().succeedBy();
        ScheduledJob scheduled = job.scheduled();
        Cursor cursor = cursorInForce(scheduled, past);
        if (by == null || scheduled == null || cursor == null) {
            return Optional.empty();
        }
        Instant deadline = lastDeadline(by, scheduled.missed().zone());
        Instant success = past.lastSuccess();
        return lastToRun(scheduled, deadline)
                .filter(due -> due.isAfter(cursor.inForceSince()))
                .filter(due -> success == null || success.isBefore(due))
                .map(due -> condition(
                        ConditionKind.BEHIND_DEADLINE,
                        "behind-deadline/" + name(),
                        null,
                        Severity.ERROR,
                        "due " + time(due) + " and expected to have completed by " + time(deadline) + ": it has not",
                        "nightshift history --job " + job.job() + " --cluster " + job.cluster() + ", then " + runIt()));
    }

    private Instant lastDeadline(LocalTime by, ZoneId zone) {
        ZonedDateTime today = facts.now().atZone(zone).toLocalDate().atTime(by).atZone(zone);
        return (today.toInstant().isAfter(facts.now()) ? today.minusDays(1) : today).toInstant();
    }

    /** The newest due time up to the deadline that nothing kept from running. */
    private Optional<Instant> lastToRun(ScheduledJob scheduled, Instant deadline) {
        Instant until = deadline.minus(scheduled.offset());
        return LOOK_BACK.stream()
                .flatMap(back -> scheduled.schedule().between(until.minus(back), until).stream()
                        .filter(due -> !due.isExcluded()
                                && job.paused().apply(due.at()).isEmpty())
                        .map(DueTime::at)
                        .reduce((earlier, later) -> later)
                        .stream())
                .findFirst();
    }

    /** The cursor, if it goes by the schedule of now. */
    static @Nullable Cursor cursorInForce(@Nullable ScheduledJob scheduled, JobPast past) {
        Cursor cursor = past.cursor();
        return scheduled != null
                        && cursor != null
                        && cursor.schedule().equals(scheduled.schedule().text())
                ? cursor
                : null;
    }

    private String name() {
        return job.job() + "@" + job.cluster();
    }

    private String runIt() {
        return "nightshift run " + job.job() + " --cluster " + job.cluster();
    }

    private Condition condition(
            ConditionKind kind, String key, @Nullable Long run, Severity severity, String detail, String remedy) {
        return new Condition(key, kind, job.job(), job.cluster(), run, severity, job.subject(), detail, remedy);
    }

    private String time(Instant at) {
        ScheduledJob scheduled = job.scheduled();
        return TIME.format(at.atZone(
                scheduled == null ? ZoneOffset.UTC : scheduled.missed().zone()));
    }

    private static String age(Instant from, Instant to) {
        return Durations.print(Duration.between(from, to).truncatedTo(ChronoUnit.MINUTES));
    }
}
