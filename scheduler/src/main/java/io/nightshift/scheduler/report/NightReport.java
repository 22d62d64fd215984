package io.nightshift.scheduler.report;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.nightshift.infra.run.Finding;
import io.nightshift.scheduler.ledger.RunState;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The whole picture of some nights. Everything that a reader sees is in here, so that text, page, JSON and spreadsheet
 * say the same.
 *
 * @param from begin of the first night
 * @param to end of the last night, excluded
 * @param madeAt what it could know
 * @param course the runs of a single night in their order, at most {@link ReportMaker#MOST_IN_COURSE}
 * @param notes what the report itself could not judge, and why
 */
@JsonInclude(JsonInclude.Include.ALWAYS)
public record NightReport(
        Period.Length period,
        LocalDate date,
        ZoneId zone,
        Instant from,
        Instant to,
        Instant madeAt,
        List<Answer> answers,
        Totals totals,
        Grid grid,
        List<RunLine> course,
        List<JobFigures> jobs,
        List<Trouble> troubles,
        List<Deadline> deadlines,
        List<OpenFinding> findings,
        List<Gap> notEvaluated,
        List<BackupState> backups,
        List<RunLine> longest,
        List<MostFailing> mostFailing,
        List<NextDue> next,
        List<Month> months,
        List<String> notes) {

    /** How something stands, by who must act. */
    public enum Verdict {
        GOOD,
        ATTENTION,
        BAD,
        /** There is nothing to judge by. */
        UNKNOWN
    }

    /** One of the three questions of the morning, answered in plain words. */
    public record Answer(String question, Verdict verdict, String answer) {}

    /**
     * Of all runs of the period.
     *
     * @param successRate completed ones among those that completed, failed, were stopped or missed; null with none
     * @param late runs that began later than {@link ReportMaker#LATE} after they were due
     * @param bytes that they moved, where their job types measure that
     */
    public record Totals(
            int runs,
            int completed,
            int failed,
            int stopped,
            int missed,
            int skipped,
            int refused,
            int open,
            @Nullable Double successRate,
            int late,
            int retried,
            double busySeconds,
            double bytes) {}

    /** Jobs by nights. */
    public record Grid(List<LocalDate> nights, List<Row> rows) {

        public record Row(String job, String cluster, List<Cell> cells) {}

        /**
         * What one job did on one cluster in one night.
         *
         * @param state the worst of its runs; null without any
         * @param seconds its runs took together
         * @param run the run that the state is of
         */
        public record Cell(
                @Nullable RunState state,
                int runs,
                boolean late,
                boolean retried,
                boolean findings,
                double seconds,
                @Nullable Long run) {

            static final Cell EMPTY = new Cell(null, 0, false, false, false, 0, null);
        }
    }

    /**
     * One job on one cluster in the period, beside the four weeks before it.
     *
     * @param usualP50 of the completed runs of the four weeks before; null without any
     * @param lastSuccess the newest there is, whenever it was
     * @param course of the nights of the grid: seconds of the completed runs, null for a night without one
     */
    public record JobFigures(
            String job,
            String cluster,
            String type,
            int runs,
            int completed,
            @Nullable Double successRate,
            @Nullable Double p50,
            @Nullable Double p95,
            @Nullable Double usualP50,
            double bytes,
            @Nullable Double usualBytes,
            @Nullable Instant lastSuccess,
            List<@Nullable Double> course) {

        /** How much longer than usual; null when there is nothing to compare. */
        public @Nullable Double trend() {
            return p50 == null || usualP50 == null || usualP50 <= 0 ? null : p50 / usualP50;
        }
    }

    /**
     * Something that did not go as it should.
     *
     * @param kind failed, stopped, missed, refused, late, retried, not accounted for
     * @param run null when there is none
     * @param text why, in one line
     * @param remedy what to do; null when nothing is to be done
     */
    public record Trouble(
            String kind,
            Verdict verdict,
            String job,
            String cluster,
            @Nullable Long run,
            Instant at,
            String text,
            @Nullable String remedy) {}

    /**
     * A time by which a job must have completed, in one night.
     *
     * @param met null while it is still to come
     */
    public record Deadline(
            String job,
            String cluster,
            LocalDate night,
            Instant deadline,
            @Nullable Boolean met,
            @Nullable Instant completedAt,
            String text) {}

    /**
     * A finding that stands, or was resolved in the period.
     *
     * @param since when the first run of it ended
     */
    public record OpenFinding(
            String job,
            String cluster,
            Finding finding,
            @Nullable Instant since,
            long run) {}

    public record Gap(long run, String job, String cluster, String subject, String reason) {}

    /**
     * What a cluster could be restored from.
     *
     * @param label of the newest backup that some storage holds whole; null when there is none
     * @param verified whether it was read back and compared with the server's manifest; every backup is before it exists
     * @param provenAt when a restore has last proven it; null: never
     * @param problem why the storages could not be asked
     */
    public record BackupState(
            String cluster,
            @Nullable String label,
            @Nullable Instant endedAt,
            boolean verified,
            @Nullable Instant provenAt,
            @Nullable Long bytes,
            @Nullable String problem) {}

    public record RunLine(
            long run,
            String job,
            String cluster,
            RunState state,
            @Nullable Instant due,
            @Nullable Instant startedAt,
            double seconds,
            @Nullable Long bytes) {}

    public record MostFailing(String job, String cluster, int failed, int of) {}

    /**
     * A due time to come.
     *
     * @param usualSeconds median of its earlier runs; null without any
     */
    public record NextDue(
            String job,
            String cluster,
            Instant due,
            @Nullable Double usualSeconds) {}

    /**
     * A calendar month.
     *
     * @param kept whether part of it is known only from what housekeeping kept
     */
    public record Month(LocalDate month, int completed, int failed, int missed, double bytes, boolean kept) {}

    /** The worst of the three answers. */
    public Verdict verdict() {
        return answers.stream()
                .map(Answer::verdict)
                .max((a, b) -> Integer.compare(weight(a), weight(b)))
                .orElse(Verdict.UNKNOWN);
    }

    private static int weight(Verdict verdict) {
        return switch (verdict) {
            case GOOD -> 0;
            case UNKNOWN -> 1;
            case ATTENTION -> 2;
            case BAD -> 3;
        };
    }
}
