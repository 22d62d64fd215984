package io.nightshift.scheduler.ledger;

import java.util.Locale;

/** Where a run is in its life. Late, overdue, stuck and lost are conditions of a run, not states. */
public enum RunState {
    QUEUED,
    RUNNING,
    COMPLETED,
    FAILED,
    STOPPED,
    SKIPPED,
    MISSED,
    REFUSED;

    public boolean hasEnded() {
        return this != QUEUED && this != RUNNING;
    }

    /** As the ledger, the JSON and people write it. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static RunState of(String text) {
        return valueOf(text.toUpperCase(Locale.ROOT));
    }
}
