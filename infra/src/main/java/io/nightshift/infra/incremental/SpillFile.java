package io.nightshift.infra.incremental;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A temporary file that has no name any more once it is open: whatever ends the process takes it along. */
public final class SpillFile implements AutoCloseable {

    private final FileChannel file;

    private SpillFile(FileChannel file) {
        this.file = file;
    }

    public static SpillFile in(Path folder) {
        try {
            return new SpillFile(FileChannel.open(
                    Files.createTempFile(folder, "spill-", ""),
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE,
                    StandardOpenOption.DELETE_ON_CLOSE));
        } catch (IOException failed) {
            throw failed("not made in folder " + folder, failed);
        }
    }

    /** Fills the buffer to its limit, and leaves it ready to be read. */
    void read(ByteBuffer into, long offset) {
        try {
            for (long at = offset; into.hasRemaining(); ) {
                int count = file.read(into, at);
                if (count < 0) {
                    throw new IOException("it ends at byte " + at);
                }
                at += count;
            }
            into.flip();
        } catch (IOException failed) {
            throw failed("not read", failed);
        }
    }

    /** Writes what is left in the buffer. */
    void write(ByteBuffer from, long offset) {
        try {
            for (long at = offset; from.hasRemaining(); ) {
                at += file.write(from, at);
            }
        } catch (IOException failed) {
            throw failed("not written", failed);
        }
    }

    /** Forgets all that is in it. */
    public void clear() {
        try {
            file.truncate(0).position(0);
        } catch (IOException failed) {
            throw failed("not emptied", failed);
        }
    }

    /** Appends; closing the stream does nothing. */
    public OutputStream append() {
        return Channels.newOutputStream(file);
    }

    /** All that is in it; closing the stream closes the file. */
    public InputStream content() {
        try {
            return Channels.newInputStream(file.position(0));
        } catch (IOException failed) {
            throw failed("not read", failed);
        }
    }

    /** Never throws: nobody wants what is in it. */
    @Override
    public void close() {
        try {
            file.close();
        } catch (IOException nothingIsLost) {
            // It has no name.
        }
    }

    /** It could not be used. */
    public static NightshiftException failed(String what, IOException why) {
        return new NightshiftException(
                FailureKind.RESOURCES_EXHAUSTED,
                "temporary file " + what + ": " + why.getMessage(),
                "make room in the home folder, and see to whom it belongs",
                why);
    }
}
