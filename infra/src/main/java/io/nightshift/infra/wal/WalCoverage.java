package io.nightshift.infra.wal;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.replication.WalRange;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Which WAL an archive holds: for each timeline, stretches without a gap. Pure.
 *
 * @param ranges by timeline, then by location; two of one timeline never touch
 * @param histories the timelines whose history files are there
 */
public record WalCoverage(List<WalRange> ranges, List<Timeline> histories) {

    public WalCoverage {
        ranges = List.copyOf(ranges);
        histories = List.copyOf(histories);
    }

    public static WalCoverage of(Collection<WalObject> objects) {
        Map<WalSegment, Lsn> ends = new TreeMap<>();
        List<Timeline> histories = new ArrayList<>();
        for (WalObject object : objects) {
            if (object instanceof WalObject.Segment whole) {
                ends.put(whole.segment(), whole.segment().end());
            } else if (object instanceof WalObject.Partial partial) {
                ends.merge(partial.segment(), partial.end(), (one, other) -> one.isBefore(other) ? other : one);
            } else if (object instanceof WalObject.History history) {
                histories.add(history.timeline());
            }
        }
        Map<Timeline, List<WalRange>> ranges = new TreeMap<>();
        ends.forEach((segment, end) -> extend(
                ranges.computeIfAbsent(segment.timeline(), none -> new ArrayList<>()),
                new WalRange(segment.timeline(), segment.start(), end)));
        return new WalCoverage(
                ranges.values().stream().flatMap(List::stream).toList(),
                histories.stream().sorted().toList());
    }

    /** A segment that begins where the last one ended continues it; behind a partial there is a gap. */
    private static void extend(List<WalRange> ranges, WalRange next) {
        int last = ranges.size() - 1;
        if (last >= 0 && ranges.get(last).end().equals(next.start())) {
            ranges.set(last, new WalRange(next.timeline(), ranges.get(last).start(), next.end()));
        } else {
            ranges.add(next);
        }
    }

    /** Where the newest stretch of a timeline ends; empty if there is none. */
    public Optional<Lsn> end(Timeline timeline) {
        return ranges.stream()
                .filter(range -> range.timeline().equals(timeline))
                .map(WalRange::end)
                .max(Lsn::compareTo);
    }

    /** Whether all of this is there, in one stretch. */
    public boolean covers(WalRange needed) {
        return ranges.stream()
                .anyMatch(range -> range.timeline().equals(needed.timeline())
                        && range.start().compareTo(needed.start()) <= 0
                        && range.end().compareTo(needed.end()) >= 0);
    }

    /** Where what there is of a segment ends, from its beginning on; empty if there is nothing of it. */
    public Optional<Lsn> endWithin(WalSegment segment) {
        return ranges.stream()
                .filter(range -> range.timeline().equals(segment.timeline())
                        && range.start().compareTo(segment.start()) <= 0
                        && segment.start().isBefore(range.end()))
                .map(range -> range.end().isBefore(segment.end()) ? range.end() : segment.end())
                .findFirst();
    }

    /** What lies between the stretches of each timeline. */
    public List<WalRange> gaps() {
        List<WalRange> gaps = new ArrayList<>();
        for (int i = 1; i < ranges.size(); i++) {
            WalRange one = ranges.get(i - 1);
            WalRange next = ranges.get(i);
            if (one.timeline().equals(next.timeline())) {
                gaps.add(new WalRange(next.timeline(), /* start= */ one.end(), /* end= */ next.start()));
            }
        }
        return gaps;
    }
}
