package io.nightshift.infra.config;

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

        @Describe("when people work with the managed clusters, by the zone of each schedule")
        WorkingDay workingDay,

        @Describe("a monitor outside that alarms when Nightshift falls silent; null for none") @Nullable
        DeadManSettings deadMan,

        @Nullable ControlDatabaseUrl control) {

    private static final int MOST_WORK_THREADS = 64;

    public ProgramSettings {
        if (workThreads < 1 || workThreads > MOST_WORK_THREADS) {
            throw new IllegalArgumentException(
                    "work-threads is " + workThreads + "; accepted: 1 to " + MOST_WORK_THREADS);
        }
    }

    static ProgramSettings defaults() {
        return new ProgramSettings(ZoneId.of("UTC"), HttpSettings.defaults(), 4, WorkingDay.defaults(), null, null);
    }
}
