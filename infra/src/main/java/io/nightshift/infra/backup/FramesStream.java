package io.nightshift.infra.backup;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;

/** A stretch of the tar, unpacked frame by frame from one read of the storage. */
final class FramesStream extends InputStream {

    private final String object;
    private final ArchiveIndex index;
    private final InputStream stored;
    private final FrameReader reader = new FrameReader();
    private final byte[] storedBytes;
    private final byte[] raw;
    private final int last;
    private int next;
    private int at;
    private int end;

    /** Frames {@code first} to {@code last}, of which {@code stored} delivers the bytes. */
    FramesStream(String object, ArchiveIndex index, int first, int last, InputStream stored) {
        this.object = object;
        this.index = index;
        this.stored = stored;
        this.next = first;
        this.last = last;
        int longestStored = 0;
        int longestRaw = 0;
        for (int number = first; number <= last; number++) {
            longestStored = Math.max(longestStored, index.frame(number).storedLength());
            longestRaw = Math.max(longestRaw, index.frame(number).rawLength());
        }
        this.storedBytes = new byte[longestStored];
        this.raw = new byte[longestRaw];
    }

    @Override
    public int read() throws IOException {
        var one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        if (length == 0) {
            return 0;
        }
        while (at == end) {
            if (next > last) {
                return -1;
            }
            readFrame();
        }
        int count = Math.min(length, end - at);
        System.arraycopy(raw, at, bytes, offset, count);
        at += count;
        return count;
    }

    @Override
    public void close() throws IOException {
        reader.close();
        stored.close();
    }

    private void readFrame() throws IOException {
        ArchiveFrame frame = index.frame(next++);
        int length = stored.readNBytes(storedBytes, 0, frame.storedLength());
        if (length < frame.storedLength()) {
            throw new NightshiftException(
                    FailureKind.DATA_DAMAGED,
                    "archive " + object + " ends at byte " + (frame.storedOffset() + length) + ", before byte "
                            + frame.storedEnd());
        }
        reader.unpack(object, frame, storedBytes, raw);
        at = 0;
        end = frame.rawLength();
    }
}
