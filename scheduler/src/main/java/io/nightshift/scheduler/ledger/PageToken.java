package io.nightshift.scheduler.ledger;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a page of the history ended: the next one begins with the run asked for before that. Runs that come or are
 * deleted meanwhile neither shift nor repeat anything. Its text, such as {@code 1795309200000000-17}, is for handing back.
 */
public record PageToken(Instant requestedAt, long run) {

    private static final Pattern TEXT = Pattern.compile("([0-9]{1,18})-([0-9]{1,18})");

    static PageToken of(Run last) {
        return new PageToken(last.requestedAt(), last.id());
    }

    @JsonCreator
    public static PageToken parse(String text) {
        Matcher parts = TEXT.matcher(text);
        if (!parts.matches()) {
            throw new IllegalArgumentException(
                    "\"" + text + "\" is not a page; accepted: what the page before gave as next");
        }
        return new PageToken(
                Instant.EPOCH.plus(Long.parseLong(parts.group(1)), ChronoUnit.MICROS), Long.parseLong(parts.group(2)));
    }

    @JsonValue
    @Override
    public String toString() {
        return ChronoUnit.MICROS.between(Instant.EPOCH, requestedAt) + "-" + run;
    }
}
