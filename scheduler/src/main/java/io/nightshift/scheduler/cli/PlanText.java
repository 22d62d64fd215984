package io.nightshift.scheduler.cli;

import io.nightshift.infra.config.Durations;
import io.nightshift.scheduler.schedule.Fate;
import io.nightshift.scheduler.schedule.Plan;
import io.nightshift.scheduler.schedule.PlannedJob;
import io.nightshift.scheduler.schedule.UsualDuration;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** A plan as people read it. */
final class PlanText {

    /** What is due more often, and nothing is to be said of, gets one line. */
    private static final int OFTEN = 24;

    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("HH:mm", Locale.ROOT);
    private static final DateTimeFormatter WITH_SECONDS = DateTimeFormatter.ofPattern("HH:mm:ss", Locale.ROOT);
    private static final DateTimeFormatter DAY = DateTimeFormatter.ofPattern("EEE uuuu-MM-dd", Locale.ROOT);

    private final PrintWriter out;

    PlanText(PrintWriter out) {
        this.out = out;
    }

    void print(Plan plan, boolean served) {
        out.println("Plan of " + Duration.between(plan.from(), plan.until()).toHours() + " h from "
                + RunText.time(plan.from()));
        if (!served) {
            out.println("Nobody serves now: nothing of this happens before nightshift serve runs.");
        }
        if (!plan.unaccounted().isEmpty()) {
            out.println();
            out.println("Due already, decided when somebody serves; now it would be:");
            entries(plan.unaccounted());
        }
        out.println();
        if (plan.due().isEmpty()) {
            out.println("nothing is due");
        } else {
            due(plan.due());
        }
        if (!plan.gaps().isEmpty()) {
            out.println();
            out.println("Gaps between backups, longer than usual");
            plan.gaps().forEach(this::gap);
        }
    }

    private void due(List<Plan.Entry> due) {
        Map<String, List<Plan.Entry>> plain = due.stream()
                .filter(entry -> entry.likely() == Fate.Kind.RUN && said(entry).isEmpty())
                .collect(Collectors.groupingBy(PlanText::name, TreeMap::new, Collectors.toList()));
        plain.values().removeIf(entries -> entries.size() <= OFTEN);
        List<Plan.Entry> single = new ArrayList<>(due);
        plain.values().forEach(single::removeAll);
        if (!single.isEmpty()) {
            entries(single);
        }
        if (!plain.isEmpty()) {
            if (!single.isEmpty()) {
                out.println();
            }
            TextTable table = new TextTable("job", "cluster", "times", "first", "last", "takes (p95)");
            plain.values().forEach(entries -> often(table, entries));
            table.print(out);
        }
    }

    private static String name(Plan.Entry entry) {
        return entry.of().job() + "@" + entry.of().cluster();
    }

    private static void often(TextTable table, List<Plan.Entry> entries) {
        Plan.Entry first = entries.get(0);
        table.row(
                first.of().job(),
                first.of().cluster(),
                Integer.toString(entries.size()),
                local(first),
                local(entries.get(entries.size() - 1)),
                takes(first.of()));
    }

    private void entries(List<Plan.Entry> entries) {
        TextTable table = new TextTable("due", "UTC", "job", "cluster", "takes (p95)", "what");
        entries.forEach(entry -> table.row(
                local(entry),
                time(entry.fate().due().at().atZone(ZoneOffset.UTC)),
                entry.of().job(),
                entry.of().cluster(),
                takes(entry.of()),
                what(entry)));
        table.print(out);
    }

    private static String local(Plan.Entry entry) {
        ZonedDateTime at = entry.fate().due().at().atZone(entry.of().zone());
        String offset = at.getOffset().equals(ZoneOffset.UTC) ? "" : " " + at.getOffset();
        return DAY.format(at) + " " + time(at) + offset + " " + at.getZone();
    }

    private static String time(ZonedDateTime at) {
        return (at.getSecond() == 0 ? TIME : WITH_SECONDS).format(at);
    }

    private static String takes(PlannedJob job) {
        UsualDuration usual = job.usual();
        return usual == null ? "-" : RunText.duration(usual.median()) + " (" + RunText.duration(usual.p95()) + ")";
    }

    private static String what(Plan.Entry entry) {
        return String.join("; ", said(entry));
    }

    private static List<String> said(Plan.Entry entry) {
        List<String> said = new ArrayList<>();
        if (entry.likely() != Fate.Kind.RUN) {
            said.add(word(entry));
        } else if (!entry.reason().isEmpty()) {
            said.add(entry.reason());
        }
        said.addAll(entry.notes());
        return said;
    }

    private static String word(Plan.Entry entry) {
        return switch (entry.likely()) {
            case RUN -> "run";
            case COVERED -> "missed: a newer one runs in its place";
            case SKIPPED -> "skipped: " + entry.reason();
            case MISSED -> "missed: " + entry.reason();
        };
    }

    private void gap(Plan.Gap gap) {
        Instant until = gap.until();
        out.println("  " + gap.cluster() + ": "
                + (until == null
                        ? "none begins after " + RunText.time(gap.from())
                        : "none begins from " + RunText.time(gap.from()) + " to " + RunText.time(until) + ", "
                                + hours(Duration.between(gap.from(), until)))
                + "; usually at most " + hours(gap.usual()));
    }

    private static String hours(Duration duration) {
        return Durations.print(duration.truncatedTo(ChronoUnit.MINUTES));
    }
}
