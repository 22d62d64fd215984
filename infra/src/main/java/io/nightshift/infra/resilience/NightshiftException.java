package io.nightshift.infra.resilience;

import org.jspecify.annotations.Nullable;

/**
 * The one exception of Nightshift. Its message is a lower-case fact with the values in it; the hint says what to do now.
 * The {@link FailureKind} says who must act.
 */
public final class NightshiftException extends RuntimeException {

    private final FailureKind kind;
    private final @Nullable String hint;

    public NightshiftException(FailureKind kind, String fact) {
        this(kind, fact, null, null);
    }

    public NightshiftException(FailureKind kind, String fact, @Nullable String hint) {
        this(kind, fact, hint, null);
    }

    public NightshiftException(FailureKind kind, String fact, @Nullable String hint, @Nullable Throwable cause) {
        super(fact, cause);
        this.kind = kind;
        this.hint = hint;
    }

    public FailureKind kind() {
        return kind;
    }

    /** What to do now, if we know. */
    public @Nullable String hint() {
        return hint;
    }

    /** The fact and, on a line of its own, the hint: what an operator reads. */
    public String explained() {
        return hint == null ? fact() : fact() + "\nHINT: " + hint;
    }

    private String fact() {
        return String.valueOf(getMessage());
    }

    /**
     * The first failure of our own among the throwable and its causes; RESOURCES_EXHAUSTED when memory was; anything else
     * is a bug of ours.
     */
    public static NightshiftException of(Throwable thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof NightshiftException known) {
                return known;
            }
            if (cause instanceof OutOfMemoryError) {
                return outOfMemory(cause);
            }
        }
        return new NightshiftException(
                FailureKind.BUG,
                "unexpected " + thrown,
                "see the log of this run; this is a defect in Nightshift",
                thrown);
    }

    private static NightshiftException outOfMemory(Throwable thrown) {
        return new NightshiftException(
                FailureKind.RESOURCES_EXHAUSTED,
                "this process ran out of memory: " + thrown.getMessage(),
                "give it more than -Xmx" + (Runtime.getRuntime().maxMemory() >> 20)
                        + "m, or let its jobs use fewer threads",
                thrown);
    }
}
