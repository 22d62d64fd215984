package io.nightshift.jobs.proof;

import java.time.Duration;

/** The time that checks may take, from the making of this. */
final class CheckTime {

    private final Duration limit;
    private final long deadline;

    CheckTime(Duration limit) {
        this.limit = limit;
        this.deadline = System.nanoTime() + limit.toNanos();
    }

    Duration limit() {
        return limit;
    }

    boolean isOver() {
        return millisLeft() == 0;
    }

    /** For {@code statement_timeout}, to which 0 would mean no limit. */
    long millisLeft() {
        return Math.max(0, (deadline - System.nanoTime()) / 1_000_000);
    }
}
