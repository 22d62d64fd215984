package io.nightshift.infra.backup;

import io.nightshift.infra.postgres.SystemIdentifier;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * Judges global/pg_control: that it is of this cluster, and its own CRC-32C (src/include/catalog/pg_control.h; the
 * offsets hold for 64-bit servers of versions 15 to 18).
 */
final class ControlFileCheck {

    static final String PATH = "global/pg_control";

    private static final int VERSION = 8;
    private static final int WAL_SEGMENT_SIZE = 228;
    /** Of the control file's format: its last in which the CRC lies at {@link #CRC_UP_TO_17}. */
    private static final int VERSION_17 = 1700;

    private static final int VERSION_18 = 1800;
    private static final int CRC_UP_TO_17 = 288;
    private static final int CRC_SINCE_18 = 292;

    private final SystemIdentifier systemIdentifier;
    private final ByteBuffer start =
            ByteBuffer.allocate(CRC_SINCE_18 + Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);

    ControlFileCheck(SystemIdentifier systemIdentifier) {
        this.systemIdentifier = systemIdentifier;
    }

    void content(byte[] bytes, int offset, int length) {
        start.put(bytes, offset, Math.min(length, start.remaining()));
    }

    /** What is wrong with the whole file; "" if nothing. */
    String judge() {
        if (start.hasRemaining()) {
            return "has " + start.position() + " bytes, too few for a control file";
        }
        var found = new SystemIdentifier(start.getLong(0));
        if (!found.equals(systemIdentifier)) {
            return "belongs to the system identifier " + found + ", this backup to " + systemIdentifier;
        }
        int version = start.getInt(VERSION);
        if (version > VERSION_18) {
            return "has the format " + version + ", which this program does not know";
        }
        int at = version > VERSION_17 ? CRC_SINCE_18 : CRC_UP_TO_17;
        var crc = new CRC32C();
        crc.update(start.array(), 0, at);
        return (int) crc.getValue() == start.getInt(at) ? "" : "does not match its own CRC";
    }

    /** Bytes; only of a file that was judged sound. */
    int walSegmentSize() {
        return start.getInt(WAL_SEGMENT_SIZE);
    }
}
