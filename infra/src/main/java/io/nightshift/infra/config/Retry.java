package io.nightshift.infra.config;

import java.time.Duration;

/**
 * Attempts that a failed run gets by itself, if its failure may pass: PostgreSQL or a storage not reachable, resources
 * exhausted.
 *
 * @param attempts in all, the first one included
 * @param pause before the second attempt; doubled each time
 */
public record Retry(
        @Describe("attempts of a run in all; only failures that may pass are tried again")
        int attempts,

        @Describe("before the second attempt; each further pause is twice as long")
        Duration pause,

        @Describe("the longest pause between two attempts") Duration longestPause) {

    private static final int MOST_ATTEMPTS = 20;

    public Retry {
        new Refusals()
                .when(
                        attempts < 1 || attempts > MOST_ATTEMPTS,
                        "attempts is " + attempts + "; accepted: 1 to " + MOST_ATTEMPTS)
                .when(longestPause.compareTo(pause) < 0, "longest-pause is shorter than pause")
                .throwIfAny();
    }

    static Retry defaults() {
        return new Retry(3, Duration.ofMinutes(2), Duration.ofMinutes(30));
    }

    /** How long to wait after so many failed attempts. */
    public Duration pauseAfter(int failed) {
        Duration doubled = pause.multipliedBy(1L << Math.min(failed - 1, MOST_ATTEMPTS));
        return doubled.compareTo(longestPause) > 0 ? longestPause : doubled;
    }
}
