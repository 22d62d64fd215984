package io.nightshift.infra.config;

import java.time.Duration;
import java.time.ZoneId;
import java.util.Map;

/** When a job is due. In a file: {@code {cron: "0 1 * * *"}}, {@code {every: 15m}}, {@code {after: job}}, {@code continuous}, {@code none}. */
public sealed interface Schedule {

    /**
     * At the times of a cron expression.
     *
     * @param zone by whose wall clock; the program's when the file names none
     */
    record Cron(String cron, ZoneId zone) implements Schedule {}

    /** Again and again, this long from one due time to the next. */
    record Every(Duration every) implements Schedule {

        public Every {
            if (every.compareTo(Duration.ofSeconds(1)) < 0) {
                throw new IllegalArgumentException(
                        "every is " + Durations.print(every) + ", which is too short; accepted: 1s or more");
            }
        }
    }

    /** When a run of another job on the same cluster has ended. */
    record After(String after, Ending when) implements Schedule {

        static Map<String, Object> defaults() {
            return Map.of("when", Ending.COMPLETED);
        }
    }

    /** Always exactly one run, which rotates daily. */
    record Continuous() implements Schedule {}

    /** Only on request. */
    record None() implements Schedule {}

    /** Which ending of the earlier run counts. */
    enum Ending {
        COMPLETED,
        FAILED,
        ANY
    }
}
