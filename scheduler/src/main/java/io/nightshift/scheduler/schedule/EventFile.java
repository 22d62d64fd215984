package io.nightshift.scheduler.schedule;

import biweekly.Biweekly;
import biweekly.ICalendar;
import biweekly.component.VEvent;
import biweekly.io.ParseWarning;
import biweekly.io.TimezoneInfo;
import biweekly.io.text.ICalReader;
import biweekly.property.DateStart;
import biweekly.util.com.google.ical.compat.javautil.DateIterator;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TimeZone;
import org.jspecify.annotations.Nullable;

/** The events of an iCalendar file (RFC 5545), recurring ones included. */
final class EventFile {

    static final EventFile EMPTY = new EventFile(new ICalendar());

    private static final Duration DAY = Duration.ofDays(1);

    /** What decides when an event is: left out, a day would be free that is not. */
    private static final Set<String> TIMES =
            Set.of("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE");

    private final ICalendar calendar;

    private EventFile(ICalendar calendar) {
        this.calendar = calendar;
    }

    /** Throws CONFIGURATION when the file is not readable or no iCalendar. */
    static EventFile read(Path file) {
        try (ICalReader reader = new ICalReader(Files.readString(file))) {
            ICalendar calendar = reader.readNext();
            for (ParseWarning warning : reader.getWarnings()) {
                if (TIMES.contains(String.valueOf(warning.getPropertyName()))) {
                    throw refused(
                            file,
                            "is not understood: line " + warning.getLineNumber() + ", " + warning.getPropertyName()
                                    + ": " + warning.getMessage(),
                            null);
                }
            }
            if (calendar == null || calendar.getEvents().isEmpty()) {
                throw refused(file, "holds no event (VEVENT)", null);
            }
            for (VEvent event : calendar.getEvents()) {
                if (event.getDateStart() == null || event.getDateStart().getValue() == null) {
                    throw refused(file, "has an event without a start (DTSTART)", null);
                }
            }
            return new EventFile(calendar);
        } catch (IOException unreadable) {
            throw refused(file, "is not readable: " + unreadable.getMessage(), unreadable);
        }
    }

    /** What is wrong with a file; empty when nothing is. */
    static Optional<String> problem(Path file) {
        try {
            read(file);
            return Optional.empty();
        } catch (NightshiftException refused) {
            return Optional.ofNullable(refused.getMessage());
        }
    }

    private static NightshiftException refused(Path file, String fact, @Nullable Throwable cause) {
        return new NightshiftException(
                FailureKind.CONFIGURATION,
                "iCalendar file " + file + " " + fact,
                "export it again as iCalendar (.ics, RFC 5545)",
                cause);
    }

    /** The event that the time is in; whole days are those of the zone. */
    Optional<String> at(Instant time, ZoneId zone) {
        return calendar.getEvents().stream()
                .filter(event -> contains(event, time, zone))
                .findFirst()
                .map(EventFile::name);
    }

    private boolean contains(VEvent event, Instant time, ZoneId zone) {
        DateStart start = event.getDateStart();
        boolean wholeDays = !start.getValue().hasTime();
        // Whole days are compared as days: midnight of the time's own day stands for it.
        Instant asked = wholeDays
                ? LocalDate.ofInstant(time, zone).atStartOfDay(ZoneOffset.UTC).toInstant()
                : time;
        Duration length = length(event, wholeDays);
        TimezoneInfo zones = calendar.getTimezoneInfo();
        TimeZone of = wholeDays || zones.isFloating(start)
                ? TimeZone.getTimeZone(wholeDays ? ZoneOffset.UTC : zone)
                : Optional.ofNullable(zones.getTimezone(start))
                        .map(assigned -> assigned.getTimeZone())
                        .orElse(TimeZone.getTimeZone(ZoneOffset.UTC));
        DateIterator starts = event.getDateIterator(of);
        starts.advanceTo(Date.from(asked.minus(length)));
        while (starts.hasNext()) {
            Instant begin = starts.next().toInstant();
            if (begin.isAfter(asked)) {
                return false;
            }
            if (asked.isBefore(begin.plus(length))) {
                return true;
            }
        }
        return false;
    }

    private static Duration length(VEvent event, boolean wholeDays) {
        Instant start = event.getDateStart().getValue().toInstant();
        if (event.getDateEnd() != null) {
            return Duration.between(start, event.getDateEnd().getValue().toInstant());
        }
        if (event.getDuration() != null) {
            return Duration.ofMillis(event.getDuration().getValue().toMillis());
        }
        return wholeDays ? DAY : Duration.ZERO;
    }

    private static String name(VEvent event) {
        return event.getSummary() == null ? "an event" : event.getSummary().getValue();
    }

    String text() {
        List<VEvent> events = calendar.getEvents();
        return events.isEmpty()
                ? ""
                : Integer.toHexString(Biweekly.write(calendar).go().hashCode());
    }
}
