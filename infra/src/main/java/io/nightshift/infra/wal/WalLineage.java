package io.nightshift.infra.wal;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.replication.WalRange;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The timelines that led to a server's present one, each with the stretch of WAL that counts (PostgreSQL manual,
 * "Timelines"). What a timeline holds behind its end belongs to a branch that was given up. Pure.
 *
 * @param branches oldest first; the last is the present one
 */
public record WalLineage(List<Branch> branches) {

    private static final Pattern LINE = Pattern.compile("\\s*(\\d+)\\s+([0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8})(\\s.*)?");

    /**
     * A timeline's part.
     *
     * @param end where the next one left it; null of the present one
     */
    public record Branch(
            Timeline timeline, Lsn begin, @Nullable Lsn end) {

        /** The location, or the end if that comes before it. */
        Lsn cut(Lsn location) {
            return end != null && end.isBefore(location) ? end : location;
        }

        /** As far as it counts; empty if nothing of it does. */
        private Optional<Lsn> counted(WalRange range) {
            Lsn reached = cut(range.end());
            return range.timeline().equals(timeline)
                            && begin.isBefore(reached)
                            && range.start().isBefore(reached)
                    ? Optional.of(reached)
                    : Optional.empty();
        }
    }

    public WalLineage {
        branches = List.copyOf(branches);
    }

    /** Of a cluster that never changed its timeline. */
    public static WalLineage of(Timeline only) {
        return new WalLineage(List.of(new Branch(only, Lsn.INVALID, null)));
    }

    /** Reads a history file; fails on what is none: timelines and locations only grow, and one came before. */
    public static WalLineage of(Timeline present, byte[] history) {
        if (history.length > 0 && history[history.length - 1] != '\n') {
            throw unreadable(present, "its last line is cut off");
        }
        List<Branch> branches = new ArrayList<>();
        Lsn begin = Lsn.INVALID;
        for (String line : new String(history, StandardCharsets.UTF_8).lines().toList()) {
            if (line.isBlank() || line.stripLeading().startsWith("#")) {
                continue;
            }
            Matcher parts = LINE.matcher(line);
            if (!parts.matches()) {
                throw unreadable(present, line);
            }
            Lsn end = Lsn.parse(parts.group(2));
            Optional<Timeline> timeline = timeline(parts.group(1));
            boolean isNewer = timeline.isPresent()
                    && branches.stream().allMatch(older -> older.timeline().compareTo(timeline.get()) < 0);
            if (!isNewer || timeline.get().compareTo(present) >= 0 || end.isBefore(begin)) {
                throw unreadable(present, line);
            }
            branches.add(new Branch(timeline.get(), begin, end));
            begin = end;
        }
        if (branches.isEmpty()) {
            throw unreadable(present, "");
        }
        branches.add(new Branch(present, begin, null));
        return new WalLineage(branches);
    }

    private static Optional<Timeline> timeline(String decimal) {
        try {
            return Optional.of(Timeline.parse(decimal));
        } catch (IllegalArgumentException none) {
            return Optional.empty();
        }
    }

    private static NightshiftException unreadable(Timeline timeline, String line) {
        return new NightshiftException(
                FailureKind.DATA_DAMAGED,
                "history of timeline " + timeline + " not understood: \"" + line + "\"",
                "compare it with the file in the pg_wal of the other nodes");
    }

    public Timeline present() {
        return branches.get(branches.size() - 1).timeline();
    }

    /** Whether the present timeline goes on from there. */
    public boolean passes(Timeline timeline, Lsn location) {
        return branches.stream()
                .anyMatch(branch -> branch.timeline().equals(timeline)
                        && (branch.end() == null || location.compareTo(branch.end()) <= 0));
    }

    /** The timeline whose stretch begins at or before the location, and goes on behind it. */
    public Timeline goingOnAt(Lsn location) {
        return branches.stream()
                .filter(branch -> branch.end() == null || location.isBefore(branch.end()))
                .findFirst()
                .orElseThrow()
                .timeline();
    }

    /** Where an archive ends on this way: the furthest location that it holds, or that it has given up before. */
    public Optional<Lsn> end(WalCoverage coverage, List<WalGap> gaps) {
        return Stream.concat(coverage.ranges().stream(), gaps.stream().map(WalGap::range))
                .flatMap(range -> branches.stream().flatMap(branch -> branch.counted(range).stream()))
                .max(Lsn::compareTo);
    }

    /** The parts of this way from one location to another, by timeline. */
    public List<WalRange> between(Lsn from, Lsn to) {
        List<WalRange> parts = new ArrayList<>();
        for (Branch branch : branches) {
            Lsn begin = from.isBefore(branch.begin()) ? branch.begin() : from;
            Lsn end = branch.cut(to);
            if (begin.isBefore(end)) {
                parts.add(new WalRange(branch.timeline(), begin, end));
            }
        }
        return List.copyOf(parts);
    }
}
