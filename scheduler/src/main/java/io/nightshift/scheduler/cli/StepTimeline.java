package io.nightshift.scheduler.cli;

import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.Run.StepRun;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The steps of a run as bars under each other, on one scale of time. */
final class StepTimeline {

    private static final int WIDTH = 30;

    private final List<StepRun> steps;
    private final Instant from;
    private final Instant to;

    private StepTimeline(List<StepRun> steps, Instant from, Instant to) {
        this.steps = steps;
        this.from = from;
        this.to = to;
    }

    /** @param now where the bar of a step ends that goes on */
    static void print(PrintWriter out, Run run, Instant now) {
        List<StepRun> begun = Objects.requireNonNullElse(run.steps(), List.<StepRun>of()).stream()
                .filter(step -> step.startedAt() != null)
                .toList();
        if (begun.isEmpty()) {
            return;
        }
        Instant from = start(begun.get(0));
        Instant to = begun.stream()
                .map(step -> Objects.requireNonNullElse(step.endedAt(), now))
                .max(Instant::compareTo)
                .orElse(now);
        out.println();
        new StepTimeline(begun, from, to).print(out, now);
    }

    private void print(PrintWriter out, Instant now) {
        boolean several = steps.stream().anyMatch(step -> step.attempt() > 1);
        TextTable table = new TextTable("step", "status", "started", "took", "share", "", "done", "rate");
        for (StepRun step : steps) {
            Instant end = Objects.requireNonNullElse(step.endedAt(), now);
            Duration took = Duration.between(start(step), end);
            table.row(
                    (several ? step.attempt() + "/" : "") + step.step(),
                    step.status(),
                    RunText.timeOfDay(start(step)),
                    RunText.duration(took),
                    String.format(Locale.ROOT, "%.0f %%", 100 * part(start(step), end)),
                    bar(start(step), end),
                    done(step),
                    rate(step, took));
        }
        table.print(out, "  ");
    }

    private String bar(Instant begin, Instant end) {
        int offset = (int) Math.min(WIDTH - 1, Math.round(WIDTH * part(from, begin)));
        int length = (int) Math.max(1, Math.min(WIDTH - offset, Math.round(WIDTH * part(begin, end))));
        return "|" + " ".repeat(offset) + "#".repeat(length) + " ".repeat(WIDTH - offset - length) + "|";
    }

    private double part(Instant begin, Instant end) {
        return (double) Duration.between(begin, end).toMillis()
                / Math.max(1, Duration.between(from, to).toMillis());
    }

    private static String done(StepRun step) {
        Long done = step.done();
        return done == null ? "-" : amount(done, step.unit());
    }

    private static String rate(StepRun step, Duration took) {
        Long done = step.done();
        return done == null || took.toMillis() < 1 ? "-" : amount(done * 1000 / took.toMillis(), step.unit()) + "/s";
    }

    private static String amount(long amount, @Nullable String unit) {
        return "bytes".equals(unit)
                ? Arguments.bytes(amount)
                : String.format(Locale.ROOT, "%,d %s", amount, unit == null ? "" : unit);
    }

    private static Instant start(StepRun step) {
        return Objects.requireNonNull(step.startedAt());
    }
}
