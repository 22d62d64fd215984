package io.nightshift.scheduler.cli;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.scheduler.ledger.PageToken;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.TypeConversionException;

/** Values as people type them. */
final class Arguments {

    /** Lets the configuration's own reader of durations judge. */
    private record Typed(Duration value) {}

    private static final Pattern CHOICE =
            Pattern.compile("expected one of \\[(.*)] \\(case-insensitive\\) but was '(.*)'$");
    private static final Pattern NUMBER = Pattern.compile("'([^']*)' is not an? (int|long|double)$");

    private Arguments() {}

    static Duration duration(String text) {
        try {
            return RecordBinder.fromMap(Typed.class, Map.of("value", text)).value();
        } catch (RuntimeException e) {
            throw new TypeConversionException("\"" + text + "\" is not a duration; accepted: 90s, 15m, 4h, 7d");
        }
    }

    /** A moment in UTC, a day, or a time ago such as 7d. */
    static Instant instant(String text) {
        try {
            return text.length() == 10
                    ? LocalDate.parse(text).atStartOfDay().toInstant(ZoneOffset.UTC)
                    : Instant.parse(text);
        } catch (DateTimeParseException e) {
            throw new TypeConversionException(
                    "\"" + text + "\" is not a time; accepted: 2026-11-22, 2026-11-22T01:00:00Z");
        }
    }

    static Lsn lsn(String text) {
        try {
            return Lsn.parse(text);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(String.valueOf(e.getMessage()));
        }
    }

    static LocalDate date(String text) {
        try {
            return LocalDate.parse(text);
        } catch (DateTimeParseException e) {
            throw new TypeConversionException("\"" + text + "\" is not a date; accepted: 2026-11-22");
        }
    }

    static PageToken page(String text) {
        try {
            return PageToken.parse(text);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(String.valueOf(e.getMessage()));
        }
    }

    /** The parser's message about a wrong value, worded as all our messages are. */
    static String inOurWords(String message) {
        Matcher choice = CHOICE.matcher(message);
        Matcher number = NUMBER.matcher(message);
        String ours = choice.find()
                ? choice.replaceFirst(Matcher.quoteReplacement("\"" + choice.group(2) + "\" is not accepted; accepted: "
                        + choice.group(1).toLowerCase(Locale.ROOT)))
                : number.find()
                        ? number.replaceFirst(Matcher.quoteReplacement("\"" + number.group(1) + "\" is not a "
                                + (number.group(2).equals("double") ? "number" : "whole number")))
                        : message;
        return lowerCaseFirst(ours);
    }

    private static String lowerCaseFirst(String text) {
        boolean word = text.length() > 1 && Character.isLowerCase(text.charAt(1));
        return word ? text.substring(0, 1).toLowerCase(Locale.ROOT) + text.substring(1) : text;
    }

    static String bytes(long bytes) {
        return new DataSize(bytes).rounded();
    }
}
