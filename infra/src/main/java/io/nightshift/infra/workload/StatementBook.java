package io.nightshift.infra.workload;

import io.nightshift.infra.run.RunContext;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * What was counted of the statements of clusters in earlier nights, what they say, and how they were planned; nothing older than
 * is asked for. Thread-safe.
 */
public interface StatementBook {

    /** Looks that are closer to each other make one night. */
    Duration APART = Duration.ofHours(1);

    /** Those of a cluster, in order. */
    List<StatementSnapshot> snapshots(String cluster);

    Map<StatementName, StatementText> texts(String cluster);

    /**
     * Keeps a snapshot whole or not at all, with the texts that were not known, and forgets what is older than is asked for. One that comes
     * within an hour after another of its series is not kept.
     *
     * @throws io.nightshift.infra.resilience.NightshiftException REFUSED if another owner has taken the run over
     */
    void keep(RunContext run, StatementSnapshot snapshot, Map<StatementName, StatementText> texts, Instant notBefore);

    /** Those of a cluster, of each query in the order in which they were first seen. */
    List<KeptPlan> plans(String cluster);

    /** Keeps what was planned at a moment; a plan that is known is seen once more. */
    void keepPlans(RunContext run, Collection<KeptPlan> plans);

    /** In memory, for as long as this process lives. */
    static StatementBook ofThisProcess() {
        return new RememberedStatements();
    }
}
