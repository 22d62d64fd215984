package io.nightshift.infra.wal;

import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageFailures;
import io.nightshift.infra.storage.StoredObject;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The WAL of a cluster as its storages hold it, for reading: one good copy of an object is enough. What the storages hold
 * was listed once. Thread-safe.
 */
public final class StoredWal implements WalSegments {

    /** Larger segments are read twice, instead of into memory: once to see whether they are good. */
    private static final long LARGEST_IN_MEMORY = 64 << 20;

    private static final Pattern TIMELINE = Pattern.compile("(?!0{8})[0-9A-F]{8}");

    private static final int FIRST_PAGE = 40;
    private static final int PAGE_ADDRESS = 8;
    private static final int SYSTEM_IDENTIFIER = 24;

    /** @param damaged as its last reading back has found it */
    private record Copy(Storage storage, StoredObject object, boolean damaged) {}

    private final BackupPaths paths;
    private final long segmentSize;
    private final boolean inMemory;
    private final Map<WalObject, List<Copy>> copies;
    private final List<WalGap> gaps;
    private final List<String> away;
    private final WalCoverage coverage;
    private final List<Timeline> timelines;
    private final Set<String> complaints = new ConcurrentSkipListSet<>();

    private StoredWal(
            BackupPaths paths,
            long segmentSize,
            Map<WalObject, List<Copy>> copies,
            List<WalGap> gaps,
            List<String> away) {
        this.paths = paths;
        this.segmentSize = segmentSize;
        this.inMemory = segmentSize <= LARGEST_IN_MEMORY;
        this.copies = copies;
        this.gaps = gaps;
        this.away = away;
        this.coverage = WalCoverage.of(copies.entrySet().stream()
                .filter(each -> !each.getValue().get(0).damaged())
                .map(Map.Entry::getKey)
                .toList());
        this.timelines = copies.keySet().stream()
                .map(StoredWal::timeline)
                .distinct()
                .sorted()
                .toList();
    }

    private static Timeline timeline(WalObject object) {
        return object instanceof WalObject.History history
                ? history.timeline()
                : object instanceof WalObject.Partial partial
                        ? partial.segment().timeline()
                        : ((WalObject.Segment) object).segment().timeline();
    }

    /**
     * Lists what the storages hold. One that does not answer is left out and named; when none answers, that is a failure.
     *
     * @param segmentSize of the cluster, bytes
     */
    public static StoredWal of(List<Storage> storages, BackupPaths paths, long segmentSize) {
        String folder = paths.folder() + "/wal/";
        Map<WalObject, List<Copy>> copies = new HashMap<>();
        Map<String, WalGap> gaps = new LinkedHashMap<>();
        List<NightshiftException> failures = new ArrayList<>();
        List<String> unreadable = new ArrayList<>();
        for (Storage storage : storages) {
            try (var listed = storage.list(folder)) {
                Map<String, VerifiedWal.DamagedWal> damaged =
                        VerifiedWal.of(storage, paths, unreadable::add).damagedByName();
                listed.forEach(stored -> {
                    String name = stored.name().substring(folder.length());
                    WalObject.parse(name, segmentSize)
                            .ifPresent(object -> add(
                                    copies.computeIfAbsent(object, none -> new ArrayList<>()),
                                    new Copy(storage, stored, damaged.containsKey(name))));
                    WalGap.named(name, stored.modifiedAt()).ifPresent(gap -> gaps.putIfAbsent(name, gap));
                });
            } catch (NightshiftException failed) {
                failures.add(failed);
            }
        }
        if (!storages.isEmpty() && failures.size() == storages.size()) {
            throw failures.get(0);
        }
        StoredWal wal = new StoredWal(
                paths,
                segmentSize,
                copies,
                List.copyOf(gaps.values()),
                failures.stream()
                        .map(failed -> String.valueOf(failed.getMessage()))
                        .toList());
        wal.complaints.addAll(unreadable);
        return wal;
    }

