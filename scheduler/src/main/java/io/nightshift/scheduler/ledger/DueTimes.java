package io.nightshift.scheduler.ledger;

import io.nightshift.infra.config.Missed.Policy;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.schedule.DueTime;
import io.nightshift.scheduler.schedule.Fate;
import io.nightshift.scheduler.schedule.Schedule;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;
import org.springframework.jdbc.core.simple.JdbcClient;

/**
 * The cursor of each job on each cluster: up to when its due times have become runs, under which schedule since when. A
 * changed schedule counts from the moment it is first seen, so editing a YAML file makes nothing missed.
 */
public final class DueTimes {

    private final JdbcClient ledger;
    private final Requests requests;
    private final Pauses pauses;

    public DueTimes(DataSource controlDatabase, Requests requests, Pauses pauses) {
        this.ledger = JdbcClient.create(controlDatabase);
        this.requests = requests;
        this.pauses = pauses;
    }

    /** Opens a run for every due time up to now and moves the cursor. Call it in a transaction; it locks the cursor. */
    public List<RunId> account(ScheduledJob job, Instant now) {
        LaunchRequest request = job.request();
        Instant until = now.minus(job.offset());
        Optional<Instant> cursor = cursor(request, job.schedule(), until);
        if (cursor.isEmpty() || !cursor.get().isBefore(until) || mustWait(job)) {
            return List.of();
        }
        List<DueTime> due = job.schedule().between(cursor.get(), until);
        List<Fate> fates = job.missed().fates(due, until, pauses.of(request.job(), request.cluster()));
        List<RunId> queued = requests.due(request, fates);
        // What is not decided yet stays ahead of the cursor.
        boolean decided = fates.size() == due.size();
        Instant accounted = decided ? until : fates.get(fates.size() - 1).due().at();
        ledger.sql("UPDATE schedule_cursor SET accounted_until = :now WHERE job = :job AND cluster = :cluster")
                .param("now", Timestamp.from(accounted))
                .param("job", request.job())
                .param("cluster", request.cluster())
                .update();
        return queued;
    }

    /** Where every missed due time is made up for, they take their turns. */
    private boolean mustWait(ScheduledJob job) {
        return job.missed().policy() == Policy.ALL && requests.isBusy(job.job(), job.cluster());
    }

    /** The locked cursor; empty when the schedule is in force only from now on. */
    private Optional<Instant> cursor(LaunchRequest request, Schedule schedule, Instant now) {
        int begun = ledger.sql("""
                        INSERT INTO schedule_cursor (job, cluster, schedule, in_force_since, accounted_until)
                        VALUES (:job, :cluster, :schedule, :now, :now)
                        ON CONFLICT (job, cluster) DO UPDATE
                        SET schedule = excluded.schedule, in_force_since = excluded.in_force_since,
                            accounted_until = excluded.accounted_until
                        WHERE schedule_cursor.schedule <> excluded.schedule
                        """)
                .param("job", request.job())
                .param("cluster", request.cluster())
                .param("schedule", schedule.text())
                .param("now", Timestamp.from(now))
                .update();
        if (begun > 0) {
            return Optional.empty();
        }
        return ledger.sql(
                        "SELECT accounted_until FROM schedule_cursor WHERE job = :job AND cluster = :cluster FOR UPDATE")
                .param("job", request.job())
                .param("cluster", request.cluster())
                .query((row, number) -> row.getTimestamp(1).toInstant())
                .optional();
    }
}
