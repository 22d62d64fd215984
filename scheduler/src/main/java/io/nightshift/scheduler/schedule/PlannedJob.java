package io.nightshift.scheduler.schedule;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A job on one cluster with all that decides what becomes of its due times. Firing, preview and watchdog ask the same
 * schedule and the same rule.
 *
 * @param offset each due time begins this much later
 * @param paused why the job is paused at a time, or empty
 * @param usual null where too little is known
 * @param accountedUntil up to when its due times have become runs; null where none of this schedule has
 * @param busySince since when a run of it works; null when none does
 * @param lastSuccess when the newest completed run ended; null when there is none
 */
public record PlannedJob(
        String job,
        String type,
        String cluster,
        Schedule schedule,
        MissedRule missed,
        Duration offset,
        Function<Instant, Optional<String>> paused,
        @Nullable UsualDuration usual,
        @Nullable Instant accountedUntil,
        @Nullable Instant busySince,
        @Nullable Instant lastSuccess) {

    /** By whose clock it is due. */
    public ZoneId zone() {
        return missed.zone();
    }

    /** What is due and not accounted for: what would become of it now. */
    List<Fate> unaccounted(Instant now) {
        Instant until = now.minus(offset);
        return accountedUntil == null || !accountedUntil.isBefore(until)
                ? List.of()
                : missed.fates(schedule.between(accountedUntil, until), until, paused);
    }

    /** What becomes of the due times that begin after {@code from} up to {@code until}, each at its time. */
    List<Fate> ahead(Instant from, Instant until) {
        return schedule.between(from.minus(offset), until.minus(offset)).stream()
                .flatMap(due -> missed.fates(List.of(due), due.at(), paused).stream())
                .toList();
    }

    /** When the first run after a time begins that nothing keeps from running, if it is before {@code limit}. */
    Optional<Instant> nextRun(Instant after, Instant limit) {
        Optional<DueTime> next = schedule.next(after.minus(offset));
        while (next.isPresent() && next.get().at().isBefore(limit)) {
            if (!next.get().isExcluded() && paused.apply(next.get().at()).isEmpty()) {
                return next.map(due -> due.at().plus(offset));
            }
            next = schedule.next(next.get().at());
        }
        return Optional.empty();
    }

    /** Every time it is due, whether something keeps it from running or not. */
    List<Instant> beginnings(Instant from, Instant until) {
        List<Instant> beginnings = new ArrayList<>();
        schedule.between(from.minus(offset), until.minus(offset))
                .forEach(due -> beginnings.add(due.at().plus(offset)));
        return beginnings;
    }
}
