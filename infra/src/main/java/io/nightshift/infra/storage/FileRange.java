package io.nightshift.infra.storage;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Objects;

/** A range of a file, whose reads fail as those of a storage do. Unbuffered: read in large pieces. */
final class FileRange extends InputStream {

    private final String object;
    private final FileChannel channel;
    private final DirectoryFailures failures;
    private long position;
    private long left;

    FileRange(String object, FileChannel channel, long offset, long length, DirectoryFailures failures) {
        this.object = object;
        this.channel = channel;
        this.position = offset;
        this.left = length;
        this.failures = failures;
    }

    @Override
    public int read() {
        var one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        if (length == 0) {
            return 0;
        }
        if (left == 0) {
            return -1;
        }
        try {
            int count = channel.read(ByteBuffer.wrap(bytes, offset, (int) Math.min(left, length)), position);
            if (count > 0) {
                position += count;
                left -= count;
            }
            return count;
        } catch (IOException failed) {
            throw failures.of("read", object, failed);
        }
    }

    @Override
    public long skip(long count) {
        long skipped = Math.max(0, Math.min(count, left));
        position += skipped;
        left -= skipped;
        return skipped;
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException failed) {
            throw failures.of("close", object, failed);
        }
    }
}
