package io.nightshift.scheduler.launch;

import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.ledger.Nodes;
import java.util.List;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Finds runs that nobody works any more: their process was killed, or ended before it began them. */
public final class Recovery {

    private final JdbcClient ledger;
    private final RunClaims claims;
    private final Nodes nodes;
    private final RunWorker worker;

    public Recovery(DataSource controlDatabase, RunClaims claims, Nodes nodes, RunWorker worker) {
        this.ledger = JdbcClient.create(controlDatabase);
        this.claims = claims;
        this.nodes = nodes;
        this.worker = worker;
    }

    /** Where somebody serves: lost runs go on from the step that did not finish. */
    public void resume() {
        sweep(worker::resume);
    }

    /** Where nobody serves: lost runs are closed, so that a person or the next schedule can decide. */
    public void close() {
        sweep(run -> worker.giveUp(run, "the process that worked this run ended before the run did"));
    }

    private void sweep(Consumer<RunId> rescue) {
        lost().forEach(rescue);
        nodes.forgetTheDead();
    }

    private List<RunId> lost() {
        return ledger
                .sql("""
                        SELECT id, CASE state WHEN 'queued' THEN node END AS waits_for FROM run
                        WHERE state = 'running'
                           OR (state = 'queued' AND (node IS NOT NULL
                                                     OR EXISTS (SELECT FROM lease WHERE name = 'run/' || run.id)))
                        ORDER BY id
                        """)
                .query((row, number) -> new Candidate(new RunId(row.getLong("id")), row.getString("waits_for")))
                .list()
                .stream()
                .filter(candidate -> (candidate.waitsFor() == null || nodes.isDead(candidate.waitsFor()))
                        && claims.isAbandoned(candidate.run()))
                .map(Candidate::run)
                .toList();
    }

    private record Candidate(RunId run, @Nullable String waitsFor) {}
}
