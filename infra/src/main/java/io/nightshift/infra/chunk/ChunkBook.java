package io.nightshift.infra.chunk;

import io.nightshift.infra.run.RunContext;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * Which chunks a run has planned and finished, and what was covered when by all runs. What is kept here survives the death
 * of the process. Thread-safe.
 */
public interface ChunkBook {

    /** What the run has planned for this place, in order; empty as long as it has planned nothing for it. */
    List<Chunk> chunks(RunContext run, String place);

    /**
     * Plans these, all or none, instead of what the run has planned for this place before.
     *
     * @param place where they are worked; what is planned for another one stays
     * @throws io.nightshift.infra.resilience.NightshiftException REFUSED if another owner has taken the run over
     */
    void plan(RunContext run, String place, List<String> works);

    /**
     * Finishes chunks, all or none. Two owners who finish the same one have done the same: the first counts.
     *
     * @param outcomes by number, which is a chunk's own within the run
     */
    void finish(RunContext run, Map<Integer, String> outcomes);

    /** When each target of a cluster was last covered. */
    Map<String, Instant> covered(String cluster);

    /** Keeps that these targets were covered; what was covered later stays. */
    void cover(String cluster, Collection<String> targets, Instant at);

    /** Forgets that these targets were covered: there are none of them any more. */
    void forget(String cluster, Collection<String> targets);

    /** In memory, for as long as this process lives. */
    static ChunkBook ofThisProcess() {
        return new RememberedChunks();
    }
}
