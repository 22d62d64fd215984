package io.nightshift.infra.wal;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.wal.WalLineage.Branch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The archived WAL that recovery would read from a location on, segment by segment, as PostgreSQL chooses it: of the
 * timelines that led to the wanted one the newest that has the segment ({@code xlogrecovery.c}, XLogFileReadAnyTLI).
 * It ends before the first segment that is not there, and inside one that is there in part. Pure.
 *
 * @param steps in the order of the WAL
 */
public record WalPath(List<Step> steps) {

    /**
     * A segment of the way.
     *
     * @param end where what is archived of it ends
     */
    public record Step(WalSegment segment, Lsn end) {

        public WalObject object() {
            return end.equals(segment.end()) ? new WalObject.Segment(segment) : new WalObject.Partial(segment, end);
        }
    }

    public WalPath {
        steps = List.copyOf(steps);
    }

    public static WalPath of(WalLineage lineage, WalCoverage coverage, long segmentSize, Lsn from) {
        List<Step> steps = new ArrayList<>();
        long number = Long.divideUnsigned(from.position(), segmentSize);
        for (Optional<Step> step = step(lineage, coverage, segmentSize, number);
                step.isPresent();
                step = step(lineage, coverage, segmentSize, ++number)) {
            steps.add(step.get());
            if (step.get().object() instanceof WalObject.Partial) {
                break;
            }
        }
        return new WalPath(steps);
    }

    private static Optional<Step> step(WalLineage lineage, WalCoverage coverage, long segmentSize, long number) {
        List<Branch> branches = lineage.branches();
        for (int newest = branches.size() - 1; newest >= 0; newest--) {
            Branch branch = branches.get(newest);
            WalSegment segment = new WalSegment(branch.timeline(), number, segmentSize);
            if (branch.begin().isBefore(segment.end())) {
                Optional<Lsn> end = coverage.endWithin(segment);
                if (end.isPresent()) {
                    return Optional.of(new Step(segment, end.get()));
                }
            }
        }
        return Optional.empty();
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
