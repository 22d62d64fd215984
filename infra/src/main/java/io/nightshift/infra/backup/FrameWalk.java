package io.nightshift.infra.backup;

import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * Cuts a stored archive into its frames without its index: each frame's own headers say where it ends. Behind bytes that
 * are no frame it looks for the next one. Every byte is handed on once, in order, as sound, as a hole, or as index. Needs
 * about 12 MiB, whatever the archive holds.
 */
final class FrameWalk implements AutoCloseable {

    /** Who wants to know. */
    interface Listener {

        /** A frame whose own checksum is right. */
        void sound(long from, long to, byte[] raw, int length);

        /**
         * Bytes that are not readable.
         *
         * @param rawLength how much content is lost with it, as far as its header can be trusted; -1 if unknown
         */
        void hole(long from, long to, int rawLength, String what);

        /** The skippable frame of the index. */
        void index(long from, long to);
    }

    /** Enough for the longest frame and the beginning of the next. */
    private static final int NEEDED = ArchiveFormat.LARGEST_STORED_FRAME + IndexTrailer.FRAME_HEADER;

    private final long storedBytes;
    private final InputStream stored;
    private final Listener listener;
    private final ByteBuffer window = ByteBuffer.wrap(new byte[2 * NEEDED]).order(ByteOrder.LITTLE_ENDIAN);
    private final byte[] raw = new byte[ArchiveFormat.LARGEST_FRAME];
    private final ZstdDecompressCtx zstd = new ZstdDecompressCtx();
    /** Of the window's position. */
    private long offset;

    private boolean ended;

    FrameWalk(InputStream stored, long storedBytes, Listener listener) {
        this.stored = stored;
        this.storedBytes = storedBytes;
        this.listener = listener;
        window.limit(0);
    }

    /** Goes one frame or hole further; false at the end of the archive. */
    boolean step() throws IOException {
        if (!fill()) {
            return false;
        }
        Optional<ZstdFrame> frame = ZstdFrame.outline(window);
        if (frame.isPresent() && takeFrame(frame.get())) {
            return true;
        }
        if (intAt(0) == IndexTrailer.SKIPPABLE_MAGIC) {
            takeIndex();
        } else {
            takeHole();
        }
        return true;
    }

    /** How far it has come, bytes of the archive. */
    long offset() {
        return offset;
    }

    @Override
    public void close() {
        zstd.close();
    }

    /** False if where it ends is not believable. */
    private boolean takeFrame(ZstdFrame frame) {
        long from = offset;
        String damage = unpack(frame);
        if (!damage.isEmpty() && !leadsOn(frame)) {
            return false;
        }
        pass(frame.storedLength());
        if (damage.isEmpty()) {
            listener.sound(from, offset, raw, frame.rawLength());
        } else {
            listener.hole(from, offset, frame.rawLength(), damage);
        }
        return true;
    }

    private String unpack(ZstdFrame frame) {
        try {
            int length = zstd.decompressByteArray(
                    raw, 0, frame.rawLength(), window.array(), window.position(), frame.storedLength());
            return length == frame.rawLength()
                    ? ""
                    : "it unpacks to " + length + " bytes instead of " + frame.rawLength();
        } catch (ZstdException unreadable) {
            return "zstd cannot unpack it: " + unreadable.getMessage();
        }
    }

    private void takeIndex() throws IOException {
        long from = offset;
        long length = IndexTrailer.FRAME_HEADER + (intAt(4) & 0xFFFF_FFFFL);
        long to = from + length <= storedBytes ? from + length : storedBytes;
        while (offset < to && fill()) {
            pass((int) Math.min(window.remaining(), to - offset));
        }
        listener.index(from, offset);
    }

    private void takeHole() throws IOException {
        long from = offset;
        do {
            pass(1);
        } while (fill() && !isBelievable());
        listener.hole(from, offset, -1, "no readable frame begins there");
    }

    /** Whether a frame of ours seems to begin here: user data may hold frames of zstd, too. */
    private boolean isBelievable() {
        int magic = intAt(0);
        if (magic == IndexTrailer.SKIPPABLE_MAGIC) {
            return offset + IndexTrailer.FRAME_HEADER + (intAt(4) & 0xFFFF_FFFFL) == storedBytes;
        }
        if (magic != ZstdFrame.MAGIC) {
            return false;
        }
        Optional<ZstdFrame> frame = ZstdFrame.outline(window);
        return frame.isPresent()
                && (leadsOn(frame.get())
                        || (unpack(frame.get()).isEmpty()
                                && TarHeader.at(raw, 0).isPresent()));
    }

    private boolean leadsOn(ZstdFrame frame) {
        int next = intAt(frame.storedLength());
        return next == ZstdFrame.MAGIC
                || next == IndexTrailer.SKIPPABLE_MAGIC
                || offset + frame.storedLength() == storedBytes;
    }

    /** 0 behind the end. */
    private int intAt(int ahead) {
        return window.remaining() < ahead + 4 ? 0 : window.getInt(window.position() + ahead);
    }

    private void pass(int count) {
        window.position(window.position() + count);
        offset += count;
    }

    /** Makes sure that a whole frame can be seen, unless the archive ends before; false at its end. */
    private boolean fill() throws IOException {
        if (window.remaining() < NEEDED && !ended) {
            window.compact();
            int count = stored.readNBytes(window.array(), window.position(), window.remaining());
            ended = count < window.remaining();
            window.position(window.position() + count).flip();
        }
        return window.hasRemaining();
    }
}
