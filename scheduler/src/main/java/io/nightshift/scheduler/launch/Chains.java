package io.nightshift.scheduler.launch;

import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.ledger.Pauses;
import io.nightshift.scheduler.ledger.Requests;
import io.nightshift.scheduler.ledger.RunState;
import java.time.Clock;
import java.util.List;
import javax.sql.DataSource;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Asks for what is to begin after the end of a run, whoever ended it: its worker, a command, the queue. An end is marked
 * in the transaction that asks, so that it is followed once.
 */
public final class Chains {

    private record Ended(RunId run, String job, String cluster, RunState state, boolean isFollowed) {}

    private final JdbcClient ledger;
    private final TransactionTemplate transaction;
    private final Requests requests;
    private final ConfiguredJobs jobs;
    private final Pauses pauses;
    private final Clock clock;

    public Chains(
            DataSource controlDatabase,
            TransactionTemplate transaction,
            Requests requests,
            ConfiguredJobs jobs,
            Pauses pauses,
            Clock clock) {
        this.ledger = JdbcClient.create(controlDatabase);
        this.transaction = transaction;
        this.requests = requests;
        this.jobs = jobs;
        this.pauses = pauses;
        this.clock = clock;
    }

    /** Follows the runs that have ended. What ended more than an hour before anybody served is followed by nothing. */
    void follow() {
        transaction.executeWithoutResult(
                status -> ended().stream().filter(Ended::isFollowed).forEach(this::follow));
    }

    private void follow(Ended ended) {
        jobs.followers(ended.run(), ended.job(), ended.cluster(), ended.state())
                .forEach(follower ->
                        requests.chain(follower, pauses.now(follower.job(), follower.cluster(), clock.instant())));
    }

    /** Only what has worked has an end, and a dry run has done nothing that could be gone on with. */
    private List<Ended> ended() {
        return ledger.sql("""
                        UPDATE run SET followed = true WHERE NOT followed AND ended_at IS NOT NULL
                        RETURNING id, job, cluster, state,
                                  started_at IS NOT NULL AND NOT dry_run
                                  AND ended_at > clock_timestamp() - interval '1 hour' AS is_followed
                        """)
                .query((row, number) -> new Ended(
                        new RunId(row.getLong("id")),
                        row.getString("job"),
                        row.getString("cluster"),
                        RunState.of(row.getString("state")),
                        row.getBoolean("is_followed")))
                .list();
    }
}
