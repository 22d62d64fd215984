package io.nightshift.infra.metrics;

/** Meters of Nightshift; Spring Batch, HikariCP and the JVM bring their own. Job and cluster are tags. */
public final class Meters {

    /** Runs that this process works now. */
    public static final String ACTIVE_RUNS = "nightshift.runs.active";

    /** When the newest run of a job ended, in seconds since 1970; tagged with its state. */
    public static final String LAST_END = "nightshift.run.last.end";

    /** How long the newest ended run of a job took, in seconds. */
    public static final String LAST_DURATION = "nightshift.run.last.duration";

    /** The exit status of the newest ended run of a job. */
    public static final String LAST_EXIT_STATUS = "nightshift.run.last.exit.status";

    /** What the watchdog sees wrong now; tagged with its kind. */
    public static final String CONDITIONS = "nightshift.conditions.open";

    /** When the watchdog last looked, in seconds since 1970. */
    public static final String LAST_LOOK = "nightshift.watchdog.last.look";

    private Meters() {}
}
