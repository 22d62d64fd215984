package io.nightshift.infra.restore;

import io.nightshift.infra.incremental.IncrementalFile;
import io.nightshift.infra.incremental.IncrementalHeader;
import io.nightshift.infra.incremental.RelationSegment;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/**
 * Puts the changed blocks of a backup into the file as the backup before has left it. The file is cut to the length that it
 * had at least: what was behind is no longer there, whatever a later backup puts in its place. Doing it twice is as good as
 * once.
 */
final class ChangedBlocks implements IncrementalFile.Receiver {

    private final FileChannel file;
    private final Path path;

    /** @param path of the file, for messages */
    ChangedBlocks(FileChannel file, Path path) {
        this.file = file;
        this.path = path;
    }

    @Override
    public void header(IncrementalHeader header) {
        long length = (long) header.length() * RelationSegment.BLOCK_SIZE;
        try {
            if (file.size() > length) {
                file.truncate(length);
            } else if (file.size() < length) {
                write(length - 1, ByteBuffer.allocate(1));
            }
        } catch (IOException failed) {
            throw TargetFailures.of(path, failed);
        }
    }

    @Override
    public void block(int block, int at, byte[] bytes, int offset, int length) {
        try {
            write((long) block * RelationSegment.BLOCK_SIZE + at, ByteBuffer.wrap(bytes, offset, length));
        } catch (IOException failed) {
            throw TargetFailures.of(path, failed);
        }
    }

    private void write(long position, ByteBuffer bytes) throws IOException {
        long at = position;
        while (bytes.hasRemaining()) {
            at += file.write(bytes, at);
        }
    }
}
