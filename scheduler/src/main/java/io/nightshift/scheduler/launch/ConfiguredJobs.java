package io.nightshift.scheduler.launch;

import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.config.JobConfig;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.JobType;
import io.nightshift.scheduler.ledger.Cause;
import io.nightshift.scheduler.ledger.LaunchRequest;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.schedule.CronSchedule;
import io.nightshift.scheduler.schedule.Schedule;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** From what is configured, or named on the command line, to launch requests. */
public final class ConfiguredJobs {

    /** A job with due times, on one cluster. */
    public record Scheduled(Schedule schedule, LaunchRequest request) {

        public String job() {
            return request.job();
        }

        public String cluster() {
            return request.cluster();
        }
    }

    /**
     * What somebody asks for.
     *
     * @param name a job's, or a job type's
     * @param cluster null: all clusters of the job
     * @param settings changes of the job's settings, key by key
     */
    public record Wish(
            String name,
            @Nullable String cluster,
            Map<String, String> settings,
            boolean dryRun,
            @Nullable Duration timeLimit,
            String actor) {}

    private final Configuration configuration;
    private final JobTypes types;

    public ConfiguredJobs(Configuration configuration, JobTypes types) {
        this.configuration = configuration;
        this.types = types;
    }

    /** One request per cluster. */
    public List<LaunchRequest> requests(Wish wish) {
        JobConfig job = configuration.jobs().get(wish.name());
        if (job != null) {
            return clustersOf(job, wish.cluster()).stream()
                    .map(cluster -> request(
                            job.name(),
                            job.type(),
                            cluster,
                            job.settings(),
                            wish,
                            wish.timeLimit() == null ? job.timeout() : wish.timeLimit()))
                    .toList();
        }
        JobType type = types.find(wish.name()).orElseThrow(() -> unknown(wish.name()));
        String cluster = wish.cluster();
        if (cluster == null) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "job type " + type.name() + " needs a cluster",
                    "add --cluster C; clusters: " + names(configuration.clusters()));
        }
        requireCluster(cluster);
        return List.of(request(type.name(), type.name(), cluster, defaults(type), wish, wish.timeLimit()));
    }

    /** What a running job asks for: its own cluster, the settings of a configured job of that type if there is one. */
    LaunchRequest requestedBy(Run run, String jobType, String reason) {
        String name = configuration.jobs().values().stream()
                .filter(job -> job.type().equals(jobType) && job.clusters().contains(run.cluster()))
                .map(JobConfig::name)
                .findFirst()
                .orElse(jobType);
        String actor = "run " + run.id() + " (" + reason + ")";
        LaunchRequest request = requests(new Wish(name, run.cluster(), Map.of(), false, null, actor))
                .get(0);
        return new LaunchRequest(
                request.job(),
                request.jobType(),
                request.cluster(),
                Cause.JOB,
                actor,
                request.settings(),
                false,
                request.timeLimit(),
                null);
    }

    /** Every job with due times, on each of its clusters. */
    public List<Scheduled> scheduled() {
        return configuration.jobs().values().stream()
                .flatMap(job -> schedule(job).stream()
                        .flatMap(schedule -> job.clusters().stream()
                                .map(cluster -> new Scheduled(
                                        schedule,
                                        new LaunchRequest(
                                                job.name(),
                                                job.type(),
                                                cluster,
                                                Cause.SCHEDULE,
                                                "schedule",
                                                RecordBinder.toMap(job.settings()),
                                                false,
                                                job.timeout(),
                                                null)))))
                .toList();
    }

    /** The due times of a job; empty when it has none that this version fires. */
    public static Optional<Schedule> schedule(JobConfig job) {
        return job.schedule() instanceof io.nightshift.infra.config.Schedule.Cron cron
                ? Optional.of(new CronSchedule(cron.cron(), cron.zone()))
                : Optional.empty();
    }

    <T extends Record> T read(Class<T> type, Map<String, Object> settings) {
        return RecordBinder.fromMap(type, settings);
    }

    private static LaunchRequest request(
            String name, String type, String cluster, Record settings, Wish wish, @Nullable Duration timeLimit) {
        return new LaunchRequest(
                name,
                type,
                cluster,
                Cause.REQUEST,
                wish.actor(),
                RecordBinder.toMap(RecordBinder.withOverrides(settings, wish.settings())),
                wish.dryRun(),
                timeLimit,
                null);
    }

    private List<String> clustersOf(JobConfig job, @Nullable String wanted) {
        if (wanted == null) {
            return job.clusters();
        }
        requireCluster(wanted);
        if (!job.clusters().contains(wanted)) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "job " + job.name() + " does not work on cluster " + wanted,
                    "its clusters: " + String.join(", ", job.clusters()));
        }
        return List.of(wanted);
    }

    private void requireCluster(String name) {
        if (!configuration.clusters().containsKey(name)) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "cluster " + name + " is not configured",
                    "clusters: " + names(configuration.clusters()));
        }
    }

    private NightshiftException unknown(String name) {
        return new NightshiftException(
                FailureKind.CONFIGURATION,
                "there is no job and no job type " + name,
                "jobs: " + names(configuration.jobs()) + "; job types: "
                        + String.join(
                                ", ", types.all().stream().map(JobType::name).toList()));
    }

    private static Record defaults(JobType type) {
        return RecordBinder.fromMap(type.settings(), Map.of());
    }

    private static String names(Map<String, ?> configured) {
        return configured.isEmpty() ? "none" : String.join(", ", configured.keySet());
    }
}
