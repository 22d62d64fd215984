package io.nightshift.jobs.retention;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.Durations;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * When a run must not delete before a person has looked: a changed setting, a wrong clock and lost notes all look like old
 * backups. Pure.
 *
 * @param announced what an earlier run said would expire by now
 * @param lastRunAt when retention last looked; null if it never has
 */
record Caution(Set<BackupLabel> announced, @Nullable Instant lastRunAt) {

    /** Of all bytes, in hundredths: so much may expire in one run that nobody has announced. */
    static final int MOST_UNANNOUNCED = 25;

    /** Nightshift may have been away for that long; longer looks like a clock that was put forward. */
    static final Duration LONGEST_ABSENCE = Duration.ofDays(14);

    /** Clocks of two machines may differ by that much. */
    private static final Duration SKEW = Duration.ofMinutes(10);

    Caution {
        announced = Set.copyOf(announced);
    }

    /**
     * Why a person must say yes; empty if nothing is strange.
     *
     * @param othersGo whether anything else is to be deleted, such as WAL: a wrong clock takes that too
     */
    Optional<String> objection(RetentionDecision decision, boolean othersGo, Instant now) {
        if (decision.expired().isEmpty() && !othersGo) {
            return Optional.empty();
        }
        return clock(decision, now).or(() -> amount(decision));
    }

    /** What speaks against the clock, whether or not anything expires; empty if nothing does. */
    Optional<String> clock(RetentionDecision decision, Instant now) {
        Optional<Instant> newest = decision.verdicts().stream()
                .map(verdict -> verdict.backup().endedAt())
                .max(Instant::compareTo);
        if (newest.isPresent() && newest.get().isAfter(now.plus(SKEW))) {
            return Optional.of("the clock says " + now + ", and the newest backup ended at " + newest.get());
        }
        if (lastRunAt == null) {
            return Optional.empty();
        }
        if (lastRunAt.isAfter(now.plus(SKEW))) {
            return Optional.of("the clock says " + now + ", and retention last ran at " + lastRunAt);
        }
        Duration away = Duration.between(lastRunAt, now);
        return away.compareTo(LONGEST_ABSENCE) > 0
                ? Optional.of("retention last ran " + Durations.print(Duration.ofDays(away.toDays())) + " ago, at "
                        + lastRunAt + ", if the clock is right, which says " + now)
                : Optional.empty();
    }

    private Optional<String> amount(RetentionDecision decision) {
        List<Candidate> expired = decision.expired();
        List<Candidate> surprising = expired.stream()
                .filter(candidate -> !announced.contains(candidate.label()))
                .toList();
        long all = bytes(decision.verdicts().stream()
                .map(RetentionDecision.Verdict::backup)
                .toList());
        long going = bytes(expired);
        return surprising.isEmpty() || going * 100 <= all * MOST_UNANNOUNCED
                ? Optional.empty()
                : Optional.of(new DataSize(going).rounded() + " of " + new DataSize(all).rounded() + " would expire, "
                        + surprising.size() + " of the " + expired.size() + " backups without an earlier word of it, "
                        + surprising.get(surprising.size() - 1).label() + " the oldest of them");
    }

    private static long bytes(Collection<Candidate> candidates) {
        return candidates.stream().mapToLong(Candidate::bytes).sum();
    }
}
