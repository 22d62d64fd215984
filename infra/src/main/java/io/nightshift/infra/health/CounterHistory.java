package io.nightshift.infra.health;

import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Earlier readings of a cluster's counters. A reading is compared with the one of the day before, so that a night is
 * judged with its day, and as long as there is none with the oldest; at most one an hour is kept. Pure.
 */
record CounterHistory(List<CounterReading> readings) {

    /** A job that runs once a day is not exact to the minute. */
    static final Duration ABOUT_A_DAY = Duration.ofHours(20);

    private static final Duration APART = Duration.ofHours(1);

    CounterHistory {
        readings = readings.stream()
                .sorted(Comparator.comparing(CounterReading::at))
                .toList();
    }

    /** What a reading is to be compared with. */
    Optional<CounterReading> before(CounterReading reading) {
        List<CounterReading> comparable =
                readings.stream().filter(reading::continues).toList();
        return comparable.stream()
                .filter(earlier -> isAboutADay(Duration.between(earlier.at(), reading.at())))
                .reduce((earlier, later) -> later)
                .or(() -> comparable.stream().findFirst());
    }

    static boolean isAboutADay(Duration span) {
        return span.compareTo(ABOUT_A_DAY) >= 0;
    }

    /** What is worth keeping after one more reading: nothing that cannot be compared any more. */
    CounterHistory with(CounterReading reading) {
        Optional<CounterReading> before = before(reading);
        List<CounterReading> kept = readings.stream()
                .filter(earlier -> !earlier.node().equals(reading.node())
                        || (reading.continues(earlier)
                                && before.filter(first -> earlier.at().isBefore(first.at()))
                                        .isEmpty()))
                .toList();
        boolean isSoon = kept.stream()
                .anyMatch(earlier -> earlier.node().equals(reading.node())
                        && Duration.between(earlier.at(), reading.at()).compareTo(APART) < 0);
        return isSoon
                ? new CounterHistory(kept)
                : new CounterHistory(
                        Stream.concat(kept.stream(), Stream.of(reading)).toList());
    }
}
