package io.nightshift.scheduler.launch;

import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.ledger.LaunchRequest;
import io.nightshift.scheduler.ledger.Pauses;
import io.nightshift.scheduler.ledger.Requests;
import io.nightshift.scheduler.ledger.Requests.LastEnd;
import java.time.Clock;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps exactly one run of each continuous job, on a thread of its own beside those of the schedule. When one has ended
 * its day, the next goes on at once; after one that failed it waits as after a failed attempt.
 */
public final class ContinuousRuns {

    private static final Logger LOG = LoggerFactory.getLogger(ContinuousRuns.class);

    private final ConfiguredJobs jobs;
    private final Requests requests;
    private final Pauses pauses;
    private final RunWorker worker;
    private final Clock clock;

    public ContinuousRuns(ConfiguredJobs jobs, Requests requests, Pauses pauses, RunWorker worker, Clock clock) {
        this.jobs = jobs;
        this.requests = requests;
        this.pauses = pauses;
        this.worker = worker;
        this.clock = clock;
    }

    /** Asks for the runs that there should be and are not. */
    void ask() {
        jobs.continuous().stream().filter(this::shouldBegin).forEach(this::launch);
    }

    private boolean shouldBegin(LaunchRequest request) {
        if (requests.isBusy(request.job(), request.cluster())
                || pauses.now(request.job(), request.cluster(), clock.instant()).isPresent()) {
            return false;
        }
        Optional<LastEnd> last = requests.lastEnd(request.job(), request.cluster());
        return last.isEmpty()
                || last.get().failures() == 0
                || last.get()
                                .ago()
                                .compareTo(
                                        request.terms().pauseBefore(last.get().failures()))
                        > 0;
    }

    private void launch(LaunchRequest request) {
        try {
            requests.launch(request);
        } catch (NightshiftException anotherWasQuicker) {
            LOG.debug("{}", anotherWasQuicker.getMessage());
        }
    }

    /** Works a run on a thread of its own. */
    void work(RunId run) {
        worker.begin(run).exceptionally(e -> {
            LOG.warn("run {} not worked for now: {}", run, e.getMessage(), e);
            return Optional.empty();
        });
    }
}
