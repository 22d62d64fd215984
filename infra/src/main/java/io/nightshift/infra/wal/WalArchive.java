package io.nightshift.infra.wal;

import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import com.github.luben.zstd.ZstdOutputStreamNoFinalizer;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageFailures;
import io.nightshift.infra.storage.StorageSet;
import io.nightshift.infra.storage.StoredObjectWriter;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The WAL of a cluster in its storages, one object for each segment, written once: the same bytes again are fine, other
 * bytes under the same name are refused. Thread-safe.
 */
public final class WalArchive {

    private static final int LEVEL = 3;

    /** Content that can be read several times. */
    @FunctionalInterface
    public interface Content {
        InputStream open() throws IOException;
    }

    private final StorageSet storages;
    private final String folder;
    private final long segmentSize;

    /** @param segmentSize of the cluster, bytes */
    public WalArchive(StorageSet storages, BackupPaths paths, long segmentSize) {
        this.storages = storages;
        this.folder = paths.folder() + "/wal/";
        this.segmentSize = segmentSize;
    }

    public long segmentSize() {
        return segmentSize;
    }

    /**
     * Stores it in every storage that lacks it; when it returns it is durable in all of them. A crash in between leaves
     * some with it and some without: storing it again completes that.
     */
    public void store(WalObject object, Content content) {
        for (Storage storage : storages.storages()) {
            store(storage, object, content);
            CrashPoint.reach("wal.after-store");
        }
    }

    private void store(Storage storage, WalObject object, Content content) {
        String name = folder + object.name();
        try (InputStream in = content.open()) {
            if (storage.stat(name).isPresent()) {
                requireSame(storage, object, in);
                return;
            }
            try (StoredObjectWriter writer = storage.create(name)) {
                write(object, in, writer);
                CrashPoint.reach("wal.before-commit");
                writer.commit();
            } catch (NightshiftException failed) {
                if (!StorageFailures.isExisting(failed)) {
                    throw failed;
                }
                try (InputStream again = content.open()) {
                    requireSame(storage, object, again);
                }
            }
        } catch (IOException e) {
            throw new NightshiftException(
                    FailureKind.RESOURCES_EXHAUSTED,
                    "WAL " + object.name() + " not read on its way into storage " + storage.name() + ": "
                            + e.getMessage(),
                    "make room in the home folder",
                    e);
        }
    }

    private static void write(WalObject object, InputStream in, StoredObjectWriter writer) throws IOException {
        OutputStream stored = new OutputStream() {
            @Override
            public void write(int one) {
                writer.write(new byte[] {(byte) one});
            }

            @Override
            public void write(byte[] bytes, int offset, int length) {
                writer.write(bytes, offset, length);
            }
        };
        if (object instanceof WalObject.History) {
            in.transferTo(stored);
        } else {
            try (var compressed = new ZstdOutputStreamNoFinalizer(stored, LEVEL).setChecksum(true)) {
                in.transferTo(compressed);
            }
        }
    }

    private void requireSame(Storage storage, WalObject object, InputStream content) throws IOException {
        try (InputStream stored = open(storage, object)) {
            if (!areEqual(stored, content)) {
                throw new NightshiftException(
                        FailureKind.REFUSED,
                        "storage " + storage.name() + " has other bytes for WAL " + object.name()
                                + " than the ones that arrived now",
                        "two servers may write the same timeline: find out which one is right; nothing was overwritten");
            }
        }
    }

    private static boolean areEqual(InputStream one, InputStream other) throws IOException {
        byte[] left = new byte[1 << 16];
        byte[] right = new byte[1 << 16];
        while (true) {
            int length = one.readNBytes(left, 0, left.length);
            int same = other.readNBytes(right, 0, right.length);
            if (length != same || !Arrays.equals(left, 0, length, right, 0, same)) {
                return false;
            }
            if (length == 0) {
                return true;
            }
        }
    }

    /**
     * A whole segment from the first storage that has it; empty if none has. What cannot be unpacked fails while it is
     * read, with an IOException.
     */
    public Optional<InputStream> open(WalObject object) {
        for (Storage storage : storages.storages()) {
            if (storage.stat(folder + object.name()).isPresent()) {
                return Optional.of(open(storage, object));
            }
        }
        return Optional.empty();
    }

    private InputStream open(Storage storage, WalObject object) {
        InputStream stored = storage.open(folder + object.name());
        if (object instanceof WalObject.History) {
            return stored;
        }
        try {
            return new ZstdInputStreamNoFinalizer(stored);
        } catch (IOException e) {
            throw StorageFailures.unreadable(storage, folder + object.name(), e);
        }
    }

    /** What every storage has: only that is safe. */
    public WalCoverage coverage() {
        List<WalObject> everywhere = null;
        for (Storage storage : storages.storages()) {
            List<WalObject> here = objects(storage);
            if (everywhere == null) {
                everywhere = here;
            } else {
                everywhere.retainAll(here);
            }
        }
        return WalCoverage.of(everywhere == null ? List.of() : everywhere);
    }

    private List<WalObject> objects(Storage storage) {
        List<WalObject> objects = new ArrayList<>();
        try (var listed = storage.list(folder)) {
            listed.forEach(stored -> WalObject.parse(stored.name().substring(folder.length()), segmentSize)
                    .ifPresent(objects::add));
        }
        return objects;
    }
}
