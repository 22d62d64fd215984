package io.nightshift.scheduler.ledger;

import java.time.Instant;
import java.util.Optional;

/** What the configuration says of the order in which runs begin. */
public interface TurnRules {

    /** Whether runs of this job type count among the heavy ones of their cluster. */
    boolean isHeavy(String jobType);

    /** How many heavy runs may work on a cluster at the same time. */
    int heavyRuns(String cluster);

    /**
     * Why a run for a due time must not begin any more; empty while it may.
     *
     * @param begunBefore whether it has had an attempt, so that only the time of day can keep it from another
     */
    Optional<String> tooLate(String job, String cluster, Instant due, Instant now, boolean begunBefore);
}
