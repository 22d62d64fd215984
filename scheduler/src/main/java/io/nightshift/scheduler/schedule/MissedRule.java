package io.nightshift.scheduler.schedule;

import io.nightshift.infra.config.Durations;
import io.nightshift.infra.config.Missed.Policy;
import io.nightshift.infra.config.WorkingDay;
import io.nightshift.scheduler.schedule.Fate.Kind;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Decides which due times begin, when they are accounted for late because nobody was there in time.
 *
 * @param maxLateness how late a run may begin; null for any
 * @param workingDay in which nothing begins late; null for none
 * @param zone by whose clock the working day goes
 */
public record MissedRule(
        Policy policy,
        @Nullable Duration maxLateness,
        @Nullable WorkingDay workingDay,
        ZoneId zone) {

    /** A trigger that is lost is found by the ticker within half a minute: that is not late. */
    static final Duration ON_TIME = Duration.ofMinutes(2);

    /**
     * The fate of each due time, oldest first. With {@link Policy#ALL} those after the first that runs are left out: they
     * are decided when that one has ended.
     *
     * @param due oldest first
     * @param paused why the job was paused at a time, or empty
     */
    public List<Fate> fates(List<DueTime> due, Instant now, Function<Instant, Optional<String>> paused) {
        List<Fate> fates = new ArrayList<>();
        boolean covered = false;
        for (int i = due.size() - 1; i >= 0; i--) {
            Fate fate = fate(due.get(i), now, paused, covered);
            covered |= fate.kind() == Kind.RUN && policy != Policy.ALL;
            fates.add(fate);
        }
        fates.sort(Comparator.comparing(fate -> fate.due().at()));
        return policy == Policy.ALL ? upToTheFirstRun(fates) : fates;
    }

    private static List<Fate> upToTheFirstRun(List<Fate> fates) {
        for (int i = 0; i < fates.size(); i++) {
            if (fates.get(i).kind() == Kind.RUN) {
                return fates.subList(0, i + 1);
            }
        }
        return fates;
    }

    private Fate fate(DueTime due, Instant now, Function<Instant, Optional<String>> paused, boolean covered) {
        if (due.excludedBy() != null) {
            return new Fate(due, Kind.SKIPPED, due.excludedBy());
        }
        Optional<String> pause = paused.apply(due.at());
        if (pause.isPresent()) {
            return new Fate(due, Kind.SKIPPED, pause.get());
        }
        Duration late = Duration.between(due.at(), now);
        if (covered) {
            return new Fate(due, Kind.COVERED, "");
        }
        return late.compareTo(ON_TIME) <= 0
                ? new Fate(due, Kind.RUN, "")
                : whyNot(due, now, late)
                        .map(reason -> new Fate(due, Kind.MISSED, reason))
                        .orElseGet(() -> new Fate(due, Kind.RUN, "begun " + rounded(late) + " late"));
    }

    private Optional<String> whyNot(DueTime due, Instant now, Duration late) {
        String fact = "nobody was there at its time; ";
        if (policy == Policy.SKIP) {
            return Optional.of(fact + "missed ones of this job are not made up for");
        }
        return tooLate(due.at(), now, late).map(reason -> fact + reason);
    }

    /**
     * Why a run for a due time that was opened in time must not begin any more, since it had to wait; empty while it may.
     *
     * @param begunBefore whether it has had an attempt, so that only the working day can keep it from another
     */
    public Optional<String> tooLate(Instant due, Instant now, boolean begunBefore) {
        Duration late = begunBefore ? Duration.ZERO : Duration.between(due, now);
        return (begunBefore || late.compareTo(ON_TIME) > 0 ? tooLate(due, now, late) : Optional.<String>empty())
                .map(reason -> "it had to wait; " + reason);
    }

    private Optional<String> tooLate(Instant due, Instant now, Duration late) {
        if (maxLateness != null && late.compareTo(maxLateness) > 0) {
            return Optional.of(rounded(late) + " late is later than its " + Durations.print(maxLateness));
        }
        if (workingDay != null && workingDay.contains(now, zone) && !workingDay.contains(due, zone)) {
            return Optional.of("it does not begin late in the " + workingDay);
        }
        return Optional.empty();
    }

    private static String rounded(Duration late) {
        return Durations.print(late.truncatedTo(ChronoUnit.MINUTES));
    }
}
