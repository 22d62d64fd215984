package io.nightshift.scheduler.watchdog;

import java.util.Locale;

/** What the watchdog notices. */
public enum ConditionKind {
    /** A due time has passed and is not accounted for, or its run has not begun. */
    LATE,
    /** Due times were missed, and no run has completed since. */
    MISSED,
    /** No run has completed for longer than the job's {@code success-within}. */
    OVERDUE,
    /** What was due had not completed by the job's {@code succeed-by}, and still has not. */
    BEHIND_DEADLINE,
    /** A run has shown no progress for longer than the job's {@code progress-within}. */
    STUCK,
    /** A run works for much longer than nineteen of twenty did. */
    LONGER_THAN_USUAL,
    /** A run whose process is silent, and that nobody has taken over. */
    LOST,
    /** Quartz has no trigger for the next due time, or one that stands too late. */
    TRIGGER_MISSING,
    /** A trigger of Quartz whose time has passed and that nobody fires; it is made again. */
    TRIGGER_STUCK,
    /** Triggers wait because all threads of a scheduler work. */
    THREADS_EXHAUSTED,
    /** The clock of a Nightshift node differs from the control database's, or has jumped. */
    CLOCK,
    /** A Nightshift node did not look for a while: its process stood still, or the control database was away. */
    UNWATCHED,
    /** The dead-man ping does not arrive. */
    DEAD_MAN;

    /** As the ledger, the JSON and metrics write it. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static ConditionKind of(String text) {
        return valueOf(text.toUpperCase(Locale.ROOT).replace('-', '_'));
    }
}
