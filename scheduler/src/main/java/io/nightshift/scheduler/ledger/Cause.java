package io.nightshift.scheduler.ledger;

import java.util.Locale;

/** Why a run exists. */
public enum Cause {
    /** A due time of its job's schedule. */
    SCHEDULE,
    /** A person or a program asked for it. */
    REQUEST,
    /** Another job ended. */
    CHAIN,
    /** A running job asked for it. */
    JOB;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
