package io.nightshift.infra.storage;

import java.nio.ByteBuffer;

/**
 * An object being written. It does not exist for anybody until {@link #commit()} returned; closing without commit leaves
 * nothing. Not thread-safe. Failures are NightshiftExceptions that name the storage and the object; after one, only
 * {@link #close()} makes sense.
 */
public interface StoredObjectWriter extends AutoCloseable {

    String object();

    /** Appends the remaining bytes of the buffer. */
    void write(ByteBuffer bytes);

    default void write(byte[] bytes) {
        write(ByteBuffer.wrap(bytes));
    }

    default void write(byte[] bytes, int offset, int length) {
        write(ByteBuffer.wrap(bytes, offset, length));
    }

    /** Makes what was written so far durable, where that can be done before the object exists: less is left for commit. */
    default void sync() {}

    /**
     * Makes the object exist, durably: it survives a power cut from here on. REFUSED when an object of this name exists
     * by now, which stays as it is. A failure of another kind leaves open whether the object exists: ask for it, or use a new name.
     */
    void commit();

    /** Gives up what is not committed. Never throws: an abandoned remainder is invisible and swept later. */
    @Override
    void close();
}
