package io.nightshift.infra.wal;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.wal.WalLineage.Branch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The archived WAL that recovery would read from a location on, segment by segment: of the timelines that led to the
 * wanted one the one that goes furthest in the segment, which is the newest wherever all was archived (PostgreSQL takes
 * the newest that it finds: {@code xlogrecovery.c}, XLogFileReadAnyTLI). What a timeline wrote after the next one had left
 * it is no part of it: a server that finds nothing else would replay it. It ends before the first segment that is not
 * there, and inside one that is there in part. Pure.
 *
 * @param steps in the order of the WAL
 */
public record WalPath(List<Step> steps) {

    /**
     * A segment of the way.
     *
     * @param stored where what is archived of it ends
     * @param end up to where that counts: no further than to where the next timeline left this one
     */
    public record Step(WalSegment segment, Lsn stored, Lsn end) {

        public WalObject object() {
            return stored.equals(segment.end())
                    ? new WalObject.Segment(segment)
                    : new WalObject.Partial(segment, stored);
        }

        boolean isWhole() {
            return end.equals(segment.end());
        }
    }

    public WalPath {
        steps = List.copyOf(steps);
    }

    public static WalPath of(WalLineage lineage, WalCoverage coverage, long segmentSize, Lsn from) {
        List<Step> steps = new ArrayList<>();
        long number = Long.divideUnsigned(from.position(), segmentSize);
        Optional<Step> step = step(lineage, coverage, segmentSize, number);
        step.ifPresent(steps::add);
        while (step.filter(Step::isWhole).isPresent()) {
            step = step(lineage, coverage, segmentSize, ++number);
            step.ifPresent(steps::add);
        }
        return new WalPath(steps);
    }

    /** Of those that go equally far the newest. */
    static Optional<Step> step(WalLineage lineage, WalCoverage coverage, long segmentSize, long number) {
        return lineage.branches().stream()
                .flatMap(branch ->
                        step(branch, coverage, new WalSegment(branch.timeline(), number, segmentSize)).stream())
                .reduce((older, newer) -> newer.end().isBefore(older.end()) ? older : newer);
    }

    /** A timeline begins with the segment in which it left the one before, whose part of it is in there, too. */
    private static Optional<Step> step(Branch branch, WalCoverage coverage, WalSegment segment) {
        return coverage.endWithin(segment)
                .map(stored -> new Step(segment, stored, branch.cut(stored)))
                .filter(step -> branch.begin().isBefore(segment.end())
                        && segment.start().isBefore(step.end()));
    }

    /** Where it ends; {@link Lsn#INVALID} if there is nothing. */
    public Lsn end() {
        return steps.isEmpty() ? Lsn.INVALID : steps.get(steps.size() - 1).end();
    }

    /** From the segment of {@code from} to that of {@code to}, both inclusive. */
    public WalPath between(Lsn from, Lsn to) {
        return new WalPath(steps.stream()
                .filter(step -> from.isBefore(step.segment().end())
                        && step.segment().start().compareTo(to) <= 0)
                .toList());
    }

    /** On which timeline the segment at a location is read; the last one's behind the end. */
    public Timeline timeline(Lsn location) {
        return steps.stream()
                .filter(step -> location.isBefore(step.segment().end()))
                .findFirst()
                .orElse(steps.get(steps.size() - 1))
                .segment()
                .timeline();
    }
}
