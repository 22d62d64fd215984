package io.nightshift.infra.config;

import java.time.DayOfWeek;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.List;

/**
 * When people work with the managed clusters: what was missed at night and is heavy does not begin then.
 *
 * @param to excluded
 */
public record WorkingDay(
        @Describe("heavy jobs that missed their time do not begin from then on")
        LocalTime from,

        @Describe("until then") LocalTime to,
        @Describe("days of the week on which people work") List<DayOfWeek> days) {

    public WorkingDay {
        new Refusals()
                .when(!from.isBefore(to), "from is not before to")
                .when(days.isEmpty(), "days is empty")
                .throwIfAny();
    }

    static WorkingDay defaults() {
        return new WorkingDay(
                LocalTime.of(7, 0),
                LocalTime.of(19, 0),
                List.of(
                        DayOfWeek.MONDAY,
                        DayOfWeek.TUESDAY,
                        DayOfWeek.WEDNESDAY,
                        DayOfWeek.THURSDAY,
                        DayOfWeek.FRIDAY));
    }

    public boolean contains(Instant time, ZoneId zone) {
        ZonedDateTime wall = time.atZone(zone);
        LocalTime clock = wall.toLocalTime();
        return days.contains(wall.getDayOfWeek()) && !clock.isBefore(from) && clock.isBefore(to);
    }

    @Override
    public String toString() {
        return "working day (" + from + " to " + to + ")";
    }
}
