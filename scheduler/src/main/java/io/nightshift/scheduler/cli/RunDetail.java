package io.nightshift.scheduler.cli;

import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.ledger.RunState;
import io.nightshift.scheduler.ledger.Usual;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;

/** One run with all that is known of it. What to do comes before how it went. */
final class RunDetail {

    private final PrintWriter out;
    private final Run run;

    private final boolean timings;

    /** @param timings whether to tell where the time went */
    RunDetail(PrintWriter out, Run run, boolean timings) {
        this.out = out;
        this.run = run;
        this.timings = timings;
    }

    void print(Usual usual, List<String> nextSteps, Instant now) {
        headline();
        if (!nextSteps.isEmpty()) {
            out.println();
            out.println("  what to do");
            nextSteps.forEach(step -> out.println("    - " + step));
        }
        facts(usual);
        attempts();
        StepTimeline.print(out, run, now);
        if (run.report() != null) {
            RunText.report(out, run.report(), timings);
        }
    }

    private void headline() {
        out.println("run " + run.id() + "  " + run.job() + " on " + run.cluster() + "  " + run.state()
                + (run.dryRun() ? " (dry run)" : ""));
        String reason = run.reason();
        if (reason != null) {
            reason.lines().forEach(line -> out.println("  " + line));
        }
        if (run.waitingFor() != null && run.state() == RunState.QUEUED) {
            out.println("  waits: " + run.waitingFor());
        }
    }

    private void facts(Usual usual) {
        TextTable facts = new TextTable("", "");
        facts.row("type", run.type());
        facts.row(
                "asked for by",
                run.actor() + " (" + run.cause() + "), " + RunText.time(run.requestedAt())
                        + (run.causedBy() == null ? "" : ", after run " + run.causedBy()));
        if (run.due() != null) {
            facts.row("due", RunText.time(run.due()));
        }
        if (run.startedAt() != null) {
            facts.row("started", RunText.time(run.startedAt()) + late());
        }
        if (run.endedAt() != null) {
            facts.row("ended", RunText.time(run.endedAt()) + "  after " + RunText.took(run));
        }
        compared(facts, usual);
        if (run.exitStatus() != null) {
            facts.row("exit status", Integer.toString(run.exitStatus()));
        }
        facts.row("settings", run.settings().toString());
        out.println();
        facts.printRows(out, "  ");
    }

    private String late() {
        Instant due = run.due();
        Instant started = run.startedAt();
        if (due == null || started == null || Duration.between(due, started).compareTo(Duration.ofMinutes(1)) < 0) {
            return "";
        }
        return "  " + RunText.duration(Duration.between(due, started)) + " after it was due";
    }

    private void compared(TextTable facts, Usual usual) {
        Duration took = run.took();
        String of = "  (median of " + usual.runs() + (usual.runs() == 1 ? " run" : " runs") + " before)";
        if (took != null && usual.seconds() != null) {
            facts.row(
                    "usually takes",
                    RunText.duration(Duration.ofMillis((long) (usual.seconds() * 1000))) + ", this one "
                            + ratio(took.toMillis() / 1000.0, usual.seconds()) + of);
        }
        Long bytes = run.bytes();
        if (bytes != null && usual.bytes() != null) {
            facts.row(
                    "usually moves",
                    Arguments.bytes(usual.bytes().longValue()) + ", this one " + ratio(bytes, usual.bytes()) + of);
        }
    }

    private static String ratio(double value, double usual) {
        return usual <= 0 ? "-" : String.format(Locale.ROOT, "%.2f × that", value / usual);
    }

    private void attempts() {
        List<Run.Attempt> attempts = run.attempts();
        if (attempts == null || attempts.size() < 2) {
            return;
        }
        TextTable table = new TextTable("attempt", "node", "started", "ended", "outcome", "reason");
        attempts.forEach(attempt -> table.row(
                Integer.toString(attempt.number()),
                attempt.node(),
                RunText.time(attempt.startedAt()),
                attempt.endedAt() == null ? "-" : RunText.time(attempt.endedAt()),
                RunText.orDash(attempt.outcome()),
                RunText.shortened(RunText.firstLine(RunText.orDash(attempt.reason())))));
        out.println();
        table.print(out, "  ");
    }
}
