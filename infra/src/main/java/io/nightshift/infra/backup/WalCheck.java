package io.nightshift.infra.backup;

import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.replication.WalRange;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Judges the WAL inside a backup: every segment that recovery needs is there, whole, of this cluster and in its place.
 */
final class WalCheck {

    private static final String FOLDER = "pg_wal/";
    private static final Pattern SEGMENT = Pattern.compile(FOLDER + "[0-9A-F]{24}");

    private final SystemIdentifier systemIdentifier;
    private final List<WalRange> needed;
    /** The numbers of the segments that are there, damaged ones too, by timeline. */
    private final Map<Timeline, NavigableSet<Long>> seen = new TreeMap<>();

    /** 0 until pg_control or the first segment has told it. */
    private long segmentSize;

    private @Nullable WalSegmentCheck segment;
    private String wrong = "";

    WalCheck(SystemIdentifier systemIdentifier, List<WalRange> needed) {
        this.systemIdentifier = systemIdentifier;
        this.needed = List.copyOf(needed);
    }

    static boolean isSegment(String path) {
        return SEGMENT.matcher(path).matches();
    }

    void segmentSize(int bytes) {
        if (WalSegment.isSize(bytes)) {
            segmentSize = bytes;
        }
    }

    /** A segment begins; nothing else may be passed in here. */
    void begin(String path, long size) {
        segment = null;
        wrong = "";
        if (segmentSize == 0 && WalSegment.isSize(size)) {
            segmentSize = size;
        }
        if (size != segmentSize) {
            wrong = "has " + size + " bytes, "
                    + (segmentSize == 0
                            ? "which no WAL segment has"
                            : "the WAL segments of this cluster have " + segmentSize);
        }
        if (segmentSize > 0) {
            WalSegment.parse(path.substring(FOLDER.length()), segmentSize).ifPresent(this::begin);
        }
    }

    private void begin(WalSegment found) {
        seen.computeIfAbsent(found.timeline(), each -> new TreeSet<>()).add(found.number());
        rangeWith(found)
                .ifPresent(range -> segment =
                        new WalSegmentCheck(systemIdentifier, range, found.timeline(), found.start(), segmentSize));
    }

    void content(byte[] bytes, int offset, int length) {
        if (segment != null) {
            segment.content(bytes, offset, length);
        }
    }

    /** What is wrong with the segment that has passed; "" if nothing. */
    String judge() {
        return wrong.isEmpty() && segment != null ? segment.judge() : wrong;
    }

    boolean hasSeenAny() {
        return !seen.isEmpty();
    }

    /** Tells the segments that are not there: the path of the first of a row, and what is to be said. */
    void missing(BiConsumer<String, String> report) {
        for (WalRange range : needed) {
            if (segmentSize == 0) {
                report.accept("", "holds no WAL; " + need(range));
                continue;
            }
            NavigableSet<Long> there = seen.getOrDefault(range.timeline(), new TreeSet<>());
            long next = first(range);
            long last = last(range);
            List<Long> present = new ArrayList<>(there.subSet(next, true, Math.max(next, last), true));
            if (isOnNewerTimeline(range.timeline(), last) && !present.contains(last)) {
                present.add(last);
            }
            for (long number : present) {
                reportRow(range, next, number, report);
                next = number + 1;
            }
            reportRow(range, next, last + 1, report);
        }
    }

    private void reportRow(WalRange range, long from, long to, BiConsumer<String, String> report) {
        if (from < to) {
            String more = to - from == 1
                    ? ""
                    : " and so are the segments after it up to " + name(range.timeline(), to - 1) + ", " + (to - from)
                            + " in all";
            report.accept("pg_wal/" + name(range.timeline(), from), "is missing" + more + "; " + need(range));
        }
    }

    private static String need(WalRange range) {
        return "a restore needs the WAL from " + range.start() + " to " + range.end() + " of timeline "
                + range.timeline();
    }

    /** Where a timeline ends within a segment, a server goes on in the new timeline's segment, which begins with a copy. */
    private boolean isOnNewerTimeline(Timeline timeline, long number) {
        return seen.entrySet().stream()
                .anyMatch(each ->
                        each.getKey().compareTo(timeline) > 0 && each.getValue().contains(number));
    }

    private Optional<WalRange> rangeWith(WalSegment found) {
        return needed.stream()
                .filter(range -> range.timeline().equals(found.timeline())
                        && found.number() >= first(range)
                        && found.number() <= last(range))
                .findFirst();
    }

    private long first(WalRange range) {
        return Long.divideUnsigned(range.start().position(), segmentSize);
    }

    /** The WAL ends before its end LSN. */
    private long last(WalRange range) {
        return Long.divideUnsigned(range.end().position() - 1, segmentSize);
    }

    private String name(Timeline timeline, long number) {
        return new WalSegment(timeline, number, segmentSize).name();
    }
}
