package io.nightshift.infra.config;

import java.time.Duration;
import java.time.ZoneId;
import org.jspecify.annotations.Nullable;

/**
 * The program's own settings, from nightshift.yaml.
 *
 * @param control the control database of NIGHTSHIFT_CONTROL_URL; null for the embedded one
 */
public record ProgramSettings(
        @Describe("the zone of schedules that name none, and of the times that people are shown")
        ZoneId zone,

        @Describe("where the web page and the REST API listen")
        HttpSettings http,

        @Describe("how many runs work at the same time on this Nightshift node; more load the managed clusters more")
        int workThreads,

        @Describe("how long a step may take to react to being stopped; after that its run ends without it")
        Duration stopWithin,

        @Describe(
                "how long a serve that is told to end waits for steps that work; what is not done goes on at the next start")
        Duration shutdownDeadline,

        @Describe("when people work with the managed clusters, by the zone of each schedule")
        WorkingDay workingDay,

        @Describe("a monitor outside that alarms when Nightshift falls silent; null for none") @Nullable
        DeadManSettings deadMan,

        @Nullable ControlDatabaseUrl control) {

    private static final int MOST_WORK_THREADS = 64;
    private static final Duration SHORTEST_STOP = Duration.ofSeconds(1);
    private static final Duration LONGEST_SHUTDOWN = Duration.ofDays(1);

    public ProgramSettings {
        new Refusals()
                .when(
                        workThreads < 1 || workThreads > MOST_WORK_THREADS,
                        "work-threads is " + workThreads + "; accepted: 1 to " + MOST_WORK_THREADS)
                .when(
                        stopWithin.compareTo(SHORTEST_STOP) < 0,
                        "stop-within is " + Durations.print(stopWithin) + "; accepted: "
                                + Durations.print(SHORTEST_STOP) + " or more")
                .when(
                        shutdownDeadline.compareTo(LONGEST_SHUTDOWN) > 0,
                        "shutdown-deadline is " + Durations.print(shutdownDeadline) + "; accepted: up to "
                                + Durations.print(LONGEST_SHUTDOWN))
                .throwIfAny();
    }

    static ProgramSettings defaults() {
        return new ProgramSettings(
                ZoneId.of("UTC"),
                HttpSettings.defaults(),
                4,
                Duration.ofMinutes(1),
                Duration.ofSeconds(20),
                WorkingDay.defaults(),
                null,
                null);
    }
}
