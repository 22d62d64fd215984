package io.nightshift.scheduler.watchdog;

import io.nightshift.infra.run.Severity;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/** The conditions in the control database: each begins once, is seen again, and ends. */
public final class Conditions {

    /** A condition with its times; it lasts while {@code endedAt} is null. */
    public record Lasting(
            Condition condition,
            Instant beganAt,
            Instant seenAt,
            @Nullable Instant endedAt) {}

    private static final String NODE = "node/";

    private final JdbcClient ledger;

    public Conditions(DataSource controlDatabase) {
        this.ledger = JdbcClient.create(controlDatabase);
    }

    /** The key of what only that node can see. */
    static String keyOfNode(String node, String word) {
        return NODE + node + "/" + word;
    }

    /** One node looks and writes at a time, so that none ends what another has just seen. Call it in a transaction. */
    void lock() {
        ledger.sql("SET LOCAL lock_timeout = '10s'").update();
        ledger.sql("SELECT 1 FROM (SELECT pg_advisory_xact_lock(hashtext('nightshift/watchdog'))) locked")
                .query(Integer.class)
                .single();
    }

    /**
     * What is wrong now, as this node sees it; what it does not see any more has ended. What only another node can see
     * ends with that node.
     */
    void record(List<Condition> wrong, String node, Instant now) {
        wrong.forEach(condition -> begin(condition, now));
        ledger.sql("""
                        UPDATE condition SET ended_at = :now
                        WHERE ended_at IS NULL AND NOT key = ANY (:keys::text[])
                          AND (NOT starts_with(key, 'node/') OR starts_with(key, :own)
                               OR NOT EXISTS (SELECT FROM node WHERE starts_with(condition.key, 'node/' || node.name || '/')))
                        """)
                .param("now", Timestamp.from(now))
                .param("keys", wrong.stream().map(Condition::key).toArray(String[]::new))
                .param("own", keyOfNode(node, ""))
                .update();
    }

    private void begin(Condition condition, Instant now) {
        ledger.sql("""
                        INSERT INTO condition (key, kind, job, cluster, run, severity, subject, detail, remedy, began_at, seen_at)
                        VALUES (:key, :kind, :job, :cluster, :run, :severity, :subject, :detail, :remedy, :now, :now)
                        ON CONFLICT (key) WHERE ended_at IS NULL DO UPDATE
                        SET severity = excluded.severity, detail = excluded.detail, remedy = excluded.remedy,
                            seen_at = excluded.seen_at
                        """)
                .param("key", condition.key())
                .param("kind", condition.kind().toString())
                .param("job", condition.job(), Types.VARCHAR)
                .param("cluster", condition.cluster(), Types.VARCHAR)
                .param("run", condition.run(), Types.BIGINT)
                .param("severity", condition.severity().name().toLowerCase(Locale.ROOT))
                .param("subject", condition.subject())
                .param("detail", condition.detail())
                .param("remedy", condition.remedy())
                .param("now", Timestamp.from(now))
                .update();
    }

    /** What is wrong now, what matters most first. */
    public List<Lasting> open() {
        return ledger.sql("""
                        SELECT * FROM condition WHERE ended_at IS NULL
                        ORDER BY array_position(ARRAY['critical', 'error', 'warning', 'info'], severity), began_at, id
                        """).query((row, number) -> lasting(row)).list();
    }

    /** What was wrong at some time since then, the newest first. */
    public List<Lasting> since(Instant time) {
        return ledger.sql("""
                        SELECT * FROM condition WHERE ended_at IS NULL OR ended_at >= :time
                        ORDER BY began_at DESC, id DESC
                        """)
                .param("time", Timestamp.from(time))
                .query((row, number) -> lasting(row))
                .list();
    }

    private static Lasting lasting(ResultSet row) throws SQLException {
        Timestamp ended = row.getTimestamp("ended_at");
        return new Lasting(
                new Condition(
                        row.getString("key"),
                        ConditionKind.of(row.getString("kind")),
                        row.getString("job"),
                        row.getString("cluster"),
                        row.getObject("run", Long.class),
                        Severity.valueOf(row.getString("severity").toUpperCase(Locale.ROOT)),
                        row.getString("subject"),
                        row.getString("detail"),
                        row.getString("remedy")),
                row.getTimestamp("began_at").toInstant(),
                row.getTimestamp("seen_at").toInstant(),
                ended == null ? null : ended.toInstant());
    }
}
