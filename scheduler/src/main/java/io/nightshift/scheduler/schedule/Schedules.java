package io.nightshift.scheduler.schedule;

import io.nightshift.infra.config.CalendarConfig;
import io.nightshift.infra.config.Schedule.Cron;
import io.nightshift.infra.config.Schedule.Every;
import io.nightshift.infra.config.Schedule.Timed;
import io.nightshift.infra.config.ScheduleRules;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** From what is configured to due times. Reads the calendars once. */
public final class Schedules {

    /** What the configuration asks about schedules. */
    public static final ScheduleRules RULES = new ScheduleRules() {
        @Override
        public Optional<String> cronProblem(String expression) {
            return CronSchedule.problem(expression);
        }

        @Override
        public Optional<String> calendarProblem(Path file) {
            return EventFile.problem(file);
        }
    };

    private final Map<String, WorkCalendar> calendars = new HashMap<>();

    public Schedules(Map<String, CalendarConfig> configured) {
        configured.forEach((name, config) -> calendars.put(name, new WorkCalendar(config)));
    }

    /** The due times of a job; empty when it has none of its own: it follows another, never ends, or is only asked for. */
    public Optional<Schedule> of(io.nightshift.infra.config.Schedule configured) {
        return configured instanceof Timed timed ? Optional.of(timed(timed)) : Optional.empty();
    }

    private Schedule timed(Timed timed) {
        Schedule plain =
                timed instanceof Every every ? new IntervalSchedule(every.every(), anchor(every)) : cron((Cron) timed);
        return new LimitedSchedule(
                plain, timed.zone(), timed.from(), timed.until(), named(timed.except()), named(timed.only()));
    }

    private static Schedule cron(Cron cron) {
        return new CronSchedule(cron.cron(), cron.zone(), cron.dst());
    }

    private static Instant anchor(Every every) {
        return every.from() == null
                ? Instant.EPOCH
                : every.from().atStartOfDay(every.zone()).toInstant();
    }

    private List<WorkCalendar> named(List<String> names) {
        return names.stream()
                .map(name -> Objects.requireNonNull(calendars.get(name), name))
                .toList();
    }
}
