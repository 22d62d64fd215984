package io.nightshift.infra.backup;

import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.replication.WalRange;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Looks into the files of a data directory whose content we understand as it passes: the control file and the WAL. The
 * manifest lists no WAL segments, and a checksum cannot tell that a server sent those of another cluster.
 */
final class ContentCheck {

    private final SystemIdentifier systemIdentifier;
    private final WalCheck wal;
    private @Nullable ControlFileCheck control;
    private boolean isWal;
    private boolean hasControlFile;

    /** @param needed the WAL that must be inside; none if it lies elsewhere */
    ContentCheck(SystemIdentifier systemIdentifier, List<WalRange> needed) {
        this.systemIdentifier = systemIdentifier;
        this.wal = new WalCheck(systemIdentifier, needed);
    }

    /** @param path from the data directory on */
    void begin(String path, long size) {
        isWal = WalCheck.isSegment(path);
        if (isWal) {
            wal.begin(path, size);
        }
        control = path.equals(ControlFileCheck.PATH) ? new ControlFileCheck(systemIdentifier) : null;
        hasControlFile |= control != null;
    }

    void content(byte[] bytes, int offset, int length) {
        if (isWal) {
            wal.content(bytes, offset, length);
        } else if (control != null) {
            control.content(bytes, offset, length);
        }
    }

    /** What is wrong with the file whose content has all passed, undamaged; "" if nothing. */
    String judge() {
        if (isWal) {
            return wal.judge();
        }
        if (control == null) {
            return "";
        }
        String wrong = control.judge();
        if (wrong.isEmpty()) {
            wal.segmentSize(control.walSegmentSize());
        }
        return wrong;
    }

    boolean hasSeenWal() {
        return wal.hasSeenAny();
    }

    boolean hasSeenControlFile() {
        return hasControlFile;
    }

    /** Tells the WAL segments that have not passed: path and what is to be said. */
    void missingWal(BiConsumer<String, String> report) {
        wal.missing(report);
    }
}
