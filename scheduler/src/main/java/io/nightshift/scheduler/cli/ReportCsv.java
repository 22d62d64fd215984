package io.nightshift.scheduler.cli;

import io.nightshift.scheduler.report.NightReport;
import io.nightshift.scheduler.report.NightReport.JobFigures;
import java.io.PrintWriter;

/** A report's jobs for a spreadsheet, one line each. */
final class ReportCsv {

    private ReportCsv() {}

    static void print(PrintWriter out, NightReport report) {
        Csv csv = new Csv(
                out,
                "date",
                "period",
                "job",
                "cluster",
                "type",
                "runs",
                "completed",
                "success_rate",
                "p50_seconds",
                "p95_seconds",
                "usual_p50_seconds",
                "trend",
                "bytes",
                "last_success");
        for (JobFigures job : report.jobs()) {
            csv.row(
                    report.date(),
                    report.period(),
                    job.job(),
                    job.cluster(),
                    job.type(),
                    job.runs(),
                    job.completed(),
                    job.successRate(),
                    job.p50(),
                    job.p95(),
                    job.usualP50(),
                    job.trend(),
                    Math.round(job.bytes()),
                    job.lastSuccess());
        }
    }
}
