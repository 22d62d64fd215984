package io.nightshift.jobs.verify;

import io.nightshift.infra.config.DataSize;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What one run reads: the oldest first, as much as is its share of the round, and all that becomes due before the next run.
 * The share is to all bytes as the time since the last reading is to the round; so runs that were missed are made up for.
 * Pure.
 *
 * @param readings in the order in which they are read
 */
record ReadingPlan(List<Reading> readings) {

    /** Until the next run, if nobody knows better. */
    private static final Duration NIGHT = Duration.ofDays(1);
    /** Runs do not begin at the same time each night. */
    private static final Duration LATER = Duration.ofHours(12);

    ReadingPlan {
        readings = List.copyOf(readings);
    }

    /**
     * @param all that the storages hold
     * @param round in which everything is read once
     * @param budget bytes; null for no limit
     * @param lastAt when something was last read, before this run; null if nothing ever was
     */
    static ReadingPlan of(
            List<? extends Reading> all,
            Duration round,
            @Nullable DataSize budget,
            @Nullable Instant lastAt,
            Instant now) {
        List<Reading> oldestFirst = new ArrayList<>(all);
        oldestFirst.sort(Comparator.comparing((Reading reading) -> reading.since(now)));
        Duration sinceLast = lastAt == null ? NIGHT : Duration.between(lastAt, now);
        double share = (double) bytes(oldestFirst) * sinceLast.toMillis() / round.toMillis() - readSince(all, lastAt);
        Duration untilNext = sinceLast.compareTo(NIGHT) > 0 ? sinceLast : NIGHT;
        Instant due = now.plus(untilNext).plus(LATER).minus(round);
        List<Reading> readings = new ArrayList<>();
        long planned = 0;
        for (Reading reading : oldestFirst) {
            long with = planned + reading.bytes();
            boolean isWanted = with <= share || !reading.since(now).isAfter(due);
            boolean fits = budget == null || with <= budget.bytes() || readings.isEmpty();
            if (!isWanted || !fits) {
                break;
            }
            readings.add(reading);
            planned = with;
        }
        return new ReadingPlan(readings);
    }

    /** As many as the budget allows, the oldest first, and one at least. */
    static List<Reading> within(List<? extends Reading> all, @Nullable DataSize budget, Instant now) {
        List<Reading> oldestFirst = new ArrayList<>(all);
        oldestFirst.sort(Comparator.comparing((Reading reading) -> reading.since(now)));
        List<Reading> within = new ArrayList<>();
        long planned = 0;
        for (Reading reading : oldestFirst) {
            planned += reading.bytes();
            if (budget != null && planned > budget.bytes() && !within.isEmpty()) {
                break;
            }
            within.add(reading);
        }
        return within;
    }

    /** What others leave of a budget; null for no limit. */
    static @Nullable DataSize left(@Nullable DataSize budget, List<Reading> others) {
        return budget == null ? null : new DataSize(Math.max(0, budget.bytes() - bytes(others)));
    }

    /** When something was last read; empty if nothing ever was. */
    static Optional<Instant> lastReadAt(List<? extends Reading> all, Instant now) {
        return all.stream()
                .flatMap(reading -> Stream.ofNullable(reading.readAt()))
                .filter(read -> !read.isAfter(now))
                .max(Comparator.naturalOrder());
    }

    /** By the attempts of this run before this one. */
    private static long readSince(List<? extends Reading> all, @Nullable Instant lastAt) {
        return all.stream()
                .filter(reading -> reading.readAt() != null
                        && (lastAt == null || reading.readAt().isAfter(lastAt)))
                .mapToLong(Reading::bytes)
                .sum();
    }

    long bytes() {
        return bytes(readings);
    }

    private static long bytes(List<Reading> readings) {
        return readings.stream().mapToLong(Reading::bytes).sum();
    }
}
