package io.nightshift.scheduler.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.server.Effort;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Installation;
import io.nightshift.scheduler.Nightshift;
import io.nightshift.scheduler.Rehearsal;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;

/** Many jobs that are due at the same time, and many that are due one after the other. */
class HerdTest {

    private static final Duration LIMIT = Duration.ofMinutes(5);
    private static final int HERD = Effort.of(30, 100);
    private static final int SPREAD = Effort.of(20, 1_000);
    private static final Duration OVER = Duration.ofSeconds(Effort.of(2, 60));

    /** When the first step of each job began. */
    private final Map<String, Instant> begun = new ConcurrentHashMap<>();

    @Test
    void all_begin_whether_they_are_due_in_one_second_or_one_after_the_other() {
        Rehearsal.write("herd", run -> begun.put(run.job(), Instant.now()), run -> {});
        Map<String, Instant> due = Map.of();
        for (Duration ahead = Duration.ofSeconds(8); due.isEmpty(); ahead = ahead.multipliedBy(2)) {
            due = played(Instant.now().plus(ahead).truncatedTo(ChronoUnit.SECONDS));
        }

        assertThat(begun.keySet()).isEqualTo(due.keySet());
        List<Long> herd = latenesses(due, "herd-");
        List<Long> spread = latenesses(due, "spread-");
        System.out.printf(
                "FIGURE %d jobs due in one second, 4 work threads: the first began after %d ms, half of them after %d ms, the last after %d ms (goal: 5000 ms)%n",
                HERD, herd.get(0), percentile(herd, 0.5), herd.get(herd.size() - 1));
        System.out.printf(
                "FIGURE %d jobs over %d s: first step after p50 %d ms, p95 %d ms, p99 %d ms, at most %d ms (goal: p99 < 500 ms)%n",
                SPREAD,
                OVER.toSeconds(),
                percentile(spread, 0.5),
                percentile(spread, 0.95),
                percentile(spread, 0.99),
                spread.get(spread.size() - 1));
    }

    /** The due time of each job once each has run; nothing when the node was not ready at the first of them. */
    private Map<String, Instant> played(Instant first) {
        begun.clear();
        Map<String, Instant> due = due(first);
        try (Installation installation = Installation.withOwnControlDatabase()) {
            due.forEach((job, time) -> write(installation, job, time));
            try (ControlDatabase database = installation.controlDatabase();
                    Nightshift nightshift = installation.serving(database)) {
                if (!Instant.now().isBefore(first)) {
                    return Map.of();
                }
                // Not by asking the database, which has enough to do.
                await().atMost(LIMIT).until(() -> begun.size() == due.size());
                await().atMost(LIMIT).until(() -> completed(database) == due.size());
                await().atMost(LIMIT).until(() -> nightshift.activeRuns().isEmpty());
            }
        }
        return due;
    }

    private static Map<String, Instant> due(Instant first) {
        Map<String, Instant> due = new LinkedHashMap<>();
        for (int i = 0; i < HERD; i++) {
            due.put("herd-" + i, first);
        }
        Instant begin = first.plusSeconds(Effort.of(4, 15));
        for (int i = 0; i < SPREAD; i++) {
            due.put(
                    "spread-" + i,
                    begin.plus(OVER.multipliedBy(i).dividedBy(SPREAD)).truncatedTo(ChronoUnit.SECONDS));
        }
        return due;
    }

    private static void write(Installation installation, String job, Instant due) {
        ZonedDateTime at = due.atZone(ZoneOffset.UTC);
        installation.write("jobs/" + job + ".yaml", """
                type: rehearsal
                cluster: stage
                schedule: {cron: "%d %d %d %d %d ?", zone: UTC}
                settings: {script: herd}
                """.formatted(
                        at.getSecond(), at.getMinute(), at.getHour(), at.getDayOfMonth(), at.getMonthValue()));
    }

    /** How many have completed, if there is nothing else. */
    private static int completed(ControlDatabase database) {
        return Installation.sql(database)
                .sql("SELECT CASE WHEN bool_and(state = 'completed') THEN count(*) ELSE 0 END FROM run")
                .query(Integer.class)
                .single();
    }

    private List<Long> latenesses(Map<String, Instant> due, String prefix) {
        return due.entrySet().stream()
                .filter(entry -> entry.getKey().startsWith(prefix))
                .map(entry -> Duration.between(entry.getValue(), begun.get(entry.getKey()))
                        .toMillis())
                .sorted()
                .toList();
    }

    private static long percentile(List<Long> sorted, double part) {
        return sorted.get((int) Math.min(sorted.size() - 1L, Math.round(part * sorted.size())));
    }
}
