package io.nightshift.infra.config;

import java.time.LocalDateTime;
import java.time.format.DateTimeParseException;
import org.jspecify.annotations.Nullable;

/**
 * One stretch of time by the clock on the wall, such as a change freeze.
 *
 * @param to excluded
 * @param name why; null for no particular reason
 */
public record DateWindow(
        LocalDateTime from, LocalDateTime to, @Nullable String name) {

    private static final String SEPARATOR = " - ";

    /** Reads {@code 2026-12-24T18:00 - 2026-12-27T06:00} and, with a reason, {@code … year-end freeze} after it. */
    public static DateWindow parse(String text) {
        int separator = text.indexOf(SEPARATOR);
        if (separator < 0) {
            throw refused(text);
        }
        String rest = text.substring(separator + SEPARATOR.length());
        int space = rest.indexOf(' ');
        try {
            LocalDateTime from = LocalDateTime.parse(text.substring(0, separator));
            LocalDateTime to = LocalDateTime.parse(space < 0 ? rest : rest.substring(0, space));
            if (!to.isAfter(from)) {
                throw new IllegalArgumentException("\"" + text + "\" ends before it begins");
            }
            return new DateWindow(from, to, space < 0 ? null : rest.substring(space + 1));
        } catch (DateTimeParseException noTime) {
            throw refused(text);
        }
    }

    private static IllegalArgumentException refused(String text) {
        return new IllegalArgumentException(
                "\"" + text
                        + "\" is not accepted; accepted: a stretch such as 2026-12-24T18:00 - 2026-12-27T06:00 year-end freeze");
    }

    public boolean contains(LocalDateTime wall) {
        return !wall.isBefore(from) && wall.isBefore(to);
    }

    @Override
    public String toString() {
        return from + SEPARATOR + to + (name == null ? "" : " " + name);
    }
}
