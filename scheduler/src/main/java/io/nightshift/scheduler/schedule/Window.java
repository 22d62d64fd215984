package io.nightshift.scheduler.schedule;

import io.nightshift.infra.config.WorkingDay;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.stream.Stream;

/**
 * When a heavy job begins that another job has asked for: in the window that its due times open, each for as long as it may
 * be late. A job that is due less often than daily has its window each day, as far as its calendars allow. Pure.
 */
public final class Window {

    private static final Duration DAY = Duration.ofDays(1);

    private Window() {}

    /** Now, while the window is open, or when it opens next; now as well if it never does. */
    public static Instant opens(Schedule schedule, MissedRule rule, Instant now) {
        List<Instant> beginnings = beginnings(schedule, rule, now).sorted().toList();
        boolean isOpen = beginnings.stream()
                .anyMatch(begin ->
                        !begin.isAfter(now) && rule.tooLate(begin, now, false).isEmpty());
        return isOpen
                ? now
                : beginnings.stream()
                        .filter(begin -> begin.isAfter(now))
                        .findFirst()
                        .or(() -> schedule.nextToRun(now).map(DueTime::at))
                        .orElse(now);
    }

    /** From the first that may still be open to those of the coming day. */
    private static Stream<Instant> beginnings(Schedule schedule, MissedRule rule, Instant now) {
        Duration lateness = rule.maxLateness();
        Instant from = now.minus(lateness == null ? DAY : lateness);
        Stream<Instant> due = schedule.between(from, now.plus(DAY)).stream()
                .filter(time -> !time.isExcluded())
                .map(DueTime::at);
        return Stream.concat(
                due,
                schedule.nextToRun(now)
                        .map(next -> sameTimeOfDaysBefore(next.at(), from, rule.zone()))
                        .orElseGet(Stream::empty)
                        .filter(time -> !schedule.excludes(time)
                                && (rule.workingDay() == null
                                        || !rule.workingDay().contains(time, rule.zone()))));
    }

    private static Stream<Instant> sameTimeOfDaysBefore(Instant due, Instant from, ZoneId zone) {
        ZonedDateTime time = due.atZone(zone);
        return Stream.iterate(1, days -> days + 1)
                .map(days -> time.minusDays(days).toInstant())
                .takeWhile(from::isBefore);
    }

    /** Of a job without due times: outside of the working day. */
    public static Instant opens(WorkingDay day, ZoneId zone, Instant now) {
        return day.contains(now, zone) ? now.atZone(zone).with(day.to()).toInstant() : now;
    }
}
