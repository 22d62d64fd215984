package io.nightshift.infra.backup;

import com.github.luben.zstd.Zstd;

/**
 * An archive is a tar as the server sent it, cut into zstd frames that can be read one by one, and after them a
 * skippable frame with the index. Members share a frame up to the target; larger ones begin a frame and are split.
 */
final class ArchiveFormat {

    /** Small members share a frame up to so many bytes. */
    static final int FRAME_TARGET = 1 << 20;
    /** No frame holds more, so that every reader knows how much memory it needs. */
    static final int LARGEST_FRAME = 4 << 20;

    static final int LARGEST_STORED_FRAME = (int) Zstd.compressBound(LARGEST_FRAME);

    private ArchiveFormat() {}
}
