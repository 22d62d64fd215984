package io.nightshift.scheduler.report;

import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.Locale;

/**
 * The nights of a report. A night goes from noon to noon and belongs to the morning on which it ends: an evening's work
 * and that of the small hours are one night.
 *
 * @param date the morning of the last night
 */
public record Period(Length length, LocalDate date, ZoneId zone) {

    /** How many nights, up to the date. */
    public enum Length {
        DAY(1),
        WEEK(7),
        MONTH(30);

        private final int nights;

        Length(int nights) {
            this.nights = nights;
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private static final LocalTime NOON = LocalTime.NOON;
    /** So many nights side by side show what is usual. */
    private static final int LEAST_IN_GRID = 14;

    public Instant from() {
        return beginOf(first());
    }

    /** Excluded. */
    public Instant to() {
        return date.atTime(NOON).atZone(zone).toInstant();
    }

    /** The mornings of the nights, oldest first. */
    public List<LocalDate> nights() {
        return first().datesUntil(date.plusDays(1)).toList();
    }

    /** The same nights, with enough before them to compare with. */
    List<LocalDate> gridNights() {
        LocalDate first = date.minusDays(Math.max(LEAST_IN_GRID, length.nights) - 1L);
        return first.datesUntil(date.plusDays(1)).toList();
    }

    /** The morning of the night that a moment belongs to. */
    LocalDate nightOf(Instant at) {
        ZonedDateTime wall = at.atZone(zone);
        return wall.toLocalTime().isBefore(NOON)
                ? wall.toLocalDate()
                : wall.toLocalDate().plusDays(1);
    }

    Instant beginOf(LocalDate night) {
        return night.minusDays(1).atTime(NOON).atZone(zone).toInstant();
    }

    Instant endOf(LocalDate night) {
        return night.atTime(NOON).atZone(zone).toInstant();
    }

    boolean contains(Instant at) {
        return !at.isBefore(from()) && at.isBefore(to());
    }

    private LocalDate first() {
        return date.minusDays(length.nights - 1L);
    }
}
