package io.nightshift.scheduler.ledger;

import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.ledger.TurnOrder.Contender;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Whose turn it is among the runs that wait, on all Nightshift nodes. */
public final class Turns {

    /** Any number that no other advisory lock of the control database uses. */
    private static final long LOCK = 0x6e69676874_01L;

    private record Row(Contender contender, boolean inHand, String waitingFor) {}

    private final JdbcClient ledger;
    private final TurnRules rules;
    private final Clock clock;

    public Turns(DataSource controlDatabase, TurnRules rules, Clock clock) {
        this.ledger = JdbcClient.create(controlDatabase);
        this.rules = rules;
        this.clock = clock;
    }

    /** The runs that a node which serves may begin on its work threads, in their order. */
    public List<RunId> ready() {
        Map<RunId, Row> rows = rows();
        return turns(rows).stream()
                .filter(turn -> turn.begins() && turn.forAnybody() && !turn.continuous())
                .map(Turn::run)
                .filter(run -> !row(rows, run).inHand())
                .toList();
    }

    /**
     * Every waiting run in the order of their turns. The ledger then says of each what it waits for.
     *
     * @param freeThreads how many runs would find a work thread now
     */
    public List<Turn> survey(int freeThreads) {
        Map<RunId, Row> rows = rows();
        List<Turn> turns = turns(rows);
        int free = freeThreads;
        for (Turn turn : turns) {
            Row row = row(rows, turn.run());
            boolean needsThread = turn.begins() && turn.forAnybody() && !turn.continuous() && !row.inHand();
            String reason = needsThread && free <= 0 ? "a work thread: all of them work" : turn.reason();
            free -= needsThread ? 1 : 0;
            if (!row.waitingFor().equals(reason)) {
                ledger.sql("UPDATE run SET waiting_for = nullif(:reason, '') WHERE id = :run AND state = 'queued'")
                        .param("reason", reason)
                        .param("run", turn.run().number())
                        .update();
            }
        }
        return turns;
    }

    /** Whether a run may begin. Until the caller's transaction ends, nothing else begins. */
    public boolean hasCome(RunId run) {
        ledger.sql("SELECT set_config('lock_timeout', '10s', true), pg_advisory_xact_lock(:lock)")
                .param("lock", LOCK)
                .query((row, number) -> true)
                .single();
        return turns(rows()).stream().filter(turn -> turn.run().equals(run)).allMatch(Turn::begins);
    }

    private List<Turn> turns(Map<RunId, Row> rows) {
        return TurnOrder.of(rows.values().stream().map(Row::contender).toList(), rules, clock.instant());
    }

    private static Row row(Map<RunId, Row> rows, RunId run) {
        return Objects.requireNonNull(rows.get(run));
    }

    /** In the order in which they would begin. */
    private Map<RunId, Row> rows() {
        Map<RunId, Row> rows = new LinkedHashMap<>();
        ledger.sql("""
                        SELECT r.id, r.job, r.job_type, r.cluster, r.terms, r.state = 'running' AS works, r.due, r.node, r.dry_run,
                               CASE WHEN r.not_before > clock_timestamp() THEN r.not_before END AS not_before,
                               coalesce(r.waiting_for, '') AS waiting_for, a.attempts, r.asked_after IS NULL AND r.node IS NULL AS by_itself,
                               EXISTS (SELECT FROM lease WHERE name = 'run/' || r.id) AS in_hand
                        FROM run r CROSS JOIN LATERAL (
                            SELECT coalesce(max(number), 0) AS attempts FROM attempt WHERE run = r.id) AS a
                        WHERE r.state IN ('queued', 'running')
                        ORDER BY r.priority DESC, coalesce(r.due, r.requested_at), r.id
                        """)
                .query((row, number) -> row(row))
                .list()
                .forEach(row -> rows.put(row.contender().run(), row));
        return rows;
    }

    private static Row row(ResultSet row) throws SQLException {
        return new Row(
                new Contender(
                        new RunId(row.getLong("id")),
                        row.getString("job"),
                        row.getString("job_type"),
                        row.getString("cluster"),
                        RunTerms.read(row.getString("terms")),
                        row.getBoolean("works"),
                        instant(row, "due"),
                        row.getBoolean("by_itself"),
                        row.getInt("attempts"),
                        instant(row, "not_before"),
                        row.getString("node") == null,
                        row.getBoolean("dry_run")),
                row.getBoolean("in_hand"),
                row.getString("waiting_for"));
    }

    private static @Nullable Instant instant(ResultSet row, String column) throws SQLException {
        return row.getTimestamp(column) == null
                ? null
                : row.getTimestamp(column).toInstant();
    }
}
