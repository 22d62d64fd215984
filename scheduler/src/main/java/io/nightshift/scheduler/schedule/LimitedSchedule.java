package io.nightshift.scheduler.schedule;

import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The due times of another schedule between two days; those that calendars exclude say so. */
final class LimitedSchedule implements Schedule {

    private final Schedule schedule;
    private final Instant first;
    private final Instant end;
    private final List<WorkCalendar> except;
    private final List<WorkCalendar> only;

    LimitedSchedule(
            Schedule schedule,
            ZoneId zone,
            @Nullable LocalDate from,
            @Nullable LocalDate until,
            List<WorkCalendar> except,
            List<WorkCalendar> only) {
        this.schedule = schedule;
        this.first = from == null ? Instant.MIN : from.atStartOfDay(zone).toInstant();
        this.end = until == null
                ? Instant.MAX
                : until.plusDays(1).atStartOfDay(zone).toInstant();
        this.except = List.copyOf(except);
        this.only = List.copyOf(only);
    }

    @Override
    public Optional<DueTime> next(Instant after) {
        return schedule.next(after.isBefore(first) ? first.minusNanos(1) : after)
                .filter(due -> due.at().isBefore(end))
                .map(this::judged);
    }

    @Override
    public boolean excludes(Instant time) {
        return judged(DueTime.at(time)).isExcluded();
    }

    private DueTime judged(DueTime due) {
        DueTime judged = due;
        for (WorkCalendar calendar : except) {
            Optional<String> inside = calendar.at(due.at());
            if (inside.isPresent()) {
                judged = judged.excluded("in calendar " + calendar.name() + ": " + inside.get());
            }
        }
        if (!only.isEmpty()
                && only.stream().allMatch(calendar -> calendar.at(due.at()).isEmpty())) {
            judged = judged.excluded("outside of calendar "
                    + String.join(", ", only.stream().map(WorkCalendar::name).toList()));
        }
        return judged;
    }

    @Override
    public String text() {
        return schedule.text()
                + (first.equals(Instant.MIN) ? "" : " from " + first)
                + (end.equals(Instant.MAX) ? "" : " until " + end)
                + except.stream().map(calendar -> " except " + calendar.text()).reduce("", String::concat)
                + only.stream().map(calendar -> " only " + calendar.text()).reduce("", String::concat);
    }
}
