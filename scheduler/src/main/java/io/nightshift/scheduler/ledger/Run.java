package io.nightshift.scheduler.ledger;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.Progress;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A run as history shows it: the record behind {@code run}, {@code history} and {@code show} in every output. */
@JsonInclude(JsonInclude.Include.ALWAYS)
public record Run(
        @JsonProperty("run") long id,
        String job,
        String type,
        String cluster,
        RunState state,
        @Nullable String reason,
        @Nullable Instant due,
        Cause cause,
        String actor,
        @Nullable String node,
        Instant requestedAt,
        @Nullable Instant startedAt,
        @Nullable Instant endedAt,
        @Nullable Integer exitStatus,
        boolean dryRun,
        Map<String, Object> settings,
        RunTerms terms,
        @Nullable Long causedBy,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Instant notBefore,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable String waitingFor,
        @JsonInclude(JsonInclude.Include.NON_NULL) Progress.@Nullable Snapshot progress,
        @Nullable JobReport report,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable List<Attempt> attempts,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable List<StepRun> steps) {

    /** One execution of a run. */
    public record Attempt(
            int number,
            String node,
            Instant startedAt,
            @Nullable Instant endedAt,
            @Nullable String outcome,
            @Nullable String reason) {}

    /**
     * One execution of a step, from Spring Batch's tables.
     *
     * @param done how much of its last stage it did; null where it counted nothing
     * @param unit of that, such as {@code bytes}
     */
    public record StepRun(
            int attempt,
            String step,
            String status,
            @Nullable Instant startedAt,
            @Nullable Instant endedAt,

            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable
            Long done,

            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable
            String unit) {}

    /** What it moved, where its job type measures that: the figure {@code bytes} of its report. */
    @JsonIgnore
    public @Nullable Long bytes() {
        return report == null
                ? null
                : report.figures().stream()
                        .filter(figure -> figure.name().equals("bytes"))
                        .map(figure -> figure.value().longValue())
                        .findFirst()
                        .orElse(null);
    }

    /** From its start to its end; null while it has not both. */
    @JsonIgnore
    public @Nullable Duration took() {
        return startedAt == null || endedAt == null ? null : Duration.between(startedAt, endedAt);
    }

    Run with(List<Attempt> attempts, List<StepRun> steps) {
        return new Run(
                id,
                job,
                type,
                cluster,
                state,
                reason,
                due,
                cause,
                actor,
                node,
                requestedAt,
                startedAt,
                endedAt,
                exitStatus,
                dryRun,
                settings,
                terms,
                causedBy,
                notBefore,
                waitingFor,
                progress,
                report,
                attempts,
                steps);
    }
}
