package io.nightshift.infra.backup;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.replication.WalRange;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Judges the page headers of one WAL segment as its bytes pass (src/include/access/xlog_internal.h: XLogPageHeaderData,
 * XLogLongPageHeaderData). The records are for the restore to read: they have checksums of their own.
 *
 * <p>After a switch of segments a server leaves the headers of the remaining pages zero. Pages at the beginning of a
 * timeline's first segment are those of the timeline before.
 */
public final class WalSegmentCheck {

    private static final int LONG_HEADER = 40;
    private static final int SHORT_HEADER = 24;
    private static final int HAS_LONG_HEADER = 0x0002;
    private static final int SMALLEST_PAGE = 1024;
    private static final int LARGEST_PAGE = 64 * 1024;

    private final SystemIdentifier systemIdentifier;
    private final WalRange needed;
    private final Timeline timeline;
    private final Lsn start;
    private final long size;
    private final ByteBuffer header = ByteBuffer.allocate(LONG_HEADER).order(ByteOrder.LITTLE_ENDIAN);
    private int pageSize = SMALLEST_PAGE;
    private long position;
    private int magic;
    private int newestTimeline;
    private boolean switched;
    private String wrong = "";

    /**
     * @param needed the WAL that is judged; what lies outside may be anything
     * @param timeline in the name of the segment
     * @param start of the segment
     * @param size of the cluster's segments, bytes
     */
    public WalSegmentCheck(
            SystemIdentifier systemIdentifier, WalRange needed, Timeline timeline, Lsn start, long size) {
        this.systemIdentifier = systemIdentifier;
        this.needed = needed;
        this.timeline = timeline;
        this.start = start;
        this.size = size;
    }

    public void content(byte[] bytes, int offset, int length) {
        int at = offset;
        int end = offset + length;
        while (at < end) {
            int inPage = (int) (position % pageSize);
            int headerLength = position < pageSize ? LONG_HEADER : SHORT_HEADER;
            int left = inPage < headerLength ? headerLength - inPage : pageSize - inPage;
            int count = Math.min(left, end - at);
            if (inPage < headerLength) {
                header.put(inPage, bytes, at, count);
            }
            at += count;
            position += count;
            if (inPage < headerLength && count == left && wrong.isEmpty()) {
                wrong = judgePage(position - headerLength);
            }
        }
    }

    /** What is wrong with the segment; "" if nothing. */
    public String judge() {
        return wrong;
    }

    private String judgePage(long offset) {
        if (offset == 0) {
            return judgeFirst();
        }
        Lsn page = start.plus(offset);
        boolean judged = page.isBefore(needed.end()) && needed.start().isBefore(page.plus(pageSize));
        return judged ? judgeLater(page, offset) : "";
    }

    private String judgeFirst() {
        magic = header.getShort(0) & 0xFFFF;
        if (magic == 0 || (header.getShort(2) & HAS_LONG_HEADER) == 0) {
            return "does not begin with the header of a WAL segment";
        }
        var found = new SystemIdentifier(header.getLong(24));
        if (!found.equals(systemIdentifier)) {
            return "holds WAL of the system identifier " + found + " instead of " + systemIdentifier;
        }
        long segmentSize = Integer.toUnsignedLong(header.getInt(32));
        if (segmentSize != size) {
            return "belongs to segments of " + segmentSize + " bytes, this cluster has segments of " + size;
        }
        int blockSize = header.getInt(36);
        if (blockSize < SMALLEST_PAGE || blockSize > LARGEST_PAGE || Integer.bitCount(blockSize) != 1) {
            return "has WAL pages of " + Integer.toUnsignedString(blockSize) + " bytes";
        }
        pageSize = blockSize;
        return judgePlace(start, 0);
    }

    private String judgeLater(Lsn page, long offset) {
        boolean empty = header.getLong(0) == 0 && header.getLong(8) == 0;
        if (empty) {
            switched = true;
            // An end at the end of the segment is where a switch leads to: a standby may have replayed just so far.
            boolean endsHere = needed.end().minus(start) < size;
            return endsHere ? "is empty from byte " + offset + " on; WAL is needed up to " + needed.end() : "";
        }
        if (switched || (header.getShort(0) & 0xFFFF) != magic) {
            return "has a foreign page at byte " + offset;
        }
        return judgePlace(page, offset);
    }

    private String judgePlace(Lsn page, long offset) {
        var found = new Lsn(header.getLong(8));
        if (!found.equals(page)) {
            return "holds the WAL of " + found + " at byte " + offset + ", where " + page + " belongs";
        }
        int pageTimeline = header.getInt(4);
        if (pageTimeline == 0
                || Integer.compareUnsigned(pageTimeline, timeline.id()) > 0
                || Integer.compareUnsigned(pageTimeline, newestTimeline) < 0) {
            return "holds WAL of timeline " + Integer.toUnsignedString(pageTimeline) + " at byte " + offset;
        }
        newestTimeline = pageTimeline;
        return "";
    }
}
