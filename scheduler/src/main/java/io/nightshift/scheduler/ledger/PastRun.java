package io.nightshift.scheduler.ledger;

import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.RunId;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A run of which the ledger knows nothing any more, as what it left tells.
 *
 * @param job that it is counted with
 * @param number that it had; null where nobody knows
 * @param trace what it left, such as a backup's label: no two runs of a job type on a cluster left the same
 * @param endedAt when it had left that
 */
public record PastRun(
        String job,
        String jobType,
        String cluster,
        @Nullable RunId number,
        String trace,
        Instant startedAt,
        Instant endedAt,
        JobReport report) {}
