package io.nightshift.infra.backup;

import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** Checks and unpacks frames. For one thread. */
final class FrameReader implements AutoCloseable {

    private final ZstdDecompressCtx context = new ZstdDecompressCtx();

    /**
     * Unpacks one frame.
     *
     * @param stored holds the whole frame from 0 on
     * @param raw receives the content from 0 on
     */
    void unpack(String object, ArchiveFrame frame, byte[] stored, byte[] raw) {
        String damage = damage(frame, stored, raw);
        if (damage != null) {
            throw new NightshiftException(
                    FailureKind.DATA_DAMAGED,
                    "archive " + object + " is damaged between bytes " + frame.storedOffset() + " and "
                            + frame.storedEnd() + ": " + damage,
                    "verify this backup; another storage may have a good copy");
        }
    }

    /** What is wrong with the frame, or null. */
    @Nullable
    String damage(ArchiveFrame frame, byte[] stored, byte[] raw) {
        var crc = new CRC32C();
        crc.update(stored, 0, frame.storedLength());
        if ((int) crc.getValue() != frame.crc32c()) {
            return "its checksum does not match";
        }
        try {
            int length = context.decompressByteArray(raw, 0, frame.rawLength(), stored, 0, frame.storedLength());
            return length == frame.rawLength()
                    ? null
                    : "it unpacks to " + length + " bytes instead of " + frame.rawLength();
        } catch (ZstdException unreadable) {
            return "zstd cannot unpack it: " + unreadable.getMessage();
        }
    }

    @Override
    public void close() {
        context.close();
    }
}
