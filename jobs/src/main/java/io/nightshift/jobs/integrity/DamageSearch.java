package io.nightshift.jobs.integrity;

import io.nightshift.jobs.integrity.Probe.Verdict;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * Where damage began among backups, the newest first, as far as they were probed. What is damaged stays damaged in all newer
 * ones: that is assumed, and lets half of those that are left go with each probe. Pure.
 */
final class DamageSearch {

    private final List<Optional<Verdict>> newestFirst;

    /** @param newestFirst what each has shown; empty for one that was not probed */
    DamageSearch(List<Optional<Verdict>> newestFirst) {
        this.newestFirst = List.copyOf(newestFirst);
    }

    /** The newest one without the damage, or without its subject; empty as long as there is none. */
    OptionalInt clean() {
        return IntStream.range(0, newestFirst.size())
                .filter(backup -> is(backup, Verdict.CLEAN) || is(backup, Verdict.ABSENT))
                .findFirst();
    }

    /** The oldest one with the damage; empty as long as there is none. */
    OptionalInt damaged() {
        return IntStream.range(0, clean().orElse(newestFirst.size()))
                .filter(backup -> is(backup, Verdict.DAMAGED))
                .max();
    }

    /** Those between both that could not be tested: the damage may have begun in each of them. */
    List<Integer> unknown() {
        return IntStream.range(damaged().orElse(-1) + 1, clean().orElse(newestFirst.size()))
                .filter(backup -> is(backup, Verdict.NOT_TESTABLE))
                .boxed()
                .toList();
    }

    /** Which one to probe next: the newest that can be, then the middle one; empty when all is known that can be. */
    OptionalInt next() {
        int newer = damaged().orElse(-1);
        int older = clean().orElse(newestFirst.size());
        boolean atBeginning = damaged().isEmpty() && clean().isEmpty();
        int wanted = atBeginning ? 0 : (newer + older) / 2;
        return IntStream.range(newer + 1, older)
                .filter(backup -> newestFirst.get(backup).isEmpty())
                .boxed()
                .min(Comparator.comparingInt(backup -> Math.abs(backup - wanted)))
                .map(OptionalInt::of)
                .orElse(OptionalInt.empty());
    }

    private boolean is(int backup, Verdict verdict) {
        return newestFirst.get(backup).filter(verdict::equals).isPresent();
    }
}
