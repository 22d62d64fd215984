package io.nightshift.scheduler.launch;

import io.nightshift.infra.lease.Lease;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.ledger.LaunchRequest;
import io.nightshift.scheduler.ledger.Ledger;
import io.nightshift.scheduler.ledger.Ledger.Outcome;
import io.nightshift.scheduler.ledger.Requests;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunHistory;
import io.nightshift.scheduler.ledger.RunState;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.jdbc.BadSqlGrammarException;
import org.springframework.transaction.TransactionException;

/**
 * The ledger as a worker needs it: an outcome is written however long the control database is away, up to
 * {@link #PATIENCE}. After that the run stays open in the ledger and the next start finds and recovers it.
 */
public final class RunBooks {

    static final Duration PATIENCE = Duration.ofMinutes(30);
    private static final Duration PAUSE = Duration.ofSeconds(2);
    private static final Logger LOG = LoggerFactory.getLogger(RunBooks.class);

    private final Ledger ledger;
    private final RunHistory history;
    private final Requests requests;
    private final ConfiguredJobs jobs;
    private final Clock clock;
    private final CountDownLatch closing = new CountDownLatch(1);

    public RunBooks(Ledger ledger, RunHistory history, Requests requests, ConfiguredJobs jobs, Clock clock) {
        this.ledger = ledger;
        this.history = history;
        this.requests = requests;
        this.jobs = jobs;
        this.clock = clock;
    }

    Ledger ledger() {
        return ledger;
    }

    Run run(RunId id) {
        return history.find(id).orElseThrow(() -> RunHistory.unknown(id));
    }

    ActiveRun.SettingsReader settings() {
        return jobs::read;
    }

    /** Writes the outcome, queues what the run asked for, and gives the lease up. */
    Outcome close(Run run, Lease lease, Outcome outcome, List<ActiveRun.FollowUp> followUps) {
        RunId id = new RunId(run.id());
        try {
            return persistently(id, lease, outcome, () -> close(id, run, lease, outcome, followUps));
        } catch (DataIntegrityViolationException e) {
            LOG.error("report of run {} cannot be stored", id, e);
            Outcome bare = withoutReport(e);
            return persistently(id, lease, bare, () -> close(id, run, lease, bare, followUps));
        }
    }

    private Outcome close(RunId id, Run run, Lease lease, Outcome outcome, List<ActiveRun.FollowUp> followUps) {
        return ledger.close(id, lease, outcome, () -> requestFollowUps(run, followUps));
    }

    /** How many attempts have failed before the one under this lease. */
    int failedBefore(RunId run, Lease lease) {
        return persistently(run, lease, 0, () -> ledger.tries(run).failed());
    }

    /** Puts the run back among those that wait, and gives the lease up. */
    void requeue(Run run, Lease lease, String outcome, String reason, Duration pause) {
        RunId id = new RunId(run.id());
        persistently(id, lease, reason, () -> {
            ledger.requeue(id, lease, outcome, reason, pause);
            return reason;
        });
    }

    /** @param known the answer, if the database did what was asked for but could not say so */
    private <T> T persistently(RunId run, Lease lease, T known, Supplier<T> write) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            try {
                return write.get();
            } catch (DataIntegrityViolationException e) {
                throw e;
            } catch (NightshiftException | DataAccessException | TransactionException e) {
                if (isRefusal(e) && ledger.isClosed(run, lease)) {
                    return known;
                }
                if (isFinal(e) || System.nanoTime() - deadline > 0 || stopped()) {
                    throw e;
                }
                LOG.warn("outcome of run {} not written yet: {}", run, e.getMessage());
            }
        }
    }

    /** A run must end even if PostgreSQL does not take what it has to say, such as a zero byte in a text. */
    private static Outcome withoutReport(DataIntegrityViolationException e) {
        String fact = String.valueOf(e.getMostSpecificCause().getMessage())
                .lines()
                .findFirst()
                .orElse("");
        NightshiftException bug = new NightshiftException(
                FailureKind.BUG,
                "report of this run not stored: " + fact,
                "what it did is in the log; this is a defect in Nightshift");
        return new Outcome(RunState.FAILED, bug.explained(), bug.kind().exitStatus(), JobReport.EMPTY);
    }

    private static boolean isRefusal(RuntimeException e) {
        return e instanceof NightshiftException own && own.kind() == FailureKind.REFUSED;
    }

    /** The database has answered, and would answer the same again. */
    private static boolean isFinal(RuntimeException e) {
        return (e instanceof NightshiftException own && !own.kind().isTransient())
                || e instanceof BadSqlGrammarException;
    }

    private void requestFollowUps(Run run, List<ActiveRun.FollowUp> followUps) {
        for (ActiveRun.FollowUp followUp : followUps) {
            try {
                LaunchRequest request = jobs.requestedBy(run, followUp.jobType(), followUp.reason());
                Instant now = clock.instant();
                Instant opens = jobs.opens(request, now);
                if (opens.isAfter(now)) {
                    requests.launch(request, opens);
                } else {
                    requests.launch(request);
                }
            } catch (NightshiftException refused) {
                LOG.info("{} asked for by run {} not queued: {}", followUp.jobType(), run.id(), refused.getMessage());
            }
        }
    }

    /** Stops waiting for a control database that is away. */
    public void shutDown() {
        closing.countDown();
    }

    private boolean stopped() {
        try {
            return closing.await(PAUSE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }
}
