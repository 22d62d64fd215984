package io.nightshift.scheduler.launch;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.config.JobConfig;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.config.Schedule.After;
import io.nightshift.infra.config.Schedule.Continuous;
import io.nightshift.infra.config.Schedule.Ending;
import io.nightshift.infra.config.Schedule.Timed;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.JobType;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.ledger.Cause;
import io.nightshift.scheduler.ledger.LaunchRequest;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunState;
import io.nightshift.scheduler.ledger.RunTerms;
import io.nightshift.scheduler.ledger.ScheduledJob;
import io.nightshift.scheduler.ledger.TurnRules;
import io.nightshift.scheduler.schedule.MissedRule;
import io.nightshift.scheduler.schedule.Schedule;
import io.nightshift.scheduler.schedule.Schedules;
import io.nightshift.scheduler.schedule.Window;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** From what is configured, or named on the command line, to launch requests, and to the order in which runs begin. */
public final class ConfiguredJobs implements TurnRules {

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

    /** A backup of the night that begins later loads the day. */
    private static final Duration LATEST_HEAVY = Duration.ofHours(4);

    /** The setting that says it. */
    private static final String CONFIRMED = "confirmed";

    private record Place(String job, String cluster) {}

    private final Configuration configuration;
    private final JobTypes types;
    private final Schedules schedules;
    private final Map<Place, ScheduledJob> scheduled;

