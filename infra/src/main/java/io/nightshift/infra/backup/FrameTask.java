package io.nightshift.infra.backup;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/** The memory of one frame that is verified: read by one thread, checked and unpacked by another, then used again. */
final class FrameTask implements Callable<FrameTask>, AutoCloseable {

    private final FrameReader reader = new FrameReader();
    private final byte[] stored = new byte[ArchiveFormat.LARGEST_STORED_FRAME];
    private final byte[] raw = new byte[ArchiveFormat.LARGEST_FRAME];
    private ArchiveFrame frame = new ArchiveFrame(0, 0, 0, 0, 0);
    private @Nullable String damage;

    /** Takes the next frame; its bytes belong into {@link #stored()}. */
    void prepare(ArchiveFrame next) {
        frame = next;
        damage = null;
    }

    ArchiveFrame frame() {
        return frame;
    }

    byte[] stored() {
        return stored;
    }

    byte[] raw() {
        return raw;
    }

    /** What is wrong with it; null if it is sound. */
    @Nullable
    String damage() {
        return damage;
    }

    @Override
    public FrameTask call() {
        damage = reader.damage(frame, stored, raw);
        return this;
    }

    @Override
    public void close() {
        reader.close();
    }
}