    /**
     * How the newest timeline came to be of which any storage has WAL; empty if nobody can read that.
     *
     * @throws NightshiftException STORAGE_UNAVAILABLE if a storage does not answer
     */
    public static Optional<WalLineage> presentLineage(List<Storage> storages, BackupPaths paths) {
        String folder = paths.folder() + "/wal";
        Timeline present = storages.stream()
                .flatMap(storage -> storage.folders(folder))
                .filter(name -> TIMELINE.matcher(name).matches())
                .map(name -> new Timeline(Integer.parseUnsignedInt(name, 16)))
                .max(Comparator.naturalOrder())
                .orElse(new Timeline(1));
        if (present.id() == 1) {
            return Optional.of(WalLineage.of(present));
        }
        String object = folder + "/" + new WalObject.History(present).name();
        for (Storage storage : storages) {
            try (InputStream stored = storage.open(object)) {
                return Optional.of(WalLineage.of(present, stored.readAllBytes()));
            } catch (IOException failed) {
                throw StorageFailures.unreadable(storage, object, failed);
            } catch (NightshiftException failed) {
                if (failed.kind() != FailureKind.DATA_DAMAGED) {
                    throw failed;
                }
            }
        }
        return Optional.empty();
    }

    /** Those that are known to be damaged are tried last. */
    private static void add(List<Copy> copies, Copy next) {
        int firstDamaged = 0;
        while (firstDamaged < copies.size() && !copies.get(firstDamaged).damaged()) {
            firstDamaged++;
        }
        copies.add(next.damaged() ? copies.size() : firstDamaged, next);
    }

    public long segmentSize() {
        return segmentSize;
    }

    /** What at least one storage has, and has not been found damaged in all. */
    public WalCoverage coverage() {
        return coverage;
    }

    /** The gaps on record. */
    public List<WalGap> gaps() {
        return gaps;
    }

    /** Why storages do not answer. */
    public List<String> away() {
        return away;
    }

    /** What was wrong with copies that another one stood in for, and with what is noted of them. */
    public Set<String> complaints() {
        return complaints;
    }

    /** Every timeline of which there is WAL or a history. */
    public List<Timeline> timelines() {
        return timelines;
    }

    /** Bytes of an object as stored; 0 if there is none. */
    public long storedBytes(WalObject object) {
        List<Copy> all = copies.getOrDefault(object, List.of());
        return all.isEmpty() ? 0 : all.get(0).object().bytes();
    }

    /** When a storage had it first, by that storage's clock. */
    public Optional<Instant> storedAt(WalObject object) {
        return copies.getOrDefault(object, List.of()).stream()
                .map(copy -> copy.object().modifiedAt())
                .min(Comparator.naturalOrder());
    }

    /** How a timeline came to be. DATA_DAMAGED if its history file is not there: without it nobody knows where it branched off. */
    public WalLineage lineage(Timeline timeline) {
        if (timeline.id() == 1) {
            return WalLineage.of(timeline);
        }
        WalObject.History history = new WalObject.History(timeline);
        if (!copies.containsKey(history)) {
            throw new NightshiftException(
                    FailureKind.DATA_DAMAGED,
                    "the history of timeline " + timeline + " is missing: " + paths.folder() + "/wal/" + history.name()
                            + " is in no storage",
                    "copy it there from the pg_wal of a node of the cluster, or choose an older timeline with"
                            + " --target-timeline");
        }
        return read(history, copy -> WalLineage.of(timeline, bytes(copy)));
    }

    /** The history file, as the server sent it; as it is stored if no copy is good. */
    public byte[] history(Timeline timeline) {
        WalObject.History history = new WalObject.History(timeline);
        try {
            return read(history, copy -> {
                byte[] content = bytes(copy);
                WalLineage.of(timeline, content);
                return content;
            });
        } catch (NightshiftException damaged) {
            byte[] content = read(history, StoredWal::bytes);
            complaints.add(String.valueOf(damaged.getMessage()));
            return content;
        }
    }

    private static byte[] bytes(Copy copy) throws IOException {
        try (InputStream stored = copy.storage().open(copy.object().name())) {
            return stored.readAllBytes();
        }
    }

    @Override
    public Optional<InputStream> open(WalSegment segment) {
        return best(segment).map(object -> open(segment, object, length(segment, object)));
    }

    /** The whole segment, else the longest part of it. */
    private Optional<WalObject> best(WalSegment segment) {
        WalObject whole = new WalObject.Segment(segment);
        if (copies.containsKey(whole)) {
            return Optional.of(whole);
        }
        return copies.keySet().stream()
                .filter(object -> object instanceof WalObject.Partial partial
                        && partial.segment().equals(segment))
                .max(Comparator.comparing(object -> ((WalObject.Partial) object).end()));
    }

