package io.nightshift.infra.wal;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * WAL page by page, each with a header that is right ({@code src/include/access/xlog_internal.h}: XLogPageHeaderData,
 * XLogLongPageHeaderData). Stands on one page at a time. The magic numbers are those of the servers themselves.
 */
final class WalPages implements AutoCloseable {

    static final int SIZE = 8192;

    private static final int AT_ONCE = 32 * SIZE;
    private static final int SHORT_HEADER = 24;
    private static final int LONG_HEADER = 40;
    private static final int BEGINS_WITH_CONTINUATION = 0x0001;
    private static final int HAS_LONG_HEADER = 0x0002;
    private static final int CONTINUATION_WAS_LOST = 0x0008;
    private static final int ALL_FLAGS = 0x000F;
    private static final Map<Integer, Integer> MAGIC = Map.of(15, 0xD110, 16, 0xD113, 17, 0xD116, 18, 0xD118);

    private final WalSegments source;
    private final int major;
    private final int magic;
    private final long segmentSize;
    private final Function<Lsn, Timeline> path;
    private final ByteBuffer bytes = ByteBuffer.allocate(AT_ONCE).order(ByteOrder.LITTLE_ENDIAN);
    private @Nullable SystemIdentifier systemIdentifier;
    private @Nullable WalSegment segment;
    private @Nullable InputStream stream;
    private int newestTimeline;
    private Lsn start = Lsn.INVALID;
    private int filled;
    private int offset;
    private int length;
    private String wrong = "";

    WalPages(WalSegments source, int major, long segmentSize, Function<Lsn, Timeline> path) {
        Integer known = MAGIC.get(major);
        if (known == null) {
            throw new IllegalArgumentException(
                    "the WAL of PostgreSQL " + major + " cannot be read: 15 to 18 are known");
        }
        this.source = source;
        this.major = major;
        this.magic = known;
        this.segmentSize = segmentSize;
        this.path = path;
    }

    /**
     * Goes to the page with this location. False if it is not there, or not wholly enough to have its header, or if it
     * {@link #wrong is wrong}.
     */
    boolean reach(Lsn location) throws IOException {
        Lsn page = new Lsn(location.position() & -SIZE);
        if (segment != null && page.equals(start)) {
            return true;
        }
        if (segment == null || page.isBefore(start) || !page.isBefore(segment.end())) {
            if (!open(new Lsn(page.position() & -segmentSize))) {
                return false;
            }
        }
        while (start.isBefore(page)) {
            advance();
            if (length == 0) {
                return false;
            }
        }
        return judge();
    }

    /** Opens the segment there and goes to its first page. */
    private boolean open(Lsn location) throws IOException {
        close();
        if (location.isBefore(start)) {
            newestTimeline = 0;
        }
        WalSegment opened = WalSegment.at(path.apply(location), location, segmentSize);
        segment = opened;
        stream = source.open(opened).orElse(null);
        start = location;
        fill();
        return judge();
    }

    private void advance() throws IOException {
        start = start.plus(SIZE);
        offset += SIZE;
        length = Math.min(SIZE, filled - offset);
        if (length <= 0) {
            fill();
        }
    }

    private void fill() throws IOException {
        filled = stream == null ? 0 : stream.readNBytes(bytes.array(), 0, AT_ONCE);
        offset = 0;
        length = Math.min(SIZE, filled);
    }

    private boolean judge() {
        boolean first = start.position() % segmentSize == 0;
        wrong = "";
        if (length < (first ? LONG_HEADER : SHORT_HEADER)) {
            return false;
        }
        wrong = judge(first);
        return wrong.isEmpty();
    }

    private String judge(boolean first) {
        int found = bytes.getShort(offset) & 0xFFFF;
        if (found != magic) {
            return found == 0
                    ? "is empty"
                    : String.format("has the magic number %04X, PostgreSQL %d writes %04X", found, major, magic);
        }
        if ((flags() & ~ALL_FLAGS) != 0 || first != ((flags() & HAS_LONG_HEADER) != 0)) {
            return String.format("has the flags %04X", flags());
        }
        var address = new Lsn(bytes.getLong(offset + 8));
        if (!address.equals(start)) {
            return "says that it belongs to " + address;
        }
        String wrongTimeline = judgeTimeline(bytes.getInt(offset + 4));
        return first && wrongTimeline.isEmpty() ? judgeFirst() : wrongTimeline;
    }

