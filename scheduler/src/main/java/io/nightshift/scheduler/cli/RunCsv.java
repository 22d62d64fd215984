package io.nightshift.scheduler.cli;

import io.nightshift.infra.run.JobReport;
import io.nightshift.scheduler.ledger.Run;
import java.io.PrintWriter;
import java.util.List;

/** Runs for a spreadsheet: one line each, times in UTC. */
final class RunCsv {

    private RunCsv() {}

    static void print(PrintWriter out, List<Run> runs) {
        Csv csv = new Csv(
                out,
                "run",
                "job",
                "type",
                "cluster",
                "state",
                "cause",
                "actor",
                "due",
                "requested",
                "started",
                "ended",
                "seconds",
                "exit_status",
                "findings",
                "not_evaluated",
                "bytes",
                "what");
        runs.forEach(run -> row(csv, run));
    }

    private static void row(Csv csv, Run run) {
        JobReport report = run.report() == null ? JobReport.EMPTY : run.report();
        csv.row(
                run.id(),
                run.job(),
                run.type(),
                run.cluster(),
                run.state(),
                run.cause(),
                run.actor(),
                run.due(),
                run.requestedAt(),
                run.startedAt(),
                run.endedAt(),
                run.took() == null ? null : run.took().toMillis() / 1000.0,
                run.exitStatus(),
                report.findings().size(),
                report.notEvaluated().size(),
                run.bytes(),
                RunText.what(run));
    }
}
