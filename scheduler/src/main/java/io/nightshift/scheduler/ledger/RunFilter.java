package io.nightshift.scheduler.ledger;

import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which runs; what is null matches everything.
 *
 * @param since the run was asked for then or later
 * @param until the run was asked for before
 * @param withFindings only runs that found something
 * @param after only runs older than the last one of the page before
 */
public record RunFilter(
        @Nullable String job,
        @Nullable String cluster,
        @Nullable String type,
        @Nullable RunState state,
        @Nullable Cause cause,
        @Nullable Instant since,
        @Nullable Instant until,
        boolean withFindings,
        @Nullable PageToken after,
        int limit) {

    /** A statement and the values of its parameters. */
    record Query(String sql, List<Object> values) {}

    public static RunFilter newest(int limit) {
        return new RunFilter(null, null, null, null, null, null, null, false, null, limit);
    }

    public RunFilter ofJob(String name) {
        return new RunFilter(name, cluster, type, state, cause, since, until, withFindings, after, limit);
    }

    public RunFilter ofCluster(String name) {
        return new RunFilter(job, name, type, state, cause, since, until, withFindings, after, limit);
    }

    public RunFilter in(RunState wanted) {
        return new RunFilter(job, cluster, type, wanted, cause, since, until, withFindings, after, limit);
    }

    public RunFilter after(@Nullable PageToken page) {
        return new RunFilter(job, cluster, type, state, cause, since, until, withFindings, page, limit);
    }

    /** Only the conditions that there are, so that each combination finds its index. */
    Query select(String columns, int rows) {
        List<String> conditions = new ArrayList<>(List.of("true"));
        List<Object> values = new ArrayList<>();
        add(conditions, values, "job = ?", job);
        add(conditions, values, "cluster = ?", cluster);
        add(conditions, values, "job_type = ?", type);
        add(conditions, values, "state = ?", state == null ? null : state.toString());
        add(conditions, values, "cause = ?", cause == null ? null : cause.toString());
        add(conditions, values, "requested_at >= ?", since == null ? null : Timestamp.from(since));
        add(conditions, values, "requested_at < ?", until == null ? null : Timestamp.from(until));
        if (withFindings) {
            conditions.add("report #> '{findings,0}' IS NOT NULL");
        }
        if (after != null) {
            conditions.add("(requested_at, id) < (?, ?)");
            values.add(Timestamp.from(after.requestedAt()));
            values.add(after.run());
        }
        values.add(rows);
        return new Query(
                "SELECT " + columns + " FROM run WHERE " + String.join(" AND ", conditions)
                        + " ORDER BY requested_at DESC, id DESC LIMIT ?",
                values);
    }

    private static void add(List<String> conditions, List<Object> values, String condition, @Nullable Object value) {
        if (value != null) {
            conditions.add(condition);
            values.add(value);
        }
    }
}
