package io.nightshift.scheduler.ledger;

import java.sql.Timestamp;
import java.sql.Types;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/**
 * Who has paused what, and until when. A pause keeps due times from beginning, which are then accounted for as skipped; a
 * run that works goes on, and a launch on demand is not refused.
 */
public final class Pauses {

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm 'UTC'", Locale.ROOT).withZone(ZoneOffset.UTC);

    /**
     * A pause, over or not.
     *
     * @param job null for every job
     * @param cluster null for every cluster
     * @param until when it ends by itself; null for never
     * @param endedAt when somebody resumed; null when nobody did
     */
    public record Pause(
            long id,
            @Nullable String job,
            @Nullable String cluster,
            String reason,
            String actor,
            Instant since,
            @Nullable Instant until,
            @Nullable Instant endedAt) {

        boolean covers(Instant time) {
            return !time.isBefore(since)
                    && (until == null || time.isBefore(until))
                    && (endedAt == null || time.isBefore(endedAt));
        }

        /** What an operator reads of a due time that it kept from beginning. */
        public String text() {
            return "paused by " + actor + (until == null ? "" : " until " + TIME.format(until)) + ": " + reason;
        }
    }

    private final JdbcClient ledger;

    public Pauses(DataSource controlDatabase) {
        this.ledger = JdbcClient.create(controlDatabase);
    }

    /** Pauses from now on. */
    public void pause(
            @Nullable String job,
            @Nullable String cluster,
            String reason,
            String actor,
            Instant since,
            @Nullable Instant until) {
        ledger.sql("""
                        INSERT INTO pause (job, cluster, reason, actor, since, until)
                        VALUES (:job, :cluster, :reason, :actor, :since, :until)
                        """)
                .param("job", job, Types.VARCHAR)
                .param("cluster", cluster, Types.VARCHAR)
                .param("reason", reason)
                .param("actor", actor)
                .param("since", Timestamp.from(since))
                .param("until", until == null ? null : Timestamp.from(until), Types.TIMESTAMP)
                .update();
    }

    /** Ends the pauses of exactly this scope; returns how many there were. */
    public int resume(@Nullable String job, @Nullable String cluster, String actor, Instant now) {
        return ledger.sql("""
                        UPDATE pause SET ended_at = :now, ended_by = :actor
                        WHERE job IS NOT DISTINCT FROM :job AND cluster IS NOT DISTINCT FROM :cluster
                          AND ended_at IS NULL AND (until IS NULL OR until > :now)
                        """)
                .param("now", Timestamp.from(now))
                .param("actor", actor)
                .param("job", job, Types.VARCHAR)
                .param("cluster", cluster, Types.VARCHAR)
                .update();
    }

    /** What is in force at a time. */
    public List<Pause> at(Instant time) {
        return all("ended_at IS NULL").stream()
                .filter(pause -> pause.covers(time))
                .toList();
    }

    /** Why a job is paused on a cluster now; empty when it is not. */
    public Optional<String> now(String job, String cluster, Instant now) {
        return of(at(now), job, cluster).apply(now);
    }

    /** Why a job was paused on a cluster at a time; read once, asked often. */
    Function<Instant, Optional<String>> of(String job, String cluster) {
        return of(all(), job, cluster);
    }

    /** All that were ever made. */
    public List<Pause> all() {
        return all("true");
    }

    /** Why, by these, a job was paused on a cluster at a time. */
    public static Function<Instant, Optional<String>> of(List<Pause> all, String job, String cluster) {
        List<Pause> pauses = all.stream()
                .filter(pause -> pause.job() == null || pause.job().equals(job))
                .filter(pause -> pause.cluster() == null || pause.cluster().equals(cluster))
                .toList();
        return time -> pauses.stream()
                .filter(pause -> pause.covers(time))
                .map(Pause::text)
                .findFirst();
    }

    private List<Pause> all(String condition) {
        return ledger.sql("SELECT * FROM pause WHERE " + condition + " ORDER BY id")
                .query((row, number) -> new Pause(
                        row.getLong("id"),
                        row.getString("job"),
                        row.getString("cluster"),
                        row.getString("reason"),
                        row.getString("actor"),
                        row.getTimestamp("since").toInstant(),
                        instant(row.getTimestamp("until")),
                        instant(row.getTimestamp("ended_at"))))
                .list();
    }

    private static @Nullable Instant instant(@Nullable Timestamp time) {
        return time == null ? null : time.toInstant();
    }
}
