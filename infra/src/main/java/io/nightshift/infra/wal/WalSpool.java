package io.nightshift.infra.wal;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.WalSegment;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The segment that arrives now, in a file that vanishes with the process: what is not in the archive is streamed again.
 * One thread adds, another may read.
 */
final class WalSpool implements AutoCloseable {

    private final WalSegment segment;
    private final FileChannel channel;
    private volatile Lsn end;

    private WalSpool(WalSegment segment, FileChannel channel) {
        this.segment = segment;
        this.channel = channel;
        this.end = segment.start();
    }

    static WalSpool begin(Path folder, WalSegment segment) throws IOException {
        Path file = Files.createTempFile(folder, segment.name() + "-", ".spool");
        return new WalSpool(
                segment,
                FileChannel.open(
                        file, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE));
    }

    WalSegment segment() {
        return segment;
    }

    /** Where the WAL in it ends. */
    Lsn end() {
        return end;
    }

    boolean isFull() {
        return end.equals(segment.end());
    }

    /** Takes what belongs to the segment, and says how many bytes that were. */
    int add(byte[] buffer, int offset, int length) throws IOException {
        int part = (int) Math.min(length, segment.end().minus(end));
        ByteBuffer bytes = ByteBuffer.wrap(buffer, offset, part);
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
        end = end.plus(part);
        return part;
    }

    /** What it is in the archive, as far as it goes now. */
    WalObject object() {
        return isFull() ? new WalObject.Segment(segment) : new WalObject.Partial(segment, end);
    }

    /** The WAL in it up to there, while more arrives. */
    InputStream content(Lsn upTo) {
        return new InputStream() {
            private long position;

            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
            }

            @Override
            public int read(byte[] bytes, int offset, int length) throws IOException {
                long left = upTo.minus(segment.start()) - position;
                int count = left == 0
                        ? -1
                        : channel.read(ByteBuffer.wrap(bytes, offset, (int) Math.min(length, left)), position);
                position += Math.max(0, count);
                return count;
            }
        };
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
