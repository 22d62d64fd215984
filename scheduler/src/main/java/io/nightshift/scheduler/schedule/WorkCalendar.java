package io.nightshift.scheduler.schedule;

import io.nightshift.infra.config.CalendarConfig;
import java.time.Instant;
import java.time.LocalDateTime;
import java.util.Optional;
import java.util.stream.Stream;

/** A calendar that schedules leave out or keep to. */
final class WorkCalendar {

    private final CalendarConfig config;
    private final EventFile events;

    WorkCalendar(CalendarConfig config) {
        this.config = config;
        this.events = config.icalendar() == null ? EventFile.EMPTY : EventFile.read(config.icalendar());
    }

    String name() {
        return config.name();
    }

    /** What of the calendar the time is in, such as {@code Christmas}; empty when it is not in the calendar. */
    Optional<String> at(Instant time) {
        LocalDateTime wall = LocalDateTime.ofInstant(time, config.zone());
        return Stream.of(
                        config.days().stream()
                                .filter(day -> day.contains(wall.toLocalDate()))
                                .map(Object::toString),
                        config.weekly().stream()
                                .filter(week -> week.contains(wall))
                                .map(Object::toString),
                        config.windows().stream()
                                .filter(window -> window.contains(wall))
                                .map(Object::toString),
                        events.at(time, config.zone()).stream())
                .flatMap(part -> part)
                .findFirst();
    }

    /** Changes when the calendar may exclude other times. */
    String text() {
        return config.name() + " " + config.zone() + " " + config.days() + config.weekly() + config.windows()
                + events.text();
    }
}
