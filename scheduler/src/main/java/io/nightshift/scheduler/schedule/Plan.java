package io.nightshift.scheduler.schedule;

import io.nightshift.infra.config.Durations;
import io.nightshift.scheduler.schedule.Fate.Kind;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What is due in a stretch of time and what is to be expected of it. Pure.
 *
 * @param unaccounted due before the stretch and waiting for somebody who serves: what would become of it now
 * @param due in order of their beginning
 * @param gaps stretches without a backup that are longer than usual
 */
public record Plan(Instant from, Instant until, List<Entry> unaccounted, List<Entry> due, List<Gap> gaps) {

    /**
     * A due time.
     *
     * @param begin when it begins: its time, and the job's jitter
     * @param likely what is to be expected of it: a run that is expected to find an earlier one at work is skipped
     * @param notes what is worth knowing of it besides
     */
    public record Entry(PlannedJob of, Fate fate, Instant begin, Kind likely, String reason, List<String> notes) {

        /** When it is expected to end; empty where that is not known or it does not run. */
        public Optional<Instant> end() {
            UsualDuration usual = of.usual();
            return usual == null || likely != Kind.RUN ? Optional.empty() : Optional.of(begin.plus(usual.median()));
        }

        private Entry noting(String note) {
            return new Entry(of, fate, begin, likely, reason, append(notes, note));
        }

        private Entry skipped(String why) {
            return new Entry(of, fate, begin, Kind.SKIPPED, why, notes);
        }

        private static List<String> append(List<String> notes, String note) {
            return Stream.concat(notes.stream(), Stream.of(note)).toList();
        }
    }

    /**
     * A stretch without a backup.
     *
     * @param until null: none begins within five weeks
     * @param usual the longest one of the four weeks before, had nothing kept a backup from running
     */
    public record Gap(
            String cluster, Instant from, @Nullable Instant until, Duration usual) {}

    private static final Duration FOUR_WEEKS = Duration.ofDays(28);
    private static final Duration FIVE_WEEKS = Duration.ofDays(35);
    /** A night with a repeated hour is no gap. */
    private static final Duration HOUR = Duration.ofHours(1);

    public static Plan of(List<PlannedJob> jobs, Instant from, Instant until) {
        List<Entry> unaccounted = sorted(jobs.stream()
                .flatMap(job -> job.unaccounted(from).stream().map(fate -> entry(job, fate))));
        List<Entry> due = sorted(jobs.stream()
                .flatMap(job ->
                        withBusy(
                                job,
                                job.ahead(from, until).stream()
                                        .map(fate -> entry(job, fate))
                                        .toList(),
                                from)
                                .stream()));
        return new Plan(from, until, unaccounted, withOverlaps(due), gaps(jobs, from, until));
    }

    private static List<Entry> sorted(Stream<Entry> entries) {
        return entries.sorted(Comparator.comparing(Entry::begin)
                        .thenComparing(entry -> entry.of().job())
                        .thenComparing(entry -> entry.of().cluster()))
                .toList();
    }

    private static Entry entry(PlannedJob job, Fate fate) {
        List<String> notes = new ArrayList<>();
        switch (fate.due().mark()) {
            case SHIFTED -> notes.add("moved by daylight saving: its own time does not exist that day");
            case FIRST_OF_TWO -> notes.add("the hour comes twice: this is the first");
            case SECOND_OF_TWO -> notes.add("the hour comes twice: this is the second");
            case NONE -> {}
        }
        if (!job.offset().isZero()) {
            notes.add("begins " + Durations.print(job.offset().truncatedTo(ChronoUnit.SECONDS)) + " later (jitter)");
        }
        return new Entry(job, fate, fate.due().at().plus(job.offset()), fate.kind(), fate.reason(), List.copyOf(notes));
    }

