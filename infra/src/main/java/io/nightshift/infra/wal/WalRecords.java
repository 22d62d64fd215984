package io.nightshift.infra.wal;

import io.nightshift.infra.postgres.Lsn;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * WAL record by record ({@code src/include/access/xlogrecord.h}, read as {@code xlogreader.c} does): a record is one
 * whose checksum is right and which names the record before it. Keeps the bytes of those only that {@link WalEvents}
 * looks into.
 */
final class WalRecords implements AutoCloseable {

    static final int TRANSACTION_MANAGER = 1;
    static final int LOG_MANAGER = 0;
    static final int TABLESPACE_MANAGER = 5;
    static final int CREATE_TABLESPACE = 0x00;
    static final int CHECKPOINT_SHUTDOWN = 0x00;
    static final int CHECKPOINT_ONLINE = 0x10;
    static final int SWITCH = 0x40;
    static final int RESTORE_POINT = 0x70;
    static final int OVERWRITE_CONTINUATION = 0xD0;

    private static final int HEADER = 24;
    private static final int CHECKSUM_AT = 20;
    private static final int LARGEST = 0x3FFF_FFFF;
    private static final int BEGINNING = 256;
    private static final int LONGEST_PATH = 2048;
    private static final int SMALLEST_BUFFER = 1024;

    /** How an attempt to read a record ended. */
    private enum Outcome {
        READ,
        /** Another begins elsewhere. */
        ELSEWHERE,
        /** Its bytes are not, or not all, there. */
        CUT,
        /** Bytes that are no record. */
        WRONG,
        /** The same, and the page on which it shows is later WAL. */
        WRONG_BEFORE_THIS_PAGE
    }

    private final WalPages pages;
    private final long segmentSize;
    private final CRC32C checksum = new CRC32C();
    private final ByteBuffer header = ByteBuffer.allocate(HEADER).order(ByteOrder.LITTLE_ENDIAN);
    private ByteBuffer kept = ByteBuffer.allocate(SMALLEST_BUFFER).order(ByteOrder.LITTLE_ENDIAN);
    private int got;
    private int keeps;

    private boolean begun;
    private Lsn at;
    private Lsn start = Lsn.INVALID;
    private Lsn overwritten = Lsn.INVALID;
    private Lsn repeated = Lsn.INVALID;
    private String wrong = "";
    private WalEvents.@Nullable Ending ending;

    WalRecords(WalPages pages, long segmentSize, Lsn from) {
        this.pages = pages;
        this.segmentSize = segmentSize;
        this.at = from;
    }

    /**
     * Reads the next record that begins before this location. False where the WAL ends.
     *
     * @throws IOException if it is damaged: what follows is no record, but WAL goes on later
     */
    boolean next(Lsn to) throws IOException {
        while (ending == null && at.isBefore(to)) {
            wrong = "";
            switch (read()) {
                case READ -> {
                    return true;
                }
                case ELSEWHERE -> {}
                case CUT -> cut();
                case WRONG -> wrong(false);
                case WRONG_BEFORE_THIS_PAGE -> wrong(true);
            }
        }
        return false;
    }

    private Outcome read() throws IOException {
        if (!pages.reach(at)) {
            return unreached();
        }
        if (!begun && at.equals(pages.start())) {
            return findFirst();
        }
        begun = true;
        int within = (int) at.minus(pages.start());
        if (within == 0) {
            if (pages.beginsWithContinuation()) {
                return wrong("the page goes on with a record that has ended before it");
            }
            within = pages.headerLength();
            at = at.plus(within);
        }
        if (within + Integer.BYTES > pages.length()) {
            return Outcome.CUT;
        }
        int total = pages.bytes().getInt(pages.offset() + within);
        if (total < HEADER || total > LARGEST) {
            return wrong("no record has " + Integer.toUnsignedString(total) + " bytes");
        }
        return read(within, total);
    }

    /** Passes over the rest of a record that began before the first page. */
    private Outcome findFirst() {
        long space = (long) WalPages.SIZE - pages.headerLength();
        long rest = pages.beginsWithContinuation() ? align(Integer.toUnsignedLong(pages.continuation())) : 0;
        begun = rest < space;
        at = pages.start().plus(begun ? pages.headerLength() + rest : WalPages.SIZE);
        return Outcome.ELSEWHERE;
    }

    private Outcome read(int offset, int total) throws IOException {
        got = 0;
        keeps = 0;
        kept.clear();
        checksum.reset();
        int within = offset;
        int left = total;
        while (true) {
            int here = Math.min(left, pages.length() - within);
            take(pages.bytes(), pages.offset() + within, here);
            left -= here;
            within += here;
            if (got == HEADER && !followsTheLast()) {
                return wrong("the record names the one at " + before() + " as the one before it");
            }
            if (left == 0) {
                break;
            }
            if (pages.length() < WalPages.SIZE) {
                return Outcome.CUT;
            }
            if (!pages.reach(pages.start().plus(WalPages.SIZE))) {
                return unreached();
            }
            if (pages.hasLostContinuation()) {
                overwritten = at;
                at = pages.start();
                return Outcome.ELSEWHERE;
            }
            if (!pages.beginsWithContinuation() || pages.continuation() != left) {
                wrong = "the record does not go on in the page at " + pages.start();
                return Outcome.WRONG_BEFORE_THIS_PAGE;
            }
            within = pages.headerLength();
        }
        return judge(pages.start().plus(align(within)));
    }

