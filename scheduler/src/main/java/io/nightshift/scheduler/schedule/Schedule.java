package io.nightshift.scheduler.schedule;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** When a job is due. Immutable; the same question always has the same answer. */
public interface Schedule {

    /** The first due time after the given instant, excluded or not; empty when there is none any more. */
    Optional<DueTime> next(Instant after);

    /** The text under which the cursor remembers this schedule: it changes when the due times may change. */
    String text();

    /** Whether calendars exclude what would be due then. */
    default boolean excludes(Instant time) {
        return false;
    }

    /** Due times after {@code after} up to and including {@code until}, oldest first. */
    default List<DueTime> between(Instant after, Instant until) {
        List<DueTime> due = new ArrayList<>();
        Optional<DueTime> next = next(after);
        while (next.isPresent() && !next.get().at().isAfter(until)) {
            due.add(next.get());
            next = next(next.get().at());
        }
        return due;
    }

    /** The first due time after {@code after} that nothing excludes; empty when there is none among the next thousand. */
    default Optional<DueTime> nextToRun(Instant after) {
        Optional<DueTime> next = next(after);
        for (int looked = 1; looked < 1_000 && next.filter(DueTime::isExcluded).isPresent(); looked++) {
            next = next(next.get().at());
        }
        return next.filter(due -> !due.isExcluded());
    }
}
