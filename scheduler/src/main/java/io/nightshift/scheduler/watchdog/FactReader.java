package io.nightshift.scheduler.watchdog;

import io.nightshift.infra.config.Expectation;
import io.nightshift.infra.config.JobConfig;
import io.nightshift.infra.config.Schedule;
import io.nightshift.scheduler.launch.ConfiguredJobs;
import io.nightshift.scheduler.ledger.JobPast;
import io.nightshift.scheduler.ledger.JobPasts;
import io.nightshift.scheduler.ledger.Pauses;
import io.nightshift.scheduler.ledger.ScheduledJob;
import io.nightshift.scheduler.schedule.UsualDuration;
import io.nightshift.scheduler.watchdog.Facts.OfJob;
import io.nightshift.scheduler.watchdog.Facts.Trigger;
import io.nightshift.scheduler.watchdog.Facts.Working;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Reads what the judges need from the ledger and from Quartz's tables. */
final class FactReader {

    /** What the two clocks showed, and how far this node's is ahead beyond what the question took. */
    record Times(Instant databaseNow, Duration skew) {}

    private final JdbcClient ledger;
    private final JobPasts pasts;
    private final Pauses pauses;
    private final Map<String, JobConfig> jobs;
    private final ConfiguredJobs configured;
    private final Clock clock;
    private final Instant watchingSince;

    FactReader(DataSource controlDatabase, Map<String, JobConfig> jobs, ConfiguredJobs configured, Clock clock) {
        this.ledger = JdbcClient.create(controlDatabase);
        this.pasts = new JobPasts(controlDatabase);
        this.pauses = new Pauses(controlDatabase);
        this.jobs = jobs;
        this.configured = configured;
        this.clock = clock;
        this.watchingSince = clock.instant();
    }

    Facts read(Function<Times, Facts.OfNode> node) {
        Times times = times();
        List<Trigger> triggers = triggers();
        Map<JobPasts.Key, JobPast> known = pasts.of(keys());
        List<Working> working = working(known);
        List<OfJob> ofJobs = ofJobs(known);
        // The last thing: what was armed or accounted for while we read is then not taken for late.
        Instant now = clock.instant();
        return new Facts(now, times.databaseNow(), watchingSince, ofJobs, working, triggers, node.apply(times));
    }

    private Times times() {
        Instant before = clock.instant();
        Instant database = ledger.sql("SELECT clock_timestamp()")
                .query((row, number) -> row.getTimestamp(1).toInstant())
                .single();
        Instant after = clock.instant();
        Duration skew = database.isBefore(before)
                ? Duration.between(database, before)
                : database.isAfter(after) ? Duration.between(database, after) : Duration.ZERO;
        return new Times(database, skew);
    }

    private List<JobPasts.Key> keys() {
        return jobs.values().stream()
                .flatMap(job -> job.clusters().stream().map(cluster -> new JobPasts.Key(job.name(), cluster)))
                .toList();
    }

    private List<OfJob> ofJobs(Map<JobPasts.Key, JobPast> known) {
        Map<JobPasts.Key, ScheduledJob> scheduled = configured.scheduled().stream()
                .collect(Collectors.toMap(job -> new JobPasts.Key(job.job(), job.cluster()), Function.identity()));
        List<Pauses.Pause> all = pauses.all();
        return keys().stream()
                .map(key -> new OfJob(
                        key.job(),
                        key.cluster(),
                        expectation(key.job()),
                        scheduled.get(key),
                        Pauses.of(all, key.job(), key.cluster()),
                        Objects.requireNonNull(known.get(key))))
                .toList();
    }

    private Expectation expectation(String job) {
        JobConfig config = jobs.get(job);
        return config == null ? Expectation.defaults() : config.expectation();
    }

    private List<Working> working(Map<JobPasts.Key, JobPast> known) {
        return ledger.sql("""
                        SELECT r.id, r.job, r.cluster, coalesce(r.progress->>'step', '') AS step,
                               extract(epoch FROM clock_timestamp() - a.started_at) AS elapsed,
                               extract(epoch FROM clock_timestamp() - greatest(r.progressed_at, a.started_at)) AS idle,
                               l.owner, n.name AS node, extract(epoch FROM clock_timestamp() - n.beaten_at) AS silent
                        FROM run r
                        LEFT JOIN LATERAL (SELECT started_at FROM attempt WHERE run = r.id
                                           ORDER BY number DESC LIMIT 1) a ON true
                        LEFT JOIN lease l ON l.name = 'run/' || r.id
                        LEFT JOIN node n ON n.name = l.owner
                        WHERE r.state = 'running'
                        """).query((row, number) -> working(row, known)).list();
    }

    private Working working(ResultSet row, Map<JobPasts.Key, JobPast> known) throws SQLException {
        String job = row.getString("job");
        JobPast past = known.get(new JobPasts.Key(job, row.getString("cluster")));
        JobConfig config = jobs.get(job);
        @Nullable UsualDuration usual = past == null ? null : past.usual();
        return new Working(
                row.getLong("id"),
                job,
                row.getString("cluster"),
                row.getString("step"),
                seconds(row, "elapsed"),
                seconds(row, "idle"),
                expectation(job).progressWithin(),
                config != null && config.schedule() instanceof Schedule.Continuous,
                usual,
                row.getString("owner"),
                row.getString("node") == null ? null : seconds(row, "silent"));
    }

    private static Duration seconds(ResultSet row, String column) throws SQLException {
        return Duration.ofMillis(Math.max(0, Math.round(row.getDouble(column) * 1000)));
    }

    private List<Trigger> triggers() {
        return ledger.sql("""
                        SELECT t.sched_name, t.trigger_group, t.trigger_name, t.trigger_state, t.next_fire_time,
                               EXISTS (SELECT FROM qrtz_fired_triggers f
                                       WHERE f.sched_name = t.sched_name AND f.trigger_name = t.trigger_name
                                         AND f.trigger_group = t.trigger_group) AS fired
                        FROM qrtz_triggers t
                        """)
                .query((row, number) -> new Trigger(
                        row.getString("sched_name"),
                        row.getString("trigger_group"),
                        row.getString("trigger_name"),
                        row.getString("trigger_state"),
                        Instant.ofEpochMilli(row.getLong("next_fire_time")),
                        row.getBoolean("fired")))
                .list();
    }
}
