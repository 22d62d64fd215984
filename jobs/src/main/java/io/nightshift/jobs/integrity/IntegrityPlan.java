package io.nightshift.jobs.integrity;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** In which order targets are looked at, and in which pieces. Pure. */
final class IntegrityPlan {

    private IntegrityPlan() {}

    /**
     * All targets in pieces: what was never covered comes first, then what was covered longest ago; pages of tables before all
     * that reads their rows. Of what has waited equally long, the largest and the smallest come in turn, so that a short night
     * covers many and nothing large is left alone for the end. A night that is too short leaves the rest for the next one.
     *
     * @param covered when each key was last covered whole
     * @param size of a piece, blocks
     */
    static List<Piece> of(List<Target> targets, Map<String, Instant> covered, long size) {
        Map<String, Instant> rows = new HashMap<>();
        targets.forEach(target -> rows.merge(table(target), at(target, covered), IntegrityPlan::earlier));
        Comparator<Target> urgency = Comparator.comparing(
                        (Target target) -> target.check() == Check.HEAP ? rows.get(table(target)) : at(target, covered))
                .thenComparing(Target::database)
                .thenComparing(target -> target.check() != Check.HEAP);
        List<Target> sorted = targets.stream()
                .sorted(urgency.thenComparingLong(Target::bytes)
                        .thenComparing(Target::check)
                        .thenComparing(Target::object))
                .toList();
        List<Piece> pieces = new ArrayList<>();
        for (int from = 0, to; from < sorted.size(); from = to) {
            to = from + 1;
            while (to < sorted.size() && urgency.compare(sorted.get(from), sorted.get(to)) == 0) {
                to++;
            }
            fromBothEnds(sorted.subList(from, to)).forEach(target -> pieces.addAll(Piece.of(target, size)));
        }
        return pieces;
    }

    /** As two would take them, one from the large end and one from the small, each as fast as the other. */
    private static List<Target> fromBothEnds(List<Target> smallFirst) {
        List<Target> taken = new ArrayList<>();
        long small = 0;
        long large = 0;
        for (int first = 0, last = smallFirst.size() - 1; first <= last; ) {
            Target next;
            if (large <= small) {
                next = smallFirst.get(last--);
                large += next.bytes();
            } else {
                next = smallFirst.get(first++);
                small += next.bytes();
            }
            taken.add(next);
        }
        return taken;
    }

    private static Instant at(Target target, Map<String, Instant> covered) {
        return covered.getOrDefault(target.key(), Instant.MIN);
    }

    private static Instant earlier(Instant one, Instant other) {
        return one.isBefore(other) ? one : other;
    }

    private static String table(Target target) {
        return target.database() + "." + target.table();
    }
}
