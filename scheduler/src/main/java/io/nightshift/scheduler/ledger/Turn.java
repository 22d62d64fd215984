package io.nightshift.scheduler.ledger;

import io.nightshift.infra.run.RunId;

/**
 * What a waiting run may do now.
 *
 * @param reason what it waits for, or why it is too late; empty when it may begin
 * @param forAnybody whether any node that serves may work it
 * @param continuous whether it never ends by nature, and gets a thread of its own
 */
public record Turn(RunId run, Kind kind, String reason, boolean forAnybody, boolean continuous) {

    /** What becomes of a waiting run now. */
    public enum Kind {
        BEGINS,
        WAITS,
        TOO_LATE
    }

    public boolean begins() {
        return kind == Kind.BEGINS;
    }
}
