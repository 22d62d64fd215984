package io.nightshift.jobs.integrity;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Which part of a node is looked at in one night, so that all of it is within some days. Pure. */
final class NodeSlice {

    /** More than the share of the days that have passed: nights fail, and are late. */
    private static final double MARGIN = 1.25;

    /** Of the time since the last look, at least. */
    private static final Duration DAY = Duration.ofDays(1);

    private NodeSlice() {}

    /**
     * What was wrong the last time, to see whether it still is; then what waits longest, up to the share of the time that has
     * passed since the last look.
     */
    static List<Target> of(List<Target> all, Coverage coverage, Duration within, Instant now) {
        Duration passed = coverage.looks().values().stream()
                .max(Comparator.naturalOrder())
                .map(last -> Duration.between(last, now))
                .filter(time -> time.compareTo(DAY) > 0)
                .orElse(DAY);
        long bytes = all.stream().mapToLong(NodeSlice::weight).sum();
        double share = MARGIN * passed.toMillis() / within.toMillis();
        long room = (long) Math.ceil(bytes * Math.min(1, share));
        List<Target> slice = new ArrayList<>();
        List<Target> longestFirst = all.stream()
                .sorted(Comparator.comparing((Target target) -> !coverage.wasWrong(target))
                        .thenComparing(target -> coverage.waitsSince(target, now))
                        .thenComparing(Target::key))
                .toList();
        for (Target target : longestFirst) {
            if (room > 0 || coverage.wasWrong(target)) {
                slice.add(target);
                room -= coverage.wasWrong(target) ? 0 : weight(target);
            }
        }
        return slice;
    }

    /** What is empty is looked at, too. */
    private static long weight(Target target) {
        return Math.max(Piece.BLOCK, target.bytes());
    }
}
