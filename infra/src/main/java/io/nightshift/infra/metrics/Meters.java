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

    /** Whether a node of a cluster answers, 1 or 0; tagged with cluster and node, as all of nodes are. */
    public static final String NODE_UP = "nightshift.node.up";

    /** 1 on the node that takes writes, 0 on the others. */
    public static final String NODE_PRIMARY = "nightshift.node.primary";

    /** WAL of the primary that a standby has not replayed, in bytes; NaN when nobody knows. */
    public static final String NODE_LAG = "nightshift.node.lag";

    /**
     * How old the newest transaction is that a standby has replayed, in seconds; NaN of others. It grows on a standby that is
     * not behind, too, while the primary writes nothing.
     */
    public static final String NODE_SINCE_REPLAY = "nightshift.node.since.replay";

    /** Connections of clients. */
    public static final String NODE_CONNECTIONS_USED = "nightshift.node.connections.used";

    /** Connections that ordinary roles may open. */
    public static final String NODE_CONNECTIONS_ALLOWED = "nightshift.node.connections.allowed";

    /** Pooled sessions of ours at work on a node. */
    public static final String NODE_SESSIONS = "nightshift.node.sessions";

    /** 1 while work is kept away from a node that has failed too often. */
    public static final String NODE_BREAKER_OPEN = "nightshift.node.breaker.open";

    /** 1 while it is not certain which node of a cluster is the primary, or whether all are one cluster. */
    public static final String CLUSTER_CONFLICT = "nightshift.cluster.conflict";

    private Meters() {}
}
