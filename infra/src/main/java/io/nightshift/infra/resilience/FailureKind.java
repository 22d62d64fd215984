package io.nightshift.infra.resilience;

/**
 * Who must act on a failure. It alone decides whether a retry makes sense, under which tag the failure is counted, and
 * the exit status of a failed run.
 */
public enum FailureKind {
    /** Wrong usage or configuration, a rejected password, a missing privilege: whoever configured it. */
    CONFIGURATION(2, false),
    /** A managed cluster or the control database does not answer: wait, then whoever runs it. */
    POSTGRES_UNAVAILABLE(5, true),
    /** A storage does not answer: wait, then whoever runs it. */
    STORAGE_UNAVAILABLE(5, true),
    /** Memory, disk, connections or slots are used up: whoever runs the machine. */
    RESOURCES_EXHAUSTED(1, true),
    /** Stored or source bytes are not what they should be: whoever answers for the data. */
    DATA_DAMAGED(3, false),
    /** Not now: already running, outside its window, lease held elsewhere, not confirmed. */
    REFUSED(4, false),
    /** Stopped by a person, or past its time limit. */
    CANCELLED(7, false),
    /** A defect in Nightshift: its developers. */
    BUG(1, false);

    private final int exitStatus;
    private final boolean transientByNature;

    FailureKind(int exitStatus, boolean transientByNature) {
        this.exitStatus = exitStatus;
        this.transientByNature = transientByNature;
    }

    /** The exit status of a process whose run failed for this reason. */
    public int exitStatus() {
        return exitStatus;
    }

    /** Whether the same attempt may succeed later without anybody acting. */
    public boolean isTransient() {
        return transientByNature;
    }
}
