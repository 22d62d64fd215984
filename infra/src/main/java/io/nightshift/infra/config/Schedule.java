package io.nightshift.infra.config;

import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** When a job is due. In a file: {@code {cron: "0 1 * * *"}}, {@code {every: 15m}}, {@code {after: job, when: failed}}, {@code continuous}, {@code none}. */
public sealed interface Schedule {

    /** A schedule with due times, and what limits and spreads them. */
    sealed interface Timed extends Schedule {

        /** By whose wall clock; the program's when the file names none. */
        ZoneId zone();

        /** Calendars in whose times the job is not run. */
        List<String> except();

        /** Calendars outside of which the job is not run; none stands for always. */
        List<String> only();

        /** The first day with due times. */
        @Nullable
        LocalDate from();

        /** The last day with due times. */
        @Nullable
        LocalDate until();

        /** Each due time is begun up to this much later, the same for one due time on every node. */
        Duration jitter();
    }

    /**
     * At the times of a cron expression.
     *
     * @param dst what becomes of times that daylight saving skips or repeats
     */
    record Cron(
            String cron,
            ZoneId zone,
            Dst dst,
            List<String> except,
            List<String> only,
            @Nullable LocalDate from,
            @Nullable LocalDate until,
            Duration jitter)
            implements Timed {

        public Cron {
            requireOrder(from, until);
        }

        /** Without anything that limits or spreads it. */
        public static Cron of(String cron, ZoneId zone) {
            return new Cron(cron, zone, Dst.SHIFT, List.of(), List.of(), null, null, Duration.ZERO);
        }

        static Map<String, Object> defaults() {
            return Map.of("dst", Dst.SHIFT, "except", List.of(), "only", List.of(), "jitter", Duration.ZERO);
        }
    }

    /** Again and again, this long from one due time to the next, counted from midnight of the first day or of 1970. */
    record Every(
            Duration every,
            ZoneId zone,
            List<String> except,
            List<String> only,
            @Nullable LocalDate from,
            @Nullable LocalDate until,
            Duration jitter)
            implements Timed {

        public Every {
            new Refusals()
                    .when(
                            every.compareTo(Duration.ofSeconds(1)) < 0,
                            "every is " + Durations.print(every) + ", which is too short; accepted: 1s or more")
                    .when(
                            jitter.compareTo(every) >= 0 && !jitter.isZero(),
                            "jitter is as long as every; accepted: less than " + Durations.print(every))
                    .throwIfAny();
            requireOrder(from, until);
        }

        /** Without anything that limits or spreads it. */
        public static Every of(Duration every, ZoneId zone) {
            return new Every(every, zone, List.of(), List.of(), null, null, Duration.ZERO);
        }

        static Map<String, Object> defaults() {
            return Map.of("except", List.of(), "only", List.of(), "jitter", Duration.ZERO);
        }
    }

    /** What becomes of a time on the wall that daylight saving skips or repeats. */
    enum Dst {
        /** Skipped: due at the end of the gap. Repeated: due once, the first time. */
        SHIFT,
        /** Skipped: not due. Repeated: due once, the first time. */
        SKIP,
        /** Skipped: due at the end of the gap. Repeated: due both times. */
        BOTH
    }

    private static void requireOrder(@Nullable LocalDate from, @Nullable LocalDate until) {
        if (from != null && until != null && until.isBefore(from)) {
            throw new IllegalArgumentException("until is before from, so that the job is never due");
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
        /** It failed or was stopped: it has not done its work. */
        FAILED,
        ANY
    }
}