    /** What counts of a segment, checked, and filled up with zeros to the size of one. */
    public InputStream whole(WalPath.Step step) {
        long counts = step.end().minus(step.segment().start());
        return new SequenceInputStream(open(step.segment(), step.object(), counts), new Zeros(segmentSize - counts));
    }

    /** So many bytes of an object, of which all is checked. */
    private InputStream open(WalSegment segment, WalObject object, long bytes) {
        if (!inMemory) {
            return new Beginning(read(object, copy -> verified(segment, object, copy)), bytes);
        }
        return read(object, copy -> {
            byte[] content = new byte[(int) length(segment, object)];
            try (InputStream in = unpacked(copy)) {
                int length = in.readNBytes(content, 0, content.length);
                requireLength(content.length, length, in.read() >= 0);
            }
            requireRight(segment, content, content.length);
            return new ByteArrayInputStream(content, 0, (int) bytes);
        });
    }

    private InputStream verified(WalSegment segment, WalObject object, Copy copy) throws IOException {
        byte[] part = new byte[1 << 16];
        try (InputStream in = unpacked(copy)) {
            long length = in.readNBytes(part, 0, part.length);
            requireRight(segment, part, length);
            for (int count = in.read(part); count >= 0; count = in.read(part)) {
                length += count;
            }
            long expected = length(segment, object);
            requireLength(expected, Math.min(length, expected), length > expected);
        }
        return unpacked(copy);
    }

    private static InputStream unpacked(Copy copy) throws IOException {
        return new ZstdInputStreamNoFinalizer(copy.storage().open(copy.object().name()));
    }

    @FunctionalInterface
    private interface Reader<T> {
        T read(Copy copy) throws IOException;
    }

    /** From the first copy that is good. */
    private <T> T read(WalObject object, Reader<T> reader) {
        @Nullable NightshiftException first = null;
        for (Copy copy : copies.getOrDefault(object, List.of())) {
            try {
                T result = reader.read(copy);
                if (first != null) {
                    complaints.add(String.valueOf(first.getMessage()));
                }
                return result;
            } catch (IOException damaged) {
                NightshiftException failed = new NightshiftException(
                        FailureKind.DATA_DAMAGED,
                        "WAL " + copy.object().name() + " in storage "
                                + copy.storage().name() + " is damaged: " + damaged.getMessage(),
                        "look after the disk of storage " + copy.storage().name(),
                        damaged);
                first = first == null ? failed : first;
            } catch (NightshiftException failed) {
                first = first == null ? failed : first;
            }
        }
        throw first == null
                ? new NightshiftException(FailureKind.DATA_DAMAGED, "WAL " + object.name() + " is in no storage")
                : first;
    }

    private static long length(WalSegment segment, WalObject object) {
        Lsn end = object instanceof WalObject.Partial partial ? partial.end() : segment.end();
        return end.minus(segment.start());
    }

    private static void requireLength(long expected, long found, boolean more) throws IOException {
        if (more || found < expected) {
            throw new IOException((more ? "more" : Long.toString(found)) + " bytes instead of " + expected);
        }
    }

    /** Makes sure that it is the segment that its name says, if it is long enough to say so itself. */
    private void requireRight(WalSegment segment, byte[] beginning, long length) throws IOException {
        if (length >= FIRST_PAGE) {
            ByteBuffer page = ByteBuffer.wrap(beginning).order(ByteOrder.LITTLE_ENDIAN);
            require(
                    "system identifier",
                    Long.toUnsignedString(page.getLong(SYSTEM_IDENTIFIER)),
                    paths.systemIdentifier().toString());
            require(
                    "address",
                    Long.toHexString(page.getLong(PAGE_ADDRESS)),
                    Long.toHexString(segment.start().position()));
        }
    }

    private static void require(String what, String found, String expected) throws IOException {
        if (!found.equals(expected)) {
            throw new IOException("its " + what + " is " + found + " instead of " + expected);
        }
    }

    @Override
    public String toString() {
        return paths.folder() + "/wal in "
                + copies.values().stream()
                        .flatMap(List::stream)
                        .map(copy -> copy.storage().name())
                        .distinct()
                        .collect(Collectors.joining(", "));
    }
}