    public ConfiguredJobs(Configuration configuration, JobTypes types) {
        this.configuration = configuration;
        this.types = types;
        this.schedules = new Schedules(configuration.calendars());
        this.scheduled = everyScheduledJob();
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
                            RunTerms.of(job).once().limited(wish.timeLimit())))
                    .toList();
        }
        JobType type = types.find(wish.name()).orElseThrow(() -> unknown(wish.name()));
        if (!type.onClusters()) {
            return List.of(onControlDatabase(type, wish));
        }
        String cluster = wish.cluster();
        if (cluster == null) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "job type " + type.name() + " needs a cluster",
                    "add --cluster C; clusters: " + names(configuration.clusters()));
        }
        requireCluster(cluster);
        if (type.isOnlyOne() && !wish.dryRun()) {
            requireNoJob(type, cluster);
        }
        return List.of(request(
                type.name(), type.name(), cluster, defaults(type), wish, RunTerms.ON_DEMAND.limited(wish.timeLimit())));
    }

    /**
     * The same, of somebody who has looked at what a run said that waits for a person. CONFIGURATION if no run of the job
     * ever does, or if it is not clear at which cluster's run he has looked.
     */
    public List<LaunchRequest> confirmed(Wish wish) {
        JobConfig job = configuration.jobs().get(wish.name());
        JobType type = types.find(job == null ? wish.name() : job.type()).orElseThrow(() -> unknown(wish.name()));
        boolean waits = Stream.of(type.settings().getRecordComponents())
                .anyMatch(setting -> setting.getName().equals(CONFIRMED));
        if (!waits) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION, "a run of " + type.name() + " waits for nobody", "leave --yes out");
        }
        if (job != null && wish.cluster() == null && job.clusters().size() > 1) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "--yes says that somebody has looked at one run, and job " + job.name() + " works on "
                            + job.clusters().size() + " clusters",
                    "add --cluster C; its clusters: " + String.join(", ", job.clusters()));
        }
        Map<String, String> settings = new LinkedHashMap<>(wish.settings());
        settings.put(CONFIRMED, "true");
        return requests(new Wish(wish.name(), wish.cluster(), settings, wish.dryRun(), wish.timeLimit(), wish.actor()));
    }

    private static LaunchRequest onControlDatabase(JobType type, Wish wish) {
        if (wish.cluster() != null) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "job type " + type.name() + " works on the control database",
                    "leave --cluster out");
        }
        return request(
                type.name(),
                type.name(),
                JobType.CONTROL_DATABASE,
                defaults(type),
                wish,
                RunTerms.ON_DEMAND.limited(wish.timeLimit()));
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
        JobConfig job = configuration.jobs().get(name);
        return new LaunchRequest(
                request.job(),
                request.jobType(),
                request.cluster(),
                Cause.JOB,
                actor,
                request.settings(),
                false,
                job == null ? request.terms() : RunTerms.of(job),
                new RunId(run.id()),
                null);
    }

    /** When what a running job asks for may begin: if it is heavy, in the window of its job. */
    Instant opens(LaunchRequest request, Instant now) {
        if (!isHeavy(request.jobType())) {
            return now;
        }
        return scheduled(request.job(), request.cluster())
                .map(job -> Window.opens(job.schedule(), job.missed(), now))
                .orElseGet(() -> Window.opens(
                        configuration.program().workingDay(),
                        configuration.program().zone(),
                        now));
    }

    /** Every job with due times, on each of its clusters. */
    public List<ScheduledJob> scheduled() {
        return List.copyOf(scheduled.values());
    }

    private Optional<ScheduledJob> scheduled(String job, String cluster) {
        return Optional.ofNullable(scheduled.get(new Place(job, cluster)));
    }

    private Map<Place, ScheduledJob> everyScheduledJob() {
        Map<Place, ScheduledJob> every = new LinkedHashMap<>();
        configuration
                .jobs()
                .values()
                .forEach(job -> schedule(job)
                        .ifPresent(schedule -> job.clusters()
                                .forEach(cluster ->
                                        every.put(new Place(job.name(), cluster), scheduled(job, schedule, cluster)))));
        return every;
    }

    private ScheduledJob scheduled(JobConfig job, Schedule schedule, String cluster) {
        Timed timed = (Timed) job.schedule();
        return new ScheduledJob(
                ownRequest(job, cluster, Cause.SCHEDULE, "schedule", null),
                schedule,
                missedRule(job, timed),
                offset(job, timed, cluster));
    }

    /** One request for each job that never ends by nature, on each of its clusters. */
    List<LaunchRequest> continuous() {
        return configuration.jobs().values().stream()
                .filter(job -> job.schedule() instanceof Continuous)
                .flatMap(job -> job.clusters().stream()
                        .map(cluster -> ownRequest(job, cluster, Cause.SCHEDULE, "schedule: continuous", null)))
                .toList();
    }

    /** What is to begin when a run has ended so. A run that was stopped counts as failed: it did not do its work. */
    List<LaunchRequest> followers(RunId run, String ended, String cluster, RunState state) {
        boolean completed = state == RunState.COMPLETED;
        return configuration.jobs().values().stream()
                .filter(job -> job.clusters().contains(cluster)
                        && job.schedule() instanceof After after
                        && after.after().equals(ended)
                        && (after.when() == Ending.ANY || completed == (after.when() == Ending.COMPLETED)))
                .map(job -> ownRequest(job, cluster, Cause.CHAIN, "after " + ended + " " + state, run))
                .toList();
    }

    private static LaunchRequest ownRequest(
            JobConfig job, String cluster, Cause cause, String actor, @Nullable RunId causedBy) {
        return new LaunchRequest(
                job.name(),
                job.type(),
                cluster,
                cause,
                actor,
                RecordBinder.toMap(job.settings()),
                false,
                RunTerms.of(job),
                causedBy,
                null);
    }

    @Override
    public boolean isHeavy(String jobType) {
        return types.find(jobType).map(JobType::heavy).orElse(true);
    }

    @Override
    public int heavyRuns(String cluster) {
        ClusterConfig config = configuration.clusters().get(cluster);
        return config == null ? 1 : config.heavyRuns();
    }

    @Override
    public Optional<String> tooLate(String job, String cluster, Instant due, Instant now, boolean begunBefore) {
        return scheduled(job, cluster)
                .flatMap(known -> known.missed().tooLate(due.plus(known.offset()), now, begunBefore));
    }

    private MissedRule missedRule(JobConfig job, Timed timed) {
        boolean heavy = isHeavy(job.type());
        Duration limit = job.missed().maxLateness();
        return new MissedRule(
                job.missed().policy(),
                limit == null && heavy ? LATEST_HEAVY : limit,
                heavy ? configuration.program().workingDay() : null,
                timed.zone());
    }

    /** The same on every Nightshift node and at every start. */
    private static Duration offset(JobConfig job, Timed timed, String cluster) {
        long jitter = timed.jitter().toMillis();
        return jitter == 0
                ? Duration.ZERO
                : Duration.ofMillis(Math.floorMod(Objects.hash(job.name(), cluster) * 2_654_435_761L, jitter));
    }

    /** The due times of a job; empty when it has none of its own. */
    public Optional<Schedule> schedule(JobConfig job) {
        return schedules.of(job.schedule());
    }

    <T extends Record> T read(Class<T> type, Map<String, Object> settings) {
        return RecordBinder.fromMap(type, settings);
    }

    private static LaunchRequest request(
            String name, String type, String cluster, Record settings, Wish wish, RunTerms terms) {
        return new LaunchRequest(
                name,
                type,
                cluster,
                Cause.REQUEST,
                wish.actor(),
                RecordBinder.toMap(RecordBinder.withOverrides(settings, wish.settings())),
                wish.dryRun(),
                terms,
                null,
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

    /** Its settings are those of the job; run by itself it would have others. */
    private void requireNoJob(JobType type, String cluster) {
        configuration.jobs().values().stream()
                .filter(job -> job.type().equals(type.name()) && job.clusters().contains(cluster))
                .findFirst()
                .ifPresent(job -> {
                    throw new NightshiftException(
                            FailureKind.CONFIGURATION,
                            "cluster " + cluster + " has job " + job.name() + " of type " + type.name()
                                    + ", with settings of its own",
                            "nightshift run " + job.name() + " --cluster " + cluster);
                });
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
