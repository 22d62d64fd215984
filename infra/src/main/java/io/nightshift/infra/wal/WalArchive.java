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
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

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
     *
     * @return the bytes that it takes in a storage; 0 when all had it
     */
    public long store(WalObject object, Content content) {
        long most = 0;
        for (Storage storage : storages.storages()) {
            most = Math.max(most, store(storage, object, content));
            CrashPoint.reach("wal.after-store");
        }
        return most;
    }

    private long store(Storage storage, WalObject object, Content content) {
        String name = folder + object.name();
        try (InputStream in = content.open()) {
            if (storage.stat(name).isPresent()) {
                requireSame(storage, object, in);
                return 0;
            }
            try (StoredObjectWriter writer = storage.create(name)) {
                long bytes = write(object, in, writer);
                CrashPoint.reach("wal.before-commit");
                writer.commit();
                return bytes;
            } catch (NightshiftException failed) {
                if (!StorageFailures.isExisting(failed)) {
                    throw failed;
                }
                try (InputStream again = content.open()) {
                    requireSame(storage, object, again);
                }
                return 0;
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

    private static long write(WalObject object, InputStream in, StoredObjectWriter writer) throws IOException {
        long[] written = new long[1];
        OutputStream stored = new OutputStream() {
            @Override
            public void write(int one) {
                write(new byte[] {(byte) one}, 0, 1);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) {
                writer.write(bytes, offset, length);
                written[0] += length;
            }
        };
        if (object instanceof WalObject.History) {
            in.transferTo(stored);
        } else {
            try (var compressed = new ZstdOutputStreamNoFinalizer(stored, LEVEL).setChecksum(true)) {
                in.transferTo(compressed);
            }
        }
        return written[0];
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

    /** Keeps the record of a gap in every storage; one that is there already stays as it is. */
    public void record(WalGap gap) {
        for (Storage storage : storages.storages()) {
            try (StoredObjectWriter writer = storage.create(folder + gap.name())) {
                writer.write(gap.json());
                writer.commit();
            } catch (NightshiftException failed) {
                if (!StorageFailures.isExisting(failed)) {
                    throw failed;
                }
            }
        }
    }

    /** The gaps that any of the storages knows of, by timeline and location. */
    public List<WalGap> gaps() {
        Map<String, WalGap> gaps = new TreeMap<>();
        for (Storage storage : storages.storages()) {
            try (var listed = storage.list(folder + WalGap.FOLDER)) {
                listed.forEach(stored -> WalGap.named(stored.name().substring(folder.length()), stored.modifiedAt())
                        .ifPresent(gap ->
                                gaps.merge(gap.name(), gap.with(read(storage, stored.name())), WalArchive::better)));
            }
        }
        return List.copyOf(gaps.values());
    }

    /** Of two records of one gap the one that says that a full backup was asked for. */
    private static WalGap better(WalGap one, WalGap other) {
        return one.fullRequested() ? one : other;
    }

    private static byte[] read(Storage storage, String object) {
        try (InputStream in = storage.open(object)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw StorageFailures.unreadable(storage, object, e);
        }
    }
}
