package io.nightshift.infra.schema;

import io.nightshift.infra.run.RunContext;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;

/**
 * Which schemas the databases of clusters had when they were last looked at, and which of them people have accepted: one of each,
 * however many nights. What a run has seen counts for others when it is completed, so that one that is worked again finds what
 * was seen before it. Thread-safe.
 */
public interface SchemaBook {

    /**
     * What a completed run of the same job before this one has seen last; empty if the database is new, or was gone then.
     *
     * @throws io.nightshift.infra.resilience.NightshiftException DATA_DAMAGED if what was kept cannot be read
     */
    Optional<KeptSchema> seenBefore(RunContext run, String database);

    /** The databases of the run's cluster of which that is known. */
    Set<String> databasesSeenBefore(RunContext run);

    /** What this run has seen; kept until the run after the next one of its job. */
    Optional<KeptSchema> seenBy(long run, String cluster, String database);

    /**
     * Keeps what a run has seen.
     *
     * @throws io.nightshift.infra.resilience.NightshiftException REFUSED if another owner has taken the run over
     */
    void saw(RunContext run, String database, Schema schema, Instant at);

    /** Keeps that the database is there no more. */
    void sawNone(RunContext run, String database, Instant at);

    /**
     * What is expected of a database until something else is accepted.
     *
     * @throws io.nightshift.infra.resilience.NightshiftException DATA_DAMAGED if what was kept cannot be read
     */
    Optional<KeptSchema> accepted(String cluster, String database);

    /** The databases of a cluster of which something is expected, whether they are still there or not. */
    Set<String> databasesAccepted(String cluster);

    void accept(String cluster, String database, KeptSchema schema);

    /** From now on nothing is expected of it; says whether something was. */
    boolean acceptNoMore(String cluster, String database);

    /** In memory, for as long as this process lives. */
    static SchemaBook ofThisProcess() {
        return new RememberedSchemas();
    }
}
