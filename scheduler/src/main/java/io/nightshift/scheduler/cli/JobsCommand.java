package io.nightshift.scheduler.cli;

import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.config.JobConfig;
import io.nightshift.infra.config.Schedule.After;
import io.nightshift.infra.config.Schedule.Continuous;
import io.nightshift.infra.config.Schedule.Ending;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.ledger.Json;
import io.nightshift.scheduler.ledger.Pauses.Pause;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.schedule.DueTime;
import io.nightshift.scheduler.schedule.Schedule;
import io.nightshift.scheduler.schedule.Schedules;
import io.nightshift.scheduler.watchdog.Conditions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParentCommand;

@Command(
        name = "jobs",
        description = "Lists the configured jobs, when each is due and how it last ended, and what is wrong now.")
final class JobsCommand implements Callable<Integer> {

    private record Line(
            String job,
            String type,
            String cluster,
            String schedule,
            @Nullable Instant nextDue,
            @Nullable Run last) {}

    private record Known(Map<String, Run> latest, List<Conditions.Lasting> open, List<Pause> pauses) {}

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private NightshiftCommand top;

    @Override
    public Integer call() {
        Surroundings surroundings = top.surroundings();
        Instant now = surroundings.clock().instant();
        Known known = known(surroundings, now);
        List<Line> lines = lines(surroundings.configuration(), known.latest(), now);
        if (top.isJson()) {
            Map<String, Object> document = new LinkedHashMap<>();
            document.put("jobs", lines.stream().map(JobsCommand::json).toList());
            document.put("pauses", known.pauses().stream().map(Json::toMap).toList());
            document.put(
                    "conditions", known.open().stream().map(ConditionText::json).toList());
            top.print(document);
        } else if (lines.isEmpty()) {
            top.out()
                    .println("no jobs are configured: put one into "
                            + surroundings.configDirectory().resolve("jobs"));
        } else {
            text(lines);
            ConditionText.print(top.out(), known.open(), now);
        }
        if (!top.isJson()) {
            known.pauses()
                    .forEach(pause -> top.out()
                            .println("paused: " + new PauseScope(pause.job(), pause.cluster()) + ", since "
                                    + RunText.time(pause.since()) + ", " + pause.text()));
        }
        return 0;
    }

    private static Known known(Surroundings surroundings, Instant now) {
        try (LedgerAtHand ledger = LedgerAtHand.open(surroundings).orElse(null)) {
            return ledger == null
                    ? new Known(Map.of(), List.of(), List.of())
                    : new Known(
                            ledger.history().latest().stream()
                                    .collect(Collectors.toMap(
                                            run -> run.job() + "@" + run.cluster(), Function.identity())),
                            ledger.conditions().open(),
                            ledger.pauses().at(now));
        }
    }

    private static List<Line> lines(Configuration configuration, Map<String, Run> latest, Instant now) {
        List<Line> lines = new ArrayList<>();
        Schedules schedules = new Schedules(configuration.calendars());
        for (JobConfig job : configuration.jobs().values()) {
            Optional<Schedule> schedule = schedules.of(job.schedule());
            for (String cluster : job.clusters()) {
                lines.add(new Line(
                        job.name(),
                        job.type(),
                        cluster,
                        schedule.map(Schedule::text).orElseGet(() -> begins(job.schedule())),
                        schedule.flatMap(s -> s.nextToRun(now)).map(DueTime::at).orElse(null),
                        latest.get(job.name() + "@" + cluster)));
            }
        }
        return lines;
    }

    /** When a job begins that has no due times of its own. */
    private static String begins(io.nightshift.infra.config.Schedule schedule) {
        if (schedule instanceof After after) {
            return "after " + after.after()
                    + (after.when() == Ending.COMPLETED ? "" : ", " + RunText.word(after.when()));
        }
        return schedule instanceof Continuous ? "continuous" : "on demand";
    }

    private void text(List<Line> lines) {
        TextTable table = new TextTable("job", "type", "cluster", "schedule", "next due", "last run");
        lines.forEach(line -> table.row(
                line.job(),
                line.type(),
                line.cluster(),
                line.schedule(),
                line.nextDue() == null ? "-" : RunText.time(line.nextDue()),
                line.last() == null
                        ? "never"
                        : line.last().state() + ", run " + line.last().id()));
        table.print(top.out());
    }

    private static Map<String, @Nullable Object> json(Line line) {
        Map<String, @Nullable Object> job = new LinkedHashMap<>();
        job.put("job", line.job());
        job.put("type", line.type());
        job.put("cluster", line.cluster());
        job.put("schedule", line.schedule());
        job.put("nextDue", line.nextDue());
        job.put("lastRun", line.last() == null ? null : line.last().id());
        job.put("lastState", line.last() == null ? null : line.last().state());
        return job;
    }
}