    /** A new timeline's first segment begins with pages of the one before. */
    private String judgeTimeline(int timeline) {
        if (segment == null
                || Integer.compareUnsigned(timeline, segment.timeline().id()) > 0
                || Integer.compareUnsigned(timeline, newestTimeline) < 0
                || timeline == 0) {
            return "is of timeline " + Integer.toUnsignedString(timeline);
        }
        newestTimeline = timeline;
        return "";
    }

    private String judgeFirst() {
        var found = new SystemIdentifier(bytes.getLong(offset + 24));
        if (systemIdentifier != null && !found.equals(systemIdentifier)) {
            return "begins a segment of the system identifier " + found + ", the WAL before it is of "
                    + systemIdentifier;
        }
        long size = Integer.toUnsignedLong(bytes.getInt(offset + 32));
        if (size != segmentSize) {
            return "begins a segment of " + size + " bytes, not of " + segmentSize;
        }
        int block = bytes.getInt(offset + 36);
        if (block != SIZE) {
            return "begins a segment with pages of " + Integer.toUnsignedString(block) + " bytes, not of " + SIZE;
        }
        systemIdentifier = found;
        return "";
    }

    /** What is wrong with the page that was not reached; "" if it is not there. */
    String wrong() {
        return wrong;
    }

    /** Whether the page that was not reached has nothing in its header: a switch of segments leaves the rest so. */
    boolean isEmpty() {
        return length >= SHORT_HEADER
                && bytes.getLong(offset) == 0
                && bytes.getLong(offset + 8) == 0
                && bytes.getLong(offset + 16) == 0;
    }

    /** Where the page begins; the one that was not reached, too. */
    Lsn start() {
        return start;
    }

    /** Where its bytes end. */
    Lsn end() {
        return start.plus(length);
    }

    /** Where it begins in {@link #bytes}. */
    int offset() {
        return offset;
    }

    /** How many bytes of it there are. */
    int length() {
        return length;
    }

    ByteBuffer bytes() {
        return bytes;
    }

    /** Of the cluster that wrote the segments read so far; empty before the first. */
    Optional<SystemIdentifier> systemIdentifier() {
        return Optional.ofNullable(systemIdentifier);
    }

    int headerLength() {
        return (flags() & HAS_LONG_HEADER) == 0 ? SHORT_HEADER : LONG_HEADER;
    }

    /** XLP_FIRST_IS_CONTRECORD: a record of the page before goes on in it. */
    boolean beginsWithContinuation() {
        return (flags() & BEGINS_WITH_CONTINUATION) != 0;
    }

    /** XLP_FIRST_IS_OVERWRITE_CONTRECORD: a crash took the rest of the record in the page before, which is void. */
    boolean hasLostContinuation() {
        return (flags() & CONTINUATION_WAS_LOST) != 0;
    }

    /** How much of the record of the page before is left, counted from this page; bytes. */
    int continuation() {
        return bytes.getInt(offset + 16);
    }

    private int flags() {
        return bytes.getShort(offset + 2) & 0xFFFF;
    }

    /** Reads everything anew, also what it has read ahead: a segment may have grown. */
    void forget() throws IOException {
        close();
        segment = null;
    }

    /** Goes to the next page that is right, in this segment or at the beginning of the next; empty if there is none. */
    Optional<Lsn> later() throws IOException {
        if (segment == null) {
            return Optional.empty();
        }
        newestTimeline = 0;
        while (length == SIZE && start.plus(SIZE).isBefore(segment.end())) {
            advance();
            if (judge()) {
                return Optional.of(start);
            }
        }
        return open(segment.end()) ? Optional.of(start) : Optional.empty();
    }

    @Override
    public void close() throws IOException {
        if (stream != null) {
            InputStream open = stream;
            stream = null;
            open.close();
        }
    }
}
