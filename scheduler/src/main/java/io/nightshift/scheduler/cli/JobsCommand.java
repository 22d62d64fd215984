package io.nightshift.scheduler.cli;

import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.config.JobConfig;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.ledger.Json;
import io.nightshift.scheduler.ledger.Pauses.Pause;
import io.nightshift.scheduler.ledger.Run;
import io.nightshift.scheduler.schedule.DueTime;
import io.nightshift.scheduler.schedule.Schedule;
import io.nightshift.scheduler.schedule.Schedules;
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

@Command(name = "jobs", description = "Lists the configured jobs: when each is due and how it last ended.")
final class JobsCommand implements Callable<Integer> {

    private record Line(
            String job,
            String type,
            String cluster,
            String schedule,
            @Nullable Instant nextDue,
            @Nullable Run last) {}

    @ParentCommand
    @SuppressWarnings("NullAway.Init") // picocli sets it before call()
    private NightshiftCommand top;

    @Override
    public Integer call() {
        Surroundings surroundings = top.surroundings();
        Instant now = surroundings.clock().instant();
        List<Line> lines = lines(surroundings.configuration(), latest(surroundings), now);
        List<Pause> pauses = pauses(surroundings, now);
        if (top.isJson()) {
            Map<String, Object> document = new LinkedHashMap<>();
            document.put("jobs", lines.stream().map(JobsCommand::json).toList());
            document.put("pauses", pauses.stream().map(Json::toMap).toList());
            top.print(document);
        } else if (lines.isEmpty()) {
            top.out()
                    .println("no jobs are configured: put one into "
                            + surroundings.configDirectory().resolve("jobs"));
        } else {
            text(lines);
        }
        if (!top.isJson()) {
            pauses.forEach(pause -> top.out()
                    .println("paused: " + new PauseScope(pause.job(), pause.cluster()) + ", since "
                            + RunText.time(pause.since()) + ", " + pause.text()));
        }
        return 0;
    }

    private static List<Pause> pauses(Surroundings surroundings, Instant now) {
        try (LedgerAtHand ledger = LedgerAtHand.open(surroundings).orElse(null)) {
            return ledger == null ? List.of() : ledger.pauses().at(now);
        }
    }

    private static Map<String, Run> latest(Surroundings surroundings) {
        try (LedgerAtHand ledger = LedgerAtHand.open(surroundings).orElse(null)) {
            return ledger == null
                    ? Map.of()
                    : ledger.history().latest().stream()
                            .collect(Collectors.toMap(run -> run.job() + "@" + run.cluster(), Function.identity()));
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
                        schedule.map(Schedule::text).orElse("on demand"),
                        schedule.flatMap(s -> s.nextToRun(now)).map(DueTime::at).orElse(null),
                        latest.get(job.name() + "@" + cluster)));
            }
        }
        return lines;
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
