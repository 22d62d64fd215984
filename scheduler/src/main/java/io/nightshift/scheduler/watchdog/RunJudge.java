package io.nightshift.scheduler.watchdog;

import io.nightshift.infra.config.Durations;
import io.nightshift.infra.run.Severity;
import io.nightshift.scheduler.schedule.UsualDuration;
import io.nightshift.scheduler.watchdog.Facts.Working;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What is wrong with a run that works. */
final class RunJudge {

    /** Fewer runs say nothing about what is usual. */
    private static final int ENOUGH_RUNS = 5;

    private static final double MARGIN = 1.5;
    /** Of what takes seconds nobody wants to hear that it took twice as many. */
    private static final Duration LEAST_MARGIN = Duration.ofMinutes(10);
    /** A node that is silent for less is waited for, or taken over. */
    private static final Duration SILENCE = Duration.ofMinutes(1);

    private RunJudge() {}

    static Stream<Condition> judge(Working run) {
        return Stream.of(stuck(run), longer(run), lost(run)).flatMap(Optional::stream);
    }

    private static Optional<Condition> stuck(Working run) {
        return run.endless() || run.idle().compareTo(run.progressWithin()) <= 0
                ? Optional.empty()
                : Optional.of(condition(
                        run,
                        ConditionKind.STUCK,
                        "stuck",
                        Severity.ERROR,
                        "no progress for " + minutes(run.idle())
                                + (run.step().isEmpty() ? "" : " in step " + run.step()) + "; expected within "
                                + Durations.print(run.progressWithin()),
                        "nightshift show " + run.run() + ", then nightshift stop " + run.run()));
    }

    private static Optional<Condition> longer(Working run) {
        UsualDuration usual = run.usual();
        if (run.endless() || usual == null || usual.runs() < ENOUGH_RUNS) {
            return Optional.empty();
        }
        Duration limit = longer(
                Duration.ofMillis((long) (usual.p95().toMillis() * MARGIN)),
                usual.p95().plus(LEAST_MARGIN));
        return run.elapsed().compareTo(limit) <= 0
                ? Optional.empty()
                : Optional.of(condition(
                        run,
                        ConditionKind.LONGER_THAN_USUAL,
                        "longer",
                        Severity.WARNING,
                        "works for " + minutes(run.elapsed()) + "; of the last " + usual.runs()
                                + " runs half took less than " + seconds(usual.median())
                                + " and nineteen of twenty less than " + seconds(usual.p95()),
                        "nightshift show " + run.run()));
    }

    private static Duration longer(Duration one, Duration other) {
        return one.compareTo(other) > 0 ? one : other;
    }

    private static Optional<Condition> lost(Working run) {
        @Nullable Duration silent = run.silent();
        if (silent != null && silent.compareTo(SILENCE) <= 0) {
            return Optional.empty();
        }
        String owner = run.owner();
        String fact = owner == null
                ? "nobody holds its lease"
                : "Nightshift node " + owner + (silent == null ? " is gone" : " is silent for " + minutes(silent));
        return Optional.of(condition(
                run,
                ConditionKind.LOST,
                "lost",
                Severity.ERROR,
                fact + ", and nobody has taken it over",
                "nightshift show " + run.run() + "; a node that serves goes on with it by itself: look into its log"));
    }

    private static Condition condition(
            Working run, ConditionKind kind, String word, Severity severity, String detail, String remedy) {
        return new Condition(
                word + "/run/" + run.run(),
                kind,
                run.job(),
                run.cluster(),
                run.run(),
                severity,
                "run " + run.run() + " of " + run.job() + " on " + run.cluster(),
                detail,
                remedy);
    }

    private static String minutes(Duration duration) {
        return Durations.print(duration.truncatedTo(ChronoUnit.MINUTES));
    }

    private static String seconds(Duration duration) {
        return Durations.print(duration.truncatedTo(ChronoUnit.SECONDS));
    }
}
