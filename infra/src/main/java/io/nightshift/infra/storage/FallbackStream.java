package io.nightshift.infra.storage;

import io.nightshift.infra.resilience.NightshiftException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Reads an object from the first storage that can, and goes on in the next where one breaks off. */
final class FallbackStream extends InputStream {

    private final Iterator<Storage> storages;
    private final String object;
    private long position;
    private long left;
    private InputStream from;

    FallbackStream(List<Storage> storages, String object, long offset, long length) {
        this.storages = storages.iterator();
        this.object = object;
        this.position = offset;
        this.left = length;
        this.from = openNext(null);
    }

    @Override
    public int read() throws IOException {
        var one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        if (left == 0 && length > 0) {
            return -1;
        }
        while (true) {
            try {
                int count = from.read(bytes, offset, (int) Math.min(length, left));
                position += Math.max(0, count);
                left -= Math.max(0, count);
                return count;
            } catch (NightshiftException failed) {
                from.close();
                from = openNext(failed);
            }
        }
    }

    @Override
    public void close() throws IOException {
        from.close();
    }

    /** A storage that is away says more than one that lacks the object, so its failure is the one thrown in the end. */
    private InputStream openNext(@Nullable NightshiftException before) {
        NightshiftException failure = before;
        while (storages.hasNext()) {
            try {
                return storages.next().openRange(object, position, left);
            } catch (NightshiftException failed) {
                boolean saysMore = failure == null || StorageFailures.isMissing(failure);
                failure = saysMore ? failed : failure;
            }
        }
        throw Objects.requireNonNull(failure, "a storage set has at least one storage");
    }
}
