package io.nightshift.infra.wal;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What an archive holds, by its name below the folder {@code wal}. */
public sealed interface WalObject {

    /** Such as {@code 00000001/00000000/00000001000000000000000A.zst}. */
    String name();

    /** A whole segment, zstd-compressed. */
    record Segment(WalSegment segment) implements WalObject {
        @Override
        public String name() {
            return folder(segment) + segment.name() + ".zst";
        }
    }

    /**
     * The beginning of a segment that was not full yet, zstd-compressed.
     *
     * @param end where its WAL ends, inside the segment
     */
    record Partial(WalSegment segment, Lsn end) implements WalObject {

        public Partial {
            if (end.compareTo(segment.start()) <= 0 || !end.isBefore(segment.end())) {
                throw new IllegalArgumentException(end + " is not inside WAL segment " + segment);
            }
        }

        @Override
        public String name() {
            return folder(segment) + segment.name() + String.format(".partial-%016X.zst", end.position());
        }
    }

    /** The history file of a timeline, as the server sent it: text, kept for ever. */
    record History(Timeline timeline) implements WalObject {
        @Override
        public String name() {
            return String.format("%08X.history", timeline.id());
        }
    }

    /** Reads a name; empty if it is none of an archive with segments of this size. */
    static Optional<WalObject> parse(String name, long segmentSize) {
        Matcher parts = Names.OBJECT.matcher(name);
        if (!parts.matches()) {
            return Optional.empty();
        }
        if (parts.group("history") != null) {
            int timeline = Integer.parseUnsignedInt(parts.group("history"), 16);
            return timeline == 0 ? Optional.empty() : Optional.of(new History(new Timeline(timeline)));
        }
        String end = parts.group("end");
        return WalSegment.parse(parts.group("segment"), segmentSize)
                .flatMap(segment -> end == null ? Optional.of(new Segment(segment)) : partial(segment, end))
                .filter(object -> object.name().equals(name));
    }

    private static Optional<WalObject> partial(WalSegment segment, String end) {
        try {
            return Optional.of(new Partial(segment, new Lsn(Long.parseUnsignedLong(end, 16))));
        } catch (IllegalArgumentException outside) {
            return Optional.empty();
        }
    }

    private static String folder(WalSegment segment) {
        String name = segment.name();
        return name.substring(0, 8) + "/" + name.substring(8, 16) + "/";
    }

    /** How they are written. */
    final class Names {

        private static final Pattern OBJECT = Pattern.compile("(?<history>[0-9A-F]{8})\\.history"
                + "|[0-9A-F]{8}/[0-9A-F]{8}/(?<segment>[0-9A-F]{24})(\\.partial-(?<end>[0-9A-F]{16}))?\\.zst");

        private Names() {}
    }
}
