package io.nightshift.scheduler.report;

import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.config.JobConfig;
import io.nightshift.infra.config.Schedule.Timed;
import io.nightshift.scheduler.launch.ConfiguredJobs;
import io.nightshift.scheduler.launch.JobTypes;
import io.nightshift.scheduler.report.ReportData.JobKey;
import io.nightshift.scheduler.schedule.Schedule;
import java.time.Duration;
import java.time.LocalTime;
import java.time.ZoneId;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A configured job with due times, on one cluster, as far as a report asks.
 *
 * @param spread a due time may begin this much later on purpose
 * @param succeedBy null for no such expectation
 */
public record PlannedJob(
        String job,
        String cluster,
        String type,
        Schedule schedule,
        ZoneId zone,
        Duration spread,
        @Nullable LocalTime succeedBy) {

    public static List<PlannedJob> of(Configuration configuration, JobTypes types) {
        return new ConfiguredJobs(configuration, types)
                .scheduled().stream()
                        .map(scheduled -> {
                            JobConfig job =
                                    Objects.requireNonNull(configuration.jobs().get(scheduled.job()));
                            return new PlannedJob(
                                    scheduled.job(),
                                    scheduled.cluster(),
                                    job.type(),
                                    scheduled.schedule(),
                                    ((Timed) job.schedule()).zone(),
                                    scheduled.offset(),
                                    job.expectation().succeedBy());
                        })
                        .toList();
    }

    JobKey key() {
        return new JobKey(job, cluster);
    }
}
