package io.nightshift.scheduler.report;

import io.nightshift.infra.run.Severity;
import io.nightshift.scheduler.ledger.RunState;
import io.nightshift.scheduler.report.NightReport.Gap;
import io.nightshift.scheduler.report.NightReport.Month;
import io.nightshift.scheduler.report.NightReport.OpenFinding;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the ledger knows of a report's nights.
 *
 * @param runs of the nights of the grid, oldest first, without dry runs
 * @param usual of the completed runs of the four weeks before the period
 */
record ReportData(
        List<RunRow> runs,
        Map<JobKey, Usual> usual,
        Map<JobKey, Instant> lastSuccess,
        Map<JobKey, Cursor> cursors,
        List<OpenFinding> findings,
        List<Gap> gaps,
        List<Condition> conditions,
        List<Month> months) {

    /** A job on one cluster. */
    record JobKey(String job, String cluster) {}

    record RunRow(
            long id,
            JobKey key,
            String type,
            RunState state,
            @Nullable String reason,
            @Nullable Instant due,
            Instant requestedAt,
            @Nullable Instant startedAt,
            @Nullable Instant endedAt,
            @Nullable Integer exitStatus,
            int attempts,
            boolean findings,
            @Nullable Double bytes) {

        /** When it was due, or asked for. */
        Instant at() {
            return due == null ? requestedAt : due;
        }

        double seconds() {
            return startedAt == null || endedAt == null
                    ? 0
                    : Duration.between(startedAt, endedAt).toMillis() / 1000.0;
        }
    }

    record Usual(@Nullable Double p50, @Nullable Double bytes) {}

    /** Under which schedule the due times of a job are accounted for, since when and up to when. */
    record Cursor(String schedule, Instant since, Instant until) {}

    /** What the watchdog saw. */
    record Condition(
            String kind,
            @Nullable String job,
            @Nullable String cluster,
            @Nullable Long run,
            Severity severity,
            String text,
            @Nullable String remedy,
            Instant beganAt) {}
}
