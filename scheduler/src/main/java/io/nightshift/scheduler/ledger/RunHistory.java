package io.nightshift.scheduler.ledger;

import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.run.RunId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Reads the ledger. Plain SQL projections over a DataSource, so that the commands that only read need no Spring context
 * and use the same ones as everything else. Spring Batch's repository is never asked: it hydrates whole histories.
 */
public final class RunHistory {

    private static final String COLUMNS = """
            id, job, job_type, cluster, state, reason, due, cause, actor, node, requested_at, started_at, ended_at,
            exit_status, dry_run, settings, terms, cause_run, not_before, waiting_for, progress, report
            """;

    /** Under this key a step's execution context holds how much it did, such as {@code 17 bytes}. */
    public static final String STEP_DONE = "nightshift.done";

    private final DataSource controlDatabase;

    public RunHistory(DataSource controlDatabase) {
        this.controlDatabase = controlDatabase;
    }

    /** The newest first. */
    public RunPage page(RunFilter filter) {
        RunFilter.Query query = filter.select(COLUMNS, filter.limit() + 1);
        List<Run> found = query(query.sql(), RunHistory::run, query.values().toArray());
        if (found.size() <= filter.limit()) {
            return new RunPage(found, null);
        }
        List<Run> runs = found.subList(0, filter.limit());
        return new RunPage(runs, PageToken.of(runs.get(runs.size() - 1)));
    }

    public List<Run> runs(RunFilter filter) {
        return page(filter).runs();
    }

    /** One run with its attempts and steps. */
    public Run run(RunId id) {
        Run run = find(id).orElseThrow(() -> unknown(id));
        return run.with(
                query(
                        "SELECT number, node, started_at, ended_at, outcome, reason FROM attempt WHERE run = ? ORDER BY number",
                        RunHistory::attempt,
                        id.number()),
                query("""
                        SELECT a.number, s.step_name, s.status, s.start_time, s.end_time, c.short_context
                        FROM attempt a JOIN batch_step_execution s ON s.job_execution_id = a.job_execution
                             LEFT JOIN batch_step_execution_context c ON c.step_execution_id = s.step_execution_id
                        WHERE a.run = ? ORDER BY s.step_execution_id
                        """, RunHistory::step, id.number()));
    }

    public Optional<Run> find(RunId id) {
        return query("SELECT " + COLUMNS + " FROM run WHERE id = ?", RunHistory::run, id.number()).stream()
                .findFirst();
    }

    /** How the runs before this one went that did the same: of its job and cluster, completed, the newest twenty. */
    public Usual usual(Run run) {
        return query(
                        """
                        SELECT count(*) AS runs, percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS seconds,
                               percentile_cont(0.5) WITHIN GROUP (ORDER BY bytes) AS bytes
                        FROM (SELECT extract(epoch FROM ended_at - started_at)::float8 AS seconds,
                                     (jsonb_path_query_first(report, '$.figures[*] ? (@.name == "bytes").value'))::float8 AS bytes
                              FROM run
                              WHERE job = ? AND cluster = ? AND state = 'completed' AND NOT dry_run AND started_at IS NOT NULL
                                AND (requested_at, id) < (?, ?)
                              ORDER BY requested_at DESC, id DESC LIMIT 20) AS before
                        """,
                        row -> new Usual(
                                row.getInt("runs"),
                                row.getObject("seconds", Double.class),
                                row.getObject("bytes", Double.class)),
                        run.job(),
                        run.cluster(),
                        Timestamp.from(run.requestedAt()),
                        run.id())
                .get(0);
    }

    /** The newest run of each job on each cluster, whatever its state. */
    public List<Run> latest() {
        return query(
                "SELECT DISTINCT ON (job, cluster) " + COLUMNS
                        + " FROM run ORDER BY job, cluster, requested_at DESC, id DESC",
                RunHistory::run);
    }

    /** The newest ended run of each job on each cluster. */
    public List<Run> latestEnded() {
        return query(
                "SELECT DISTINCT ON (job, cluster) " + COLUMNS
                        + " FROM run WHERE ended_at IS NOT NULL ORDER BY job, cluster, requested_at DESC, id DESC",
                RunHistory::run);
    }

    /** A finding that some run has had. */
    public record KnownFinding(String cluster, String key) {}

    /** Those whose keys begin so, whatever has become of them. */
    public List<KnownFinding> findings(String beginning) {
        return query(
                "SELECT DISTINCT cluster, key FROM finding WHERE starts_with(key, ?) ORDER BY cluster, key",
                row -> new KnownFinding(row.getString("cluster"), row.getString("key")),
                beginning);
    }

    /** The failure of whoever asks for a run that there is not. */
    public static NightshiftException unknown(RunId run) {
        return new NightshiftException(
                FailureKind.CONFIGURATION, "run " + run + " does not exist", "nightshift history lists the runs");
    }

    private static Run run(ResultSet row) throws SQLException {
        return new Run(
                row.getLong("id"),
                row.getString("job"),
                row.getString("job_type"),
                row.getString("cluster"),
                RunState.of(row.getString("state")),
                row.getString("reason"),
                instant(row, "due"),
                Cause.valueOf(row.getString("cause").toUpperCase(Locale.ROOT)),
                row.getString("actor"),
                row.getString("node"),
                row.getTimestamp("requested_at").toInstant(),
                instant(row, "started_at"),
                instant(row, "ended_at"),
                row.getObject("exit_status", Integer.class),
                row.getBoolean("dry_run"),
                Json.readMap(row.getString("settings")),
                RunTerms.read(row.getString("terms")),
                row.getObject("cause_run", Long.class),
                instant(row, "not_before"),
                row.getString("waiting_for"),
                Json.readLeniently(row.getString("progress"), Progress.Snapshot.class),
                Json.readLeniently(row.getString("report"), JobReport.class),
                null,
                null);
    }

    private static Run.Attempt attempt(ResultSet row) throws SQLException {
        return new Run.Attempt(
                row.getInt("number"),
                row.getString("node"),
                row.getTimestamp("started_at").toInstant(),
                instant(row, "ended_at"),
                row.getString("outcome"),
                row.getString("reason"));
    }

    private static Run.StepRun step(ResultSet row) throws SQLException {
        String[] done = done(row.getString("short_context")).split(" ", 2);
        return new Run.StepRun(
                row.getInt("number"),
                row.getString("step_name"),
                row.getString("status").toLowerCase(Locale.ROOT),
                instant(row, "start_time"),
                instant(row, "end_time"),
                done.length == 2 ? Long.valueOf(done[0]) : null,
                done.length == 2 ? done[1] : null);
    }

    /** Amount and unit as the step has remembered them; empty where it has not. */
    private static String done(@Nullable String stepContext) {
        Map<?, ?> context = Json.readLeniently(stepContext, Map.class);
        return context != null && context.get(STEP_DONE) instanceof String text ? text : "";
    }

    private static @Nullable Instant instant(ResultSet row, String column) throws SQLException {
        Timestamp at = row.getTimestamp(column);
        return at == null ? null : at.toInstant();
    }

    @FunctionalInterface
    private interface RowReader<T> {
        T read(ResultSet row) throws SQLException;
    }

    private <T> List<T> query(String sql, RowReader<T> reader, @Nullable Object... values) {
        try (Connection connection = controlDatabase.getConnection();
                PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) {
                statement.setObject(i + 1, values[i]);
            }
            List<T> found = new ArrayList<>();
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    found.add(reader.read(rows));
                }
            }
            return found;
        } catch (SQLException e) {
            throw SqlStates.failure("history not readable in the control database", e);
        }
    }
}
