package io.nightshift.scheduler.cli;

import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.launch.ConfiguredJobs;
import io.nightshift.scheduler.ledger.JobPast;
import io.nightshift.scheduler.ledger.JobPasts;
import io.nightshift.scheduler.ledger.Pauses;
import io.nightshift.scheduler.ledger.ScheduledJob;
import io.nightshift.scheduler.schedule.Plan;
import io.nightshift.scheduler.schedule.PlannedJob;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "plan",
        description =
                "Shows what is due, what becomes of it, how long it usually takes, what overlaps, and gaps between backups.")
final class PlanCommand implements Callable<Integer> {

    private static final int MOST_HOURS = 24 * 366;
    private static final int MOST_DUE_TIMES = 50_000;

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private NightshiftCommand top;

    @Option(names = "--hours", paramLabel = "N", defaultValue = "48", description = "how far ahead (default: 48)")
    private int hours;

    @Option(names = "--job", paramLabel = "JOB", description = "only this job")
    private @Nullable String job;

    @Option(names = "--cluster", paramLabel = "C", description = "only this cluster")
    private @Nullable String cluster;

    private record Outlook(Plan plan, boolean served) {}

    @Override
    public Integer call() {
        if (hours < 1 || hours > MOST_HOURS) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "--hours " + hours + " is not accepted",
                    "accepted: 1 to " + MOST_HOURS + " (a year)");
        }
        Surroundings surroundings = top.surroundings();
        Configuration configuration = surroundings.configuration();
        requireKnown("job", job, configuration.jobs());
        requireKnown("cluster", cluster, configuration.clusters());
        Outlook outlook = outlook(surroundings, scheduled(surroundings, configuration));
        if (top.isJson()) {
            top.print(PlanJson.of(outlook.plan(), outlook.served()));
        } else {
            new PlanText(top.out()).print(outlook.plan(), outlook.served());
        }
        return 0;
    }

    private static void requireKnown(String what, @Nullable String name, Map<String, ?> configured) {
        if (name != null && !configured.containsKey(name)) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    what + " " + name + " is not configured",
                    what + "s: " + (configured.isEmpty() ? "none" : String.join(", ", configured.keySet())));
        }
    }

    private List<ScheduledJob> scheduled(Surroundings surroundings, Configuration configuration) {
        return new ConfiguredJobs(configuration, surroundings.jobTypes())
                .scheduled().stream()
                        .filter(scheduled -> job == null || job.equals(scheduled.job()))
                        .filter(scheduled -> cluster == null || cluster.equals(scheduled.cluster()))
                        .toList();
    }

    private Outlook outlook(Surroundings surroundings, List<ScheduledJob> jobs) {
        try (LedgerAtHand ledger = LedgerAtHand.open(surroundings).orElse(null)) {
            Instant now = surroundings.clock().instant();
            Instant until = now.plus(Duration.ofHours(hours));
            requireFew(jobs, now, until);
            if (ledger == null) {
                return new Outlook(Plan.of(planned(jobs, Map.of(), List.of()), now, until), false);
            }
            var keys = jobs.stream()
                    .map(scheduled -> new JobPasts.Key(scheduled.job(), scheduled.cluster()))
                    .toList();
            List<PlannedJob> planned =
                    planned(jobs, ledger.pasts().of(keys), ledger.pauses().all());
            return new Outlook(Plan.of(planned, now, until), ledger.someoneServes(surroundings));
        }
    }

    /** A job that is due every second would fill the memory before it filled the screen. */
    private static void requireFew(List<ScheduledJob> jobs, Instant from, Instant until) {
        long due = jobs.stream()
                .flatMap(job -> Stream.iterate(
                                job.schedule().next(from),
                                Optional::isPresent,
                                next -> job.schedule().next(next.orElseThrow().at()))
                        .flatMap(Optional::stream)
                        .takeWhile(next -> !next.at().isAfter(until)))
                .limit(MOST_DUE_TIMES + 1L)
                .count();
        if (due > MOST_DUE_TIMES) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "more than " + MOST_DUE_TIMES + " due times until " + RunText.time(until),
                    "ask for fewer --hours, or for one --job");
        }
    }

    private static List<PlannedJob> planned(
            List<ScheduledJob> jobs, Map<JobPasts.Key, JobPast> pasts, List<Pauses.Pause> pauses) {
        return jobs.stream()
                .map(scheduled -> scheduled.planned(
                        pasts.get(new JobPasts.Key(scheduled.job(), scheduled.cluster())),
                        Pauses.of(pauses, scheduled.job(), scheduled.cluster())))
                .toList();
    }
}
