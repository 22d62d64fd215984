package io.nightshift.infra.health;

import io.nightshift.infra.routing.NodeObservation.Answered;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a node counts, read once in a look, and judged over the time since an earlier look. As long as no look is about a
 * day old, all that was counted since the statistics began is judged, too; first comes what is more recent.
 */
final class NodeCounters {

    /** Since when the whole server counts: it changes when a crash has emptied all statistics. */
    private static final String SERVER = """
            SELECT clock_timestamp() AS at, extract(epoch FROM stats_reset) AS begun FROM pg_stat_bgwriter
            """;

    /** PostgreSQL 17 and newer. */
    private static final String CHECKPOINTER = """
            SELECT 'checkpoints' AS subject, extract(epoch FROM stats_reset) AS begun,
                   extract(epoch FROM clock_timestamp() - stats_reset)::float8 AS since,
                   num_requested AS requested, num_timed AS timed
            FROM pg_stat_checkpointer
            """;

    private static final String BGWRITER = """
            SELECT 'checkpoints' AS subject, extract(epoch FROM stats_reset) AS begun,
                   extract(epoch FROM clock_timestamp() - stats_reset)::float8 AS since,
                   checkpoints_req AS requested, checkpoints_timed AS timed
            FROM pg_stat_bgwriter
            """;

    /**
     * Where a database does not say since when it counts, the cluster is as old as its system identifier, whose upper half
     * is the time of initdb.
     */
    private static final String DATABASES = """
            SELECT datname AS subject, format('%s/%s', datid, extract(epoch FROM stats_reset)) AS begun,
                   extract(epoch FROM clock_timestamp() - greatest(stats_reset, to_timestamp(
                       (SELECT system_identifier >> 32 FROM pg_control_system()))))::float8 AS since,
                   blks_hit, blks_read, temp_bytes, deadlocks
            FROM pg_stat_database WHERE datname IS NOT NULL ORDER BY datname
            """;

    private static final List<String> OF_CHECKPOINTS = List.of("requested", "timed");
    private static final List<String> OF_DATABASES = List.of("blks_hit", "blks_read", "temp_bytes", "deadlocks");

    /**
     * The time that counts were counted over.
     *
     * @param look the earlier look that it began with; null when it began with the statistics
     */
    record Span(Duration length, @Nullable Instant look) {

        @Override
        public String toString() {
            return Words.duration(length)
                    + (look == null ? " since the statistics began" : " since the look at " + Words.time(look));
        }
    }

    /** What a database, or the checkpointer, has counted, by column. */
    record Counts(String subject, Span span, Map<String, Long> values) {

        long of(String column) {
            return Objects.requireNonNull(values.get(column));
        }
    }

    /** Counters that begin together. */
    private record Group(String subject, String name, Duration since, Map<String, Long> values) {

        String counter(String column) {
            return name + "/" + column;
        }
    }

    private record Read(CounterReading reading, List<Group> databases, Group checkpoints) {}

    private final CounterHistory history;
    private volatile @Nullable Read read;

    NodeCounters(CounterHistory history) {
        this.history = history;
    }

    /** For each database what is to be judged. */
    List<List<Counts>> databases(HealthSession session) throws SQLException {
        Read now = read(session);
        return now.databases().stream().map(group -> judged(now, group)).toList();
    }

    List<Counts> checkpoints(HealthSession session) throws SQLException {
        Read now = read(session);
        return judged(now, now.checkpoints());
    }

    /** What was read; empty when no check has asked for it, or the server has not answered. */
    Optional<CounterReading> reading() {
        return Optional.ofNullable(read).map(Read::reading);
    }

    /** When the look was that it is compared with. */
    Optional<Instant> comparedWith() {
        return reading().flatMap(history::before).map(CounterReading::at);
    }

    private List<Counts> judged(Read now, Group group) {
        Counts all = new Counts(group.subject(), new Span(group.since(), null), group.values());
        Optional<Counts> recent = history.before(now.reading()).flatMap(before -> since(before, now.reading(), group));
        return recent.map(counts ->
                        CounterHistory.isAboutADay(counts.span().length()) ? List.of(counts) : List.of(counts, all))
                .orElse(List.of(all));
    }

    /** What did not count then, such as a new database, has begun at 0 since; what says when is judged from there. */
    private static Optional<Counts> since(CounterReading before, CounterReading now, Group group) {
        Duration span = Duration.between(before.at(), now.at());
        boolean isNew = group.values().keySet().stream()
                .noneMatch(column -> before.counts().containsKey(group.counter(column)));
        if (isNew && group.since().compareTo(span) < 0) {
            return Optional.empty();
        }
        Map<String, Long> grown = new HashMap<>();
        group.values()
                .forEach((column, value) ->
                        grown.put(column, value - before.counts().getOrDefault(group.counter(column), 0L)));
        return grown.values().stream().anyMatch(count -> count < 0)
                ? Optional.empty()
                : Optional.of(new Counts(group.subject(), new Span(span, before.at()), grown));
    }

    private Read read(HealthSession session) throws SQLException {
        Read done = read;
        if (done == null) {
            List<Group> databases = session.query(DATABASES, row -> group("database", row, OF_DATABASES));
            boolean hasCheckpointer =
                    session.single("SELECT to_regclass('pg_stat_checkpointer') IS NOT NULL", row -> row.getBoolean(1));
            Group checkpoints = session.single(
                    hasCheckpointer ? CHECKPOINTER : BGWRITER, row -> group("server", row, OF_CHECKPOINTS));
            done = session.single(
                    SERVER,
                    row -> new Read(reading(session.node(), row, databases, checkpoints), databases, checkpoints));
            read = done;
        }
        return done;
    }

    private static Group group(String kind, ResultSet row, List<String> columns) throws SQLException {
        Map<String, Long> values = new HashMap<>();
        for (String column : columns) {
            values.put(column, row.getLong(column));
        }
        String subject = row.getString("subject");
        return new Group(
                subject,
                kind + " " + subject + " " + row.getString("begun"),
                Objects.requireNonNull(HealthSession.seconds(row, "since")),
                values);
    }

    private static CounterReading reading(Answered node, ResultSet row, List<Group> databases, Group checkpoints)
            throws SQLException {
        Map<String, Long> counts = new HashMap<>();
        List<Group> all = new ArrayList<>(databases);
        all.add(checkpoints);
        all.forEach(group -> group.values().forEach((column, value) -> counts.put(group.counter(column), value)));
        return new CounterReading(
                node.node().toString(),
                node.system() + " timeline " + node.timeline() + (node.inRecovery() ? " standby " : " primary ")
                        + row.getString("begun"),
                row.getTimestamp("at").toInstant().truncatedTo(ChronoUnit.MILLIS),
                counts);
    }
}
