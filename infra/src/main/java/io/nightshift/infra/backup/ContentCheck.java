package io.nightshift.infra.backup;

import io.nightshift.infra.incremental.IncrementalFile;
import io.nightshift.infra.incremental.IncrementalHeader;
import io.nightshift.infra.incremental.RelationSegment;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.replication.WalRange;
import io.nightshift.infra.resilience.NightshiftException;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Looks into the files of a backup whose content we understand as it passes: the control file, the WAL, and files of changed
 * blocks. The manifest lists no WAL segments, and a checksum cannot tell that a server sent those of another cluster.
 */
final class ContentCheck {

    private static final IncrementalFile.Receiver NOBODY = new IncrementalFile.Receiver() {
        @Override
        public void header(IncrementalHeader header) {
            // right, or it would not have come so far
        }

        @Override
        public void block(int block, int at, byte[] bytes, int offset, int length) {
            // its checksum is in the page, and in the manifest
        }
    };

    private final SystemIdentifier systemIdentifier;
    private final WalCheck wal;
    private @Nullable ControlFileCheck control;
    private @Nullable IncrementalFile changedBlocks;
    private String notChangedBlocks = "";
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
        changedBlocks = RelationSegment.isIncremental(path) ? new IncrementalFile(path, NOBODY) : null;
        notChangedBlocks = "";
    }

    void content(byte[] bytes, int offset, int length) {
        if (isWal) {
            wal.content(bytes, offset, length);
        } else if (control != null) {
            control.content(bytes, offset, length);
        } else if (changedBlocks != null && notChangedBlocks.isEmpty()) {
            IncrementalFile file = changedBlocks;
            judge(() -> file.accept(bytes, offset, length));
        }
    }

    private void judge(Runnable part) {
        try {
            part.run();
        } catch (NightshiftException damaged) {
            notChangedBlocks = String.valueOf(damaged.getMessage());
        }
    }

    /** What is wrong with the file whose content has all passed, undamaged; "" if nothing. */
    String judge() {
        if (isWal) {
            return wal.judge();
        }
        if (changedBlocks != null && notChangedBlocks.isEmpty()) {
            judge(changedBlocks::finish);
        }
        if (control == null) {
            return notChangedBlocks;
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
