package io.nightshift.infra.restore;

import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** {@code global/pg_control}: small, kept back until all else is on disk. Its first eight bytes are the system identifier. */
record ControlFile(int mode, ByteBuffer content) {

    private static final int WAL_SEGMENT_SIZE = 228;

    /** Bytes; at offset 228 in the versions 15 to 18 ({@code src/include/catalog/pg_control.h}). */
    long walSegmentSize() {
        return Integer.toUnsignedLong(
                content.duplicate().order(ByteOrder.LITTLE_ENDIAN).getInt(WAL_SEGMENT_SIZE));
    }

    void requireOf(SystemIdentifier cluster) {
        ByteBuffer start = content.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        long found = start.remaining() < Long.BYTES ? 0 : start.getLong();
        if (found != cluster.id()) {
            throw new NightshiftException(
                    FailureKind.DATA_DAMAGED,
                    "file " + DataDirectory.CONTROL_FILE + " belongs to the system identifier "
                            + Long.toUnsignedString(found) + ", backup.json says " + cluster);
        }
    }
}
