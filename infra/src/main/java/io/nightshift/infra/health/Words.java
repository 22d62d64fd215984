package io.nightshift.infra.health;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.Durations;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** Numbers as people read them. */
final class Words {

    private static final Duration DAY = Duration.ofDays(1);
    private static final Duration HOUR = Duration.ofHours(1);
    private static final Duration SECOND = Duration.ofSeconds(1);

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss", Locale.ROOT).withZone(ZoneOffset.UTC);

    private Words() {}

    /** Without the parts that nobody needs: 3d4h, 2h5m, 90s, 250ms. */
    static String duration(Duration duration) {
        if (duration.isNegative()) {
            return "0s";
        }
        if (duration.compareTo(DAY) >= 0) {
            return Durations.print(Duration.ofHours(duration.toHours()));
        }
        if (duration.compareTo(HOUR) >= 0) {
            return Durations.print(Duration.ofMinutes(duration.toMinutes()));
        }
        return Durations.print(
                duration.compareTo(SECOND) >= 0
                        ? Duration.ofSeconds(duration.toSeconds())
                        : Duration.ofMillis(duration.toMillis()));
    }

    static String time(Instant time) {
        return TIME.format(time) + " UTC";
    }

    static String number(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    static String bytes(long bytes) {
        return new DataSize(Math.max(0, bytes)).rounded();
    }

    /** Of a whole that is not 0. */
    static long percent(long part, long whole) {
        return whole <= 0 ? 0 : Math.round(100.0 * part / whole);
    }

    /** {@code 1 session}, {@code 3 sessions}. */
    static String count(long number, String what) {
        return number(number) + " " + what + (number == 1 ? "" : "s");
    }
}