    /** One job on one cluster never runs twice at once: what finds the earlier run at work is skipped. */
    private static List<Entry> withBusy(PlannedJob job, List<Entry> entries, Instant now) {
        UsualDuration usual = job.usual();
        if (usual == null) {
            return entries;
        }
        Instant begun = job.busySince();
        List<Entry> judged = new ArrayList<>();
        for (Entry entry : entries) {
            Entry result = entry;
            if (entry.likely() == Kind.RUN && begun != null) {
                if (entry.begin().isBefore(later(begun.plus(usual.median()), begun, now))) {
                    result = entry.skipped("the run before is expected to work still");
                } else if (entry.begin().isBefore(begun.plus(usual.p95()))) {
                    result = entry.noting("may be skipped: one run in twenty works longer than until then");
                }
            }
            if (result.likely() == Kind.RUN) {
                begun = result.begin();
            }
            judged.add(result);
        }
        return judged;
    }

    /** A run of now that has already taken longer than usual works at least until now. */
    private static Instant later(Instant end, Instant begun, Instant now) {
        return begun.isBefore(now) && end.isBefore(now) ? now : end;
    }

    private static List<Entry> withOverlaps(List<Entry> due) {
        Map<String, List<Entry>> working = new HashMap<>();
        List<Entry> judged = new ArrayList<>();
        for (Entry entry : due) {
            List<Entry> others = working.computeIfAbsent(entry.of().cluster(), cluster -> new ArrayList<>());
            others.removeIf(other -> !entry.begin().isBefore(other.end().orElse(Instant.MIN)));
            Entry result = entry;
            if (entry.likely() == Kind.RUN) {
                for (Entry other : others) {
                    if (!other.of().job().equals(entry.of().job())) {
                        result = result.noting("begins while " + other.of().job() + " works");
                    }
                }
                others.add(result);
            }
            judged.add(result);
        }
        return judged;
    }

    private static List<Gap> gaps(List<PlannedJob> jobs, Instant from, Instant until) {
        return jobs.stream()
                .filter(job -> job.type().endsWith("-backup"))
                .map(PlannedJob::cluster)
                .distinct()
                .sorted()
                .flatMap(cluster -> gaps(
                        cluster,
                        jobs.stream()
                                .filter(job -> job.type().endsWith("-backup")
                                        && job.cluster().equals(cluster))
                                .toList(),
                        from,
                        until)
                        .stream())
                .toList();
    }

    private static List<Gap> gaps(String cluster, List<PlannedJob> backups, Instant from, Instant until) {
        Optional<Duration> usual = longest(backups.stream()
                .flatMap(job -> job.beginnings(from.minus(FOUR_WEEKS), from).stream())
                .sorted()
                .toList());
        if (usual.isEmpty()) {
            return List.of();
        }
        List<Gap> gaps = new ArrayList<>();
        Instant last = backups.stream()
                .map(PlannedJob::lastSuccess)
                .flatMap(Stream::ofNullable)
                .max(Comparator.naturalOrder())
                .orElse(from);
        Instant looked = from;
        while (!looked.isAfter(until)) {
            Instant after = looked;
            Instant next = backups.stream()
                    .flatMap(job -> job.nextRun(after, after.plus(FIVE_WEEKS)).stream())
                    .min(Comparator.naturalOrder())
                    .orElse(null);
            if (next == null
                    || Duration.between(last, next).compareTo(usual.get().plus(HOUR)) > 0) {
                gaps.add(new Gap(cluster, last, next, usual.get()));
            }
            if (next == null) {
                break;
            }
            last = next;
            looked = next;
        }
        return gaps;
    }

    private static Optional<Duration> longest(List<Instant> times) {
        Duration longest = Duration.ZERO;
        for (int i = 1; i < times.size(); i++) {
            Duration between = Duration.between(times.get(i - 1), times.get(i));
            longest = between.compareTo(longest) > 0 ? between : longest;
        }
        return longest.isZero() ? Optional.empty() : Optional.of(longest);
    }
}