    private void take(ByteBuffer from, int offset, int length) {
        int ofHeader = Math.min(HEADER - got, length);
        if (ofHeader > 0) {
            header.put(got, from, offset, ofHeader);
            got += ofHeader;
            if (got == HEADER) {
                keeps = keeps();
            }
        }
        int rest = length - Math.max(ofHeader, 0);
        int restAt = offset + length - rest;
        checksum.update(from.array(), from.arrayOffset() + restAt, rest);
        int wanted = Math.min(rest, keeps - kept.position());
        if (wanted > 0) {
            if (kept.remaining() < wanted) {
                grow(wanted);
            }
            kept.put(kept.position(), from, restAt, wanted).position(kept.position() + wanted);
        }
    }

    private void grow(int wanted) {
        byte[] larger = Arrays.copyOf(kept.array(), Math.max(2 * kept.capacity(), kept.position() + wanted));
        kept = ByteBuffer.wrap(larger).order(ByteOrder.LITTLE_ENDIAN).position(kept.position());
    }

    /** The xid of a prepared transaction comes behind its lists, which may be long. */
    private int keeps() {
        return switch (manager()) {
            case TRANSACTION_MANAGER -> WalEvents.isOfPrepared(info()) ? LARGEST : BEGINNING;
            case LOG_MANAGER -> BEGINNING;
            case TABLESPACE_MANAGER -> LONGEST_PATH;
            default -> 0;
        };
    }

    private boolean followsTheLast() {
        return start.isValid() ? before().equals(start) : before().isBefore(at);
    }

    private Outcome judge(Lsn end) {
        checksum.update(header.array(), 0, CHECKSUM_AT);
        if ((int) checksum.getValue() != header.getInt(CHECKSUM_AT)) {
            return wrong("the checksum of the record is wrong");
        }
        boolean replaces = manager() == LOG_MANAGER && operation() == OVERWRITE_CONTINUATION;
        if (overwritten.isValid()
                && !(replaces && WalEvents.overwritten(content()).equals(overwritten))) {
            return wrong("the record does not stand in for the one at " + overwritten + ", whose rest is lost");
        }
        overwritten = Lsn.INVALID;
        start = at;
        at = manager() == LOG_MANAGER && operation() == SWITCH
                ? new Lsn(end.position() + segmentSize - 1 & -segmentSize)
                : end;
        return Outcome.READ;
    }

    private Outcome wrong(String what) {
        wrong = what;
        return Outcome.WRONG;
    }

    private Outcome unreached() {
        return pages.wrong().isEmpty() ? Outcome.CUT : wrong("the page at " + pages.start() + " " + pages.wrong());
    }

    /** The bytes end: in order, unless others come later. Meanwhile the segment may have grown. */
    private void cut() throws IOException {
        Lsn end = pages.end();
        Optional<Lsn> later = pages.later();
        if (later.isEmpty()) {
            ending = new WalEvents.Ending(end, "");
        } else if (repeated.equals(at)) {
            throw new IOException("the WAL from " + end + " on is missing, but there is WAL at " + later.get());
        } else {
            repeated = at;
            pages.forget();
        }
    }

    private void wrong(boolean beforeThisPage) throws IOException {
        Optional<Lsn> later = beforeThisPage ? Optional.of(pages.start()) : pages.later();
        if (later.isPresent()) {
            throw new IOException(
                    "the WAL is damaged at " + at + ": " + wrong + ", but there is WAL at " + later.get());
        }
        ending = new WalEvents.Ending(at, wrong);
    }

    private static long align(long length) {
        return length + 7 & ~7L;
    }

    /** Where the last whole record begins; invalid if there was none. */
    Lsn start() {
        return start;
    }

    /** Where the next may begin. */
    Lsn end() {
        return at;
    }

    int manager() {
        return header.get(17) & 0xFF;
    }

    int info() {
        return header.get(16) & 0xFF;
    }

    int operation() {
        return info() & 0xF0;
    }

    long xid() {
        return Integer.toUnsignedLong(header.getInt(4));
    }

    private Lsn before() {
        return new Lsn(header.getLong(8));
    }

    /** What was kept of it, without the header. */
    ByteBuffer content() {
        return kept.duplicate().order(ByteOrder.LITTLE_ENDIAN).flip();
    }

    /** Where and why there are no more records; null as long as there may be. */
    WalEvents.@Nullable Ending ending() {
        return ending;
    }

    @Override
    public void close() throws IOException {
        pages.close();
    }
}
