package io.nightshift.infra.wal;

import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StoredObject;
import io.nightshift.infra.storage.VerifiedCopy;
import io.nightshift.infra.wal.VerifiedWal.DamagedWal;
import io.nightshift.infra.wal.VerifiedWal.Stretch;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The WAL of one system in one storage, as it was listed once, and when each object of it was read back. Of a segment it
 * knows the whole, else the longest beginning. For one thread.
 */
public final class WalCopy {

    private static final Comparator<WalSegment> BY_TIMELINE =
            Comparator.comparing(WalSegment::timeline).thenComparing(WalSegment::number);

    /**
     * An object of the archive.
     *
     * @param readAt when it was last read back; null if never
     * @param damaged what that has shown; null if it is sound, or was never read
     */
    public record Item(
            WalObject object,
            StoredObject stored,
            @Nullable Instant readAt,
            @Nullable DamagedWal damaged) {

        /** In plain words; "" if none is known. */
        public String damage() {
            return damaged == null ? "" : damaged.what();
        }

        /** Whether it was replaced or moved since it was found damaged: only reading it says what it is now. */
        public boolean isChangedSinceDamaged() {
            return damaged != null && !damaged.isOf(stored);
        }
    }

    private final Storage storage;
    private final BackupPaths paths;
    private final SortedMap<WalSegment, Item> segments = new TreeMap<>(BY_TIMELINE);
    private final SortedMap<Timeline, Item> histories = new TreeMap<>();
    private final List<String> complaints = new ArrayList<>();
    private boolean changed;

    private WalCopy(Storage storage, BackupPaths paths) {
        this.storage = storage;
        this.paths = paths;
    }

    /**
     * Lists it, with what the storage says of earlier readings.
     *
     * @param segmentSize of the cluster, bytes
     */
    public static WalCopy of(Storage storage, BackupPaths paths, long segmentSize) {
        var archived = new WalCopy(storage, paths);
        VerifiedWal verified = VerifiedWal.of(storage, paths, archived.complaints::add);
        var readings = new Readings(verified);
        String folder = archived.folder();
        try (Stream<StoredObject> listed = storage.list(folder)) {
            listed.forEach(stored -> WalObject.parse(stored.name().substring(folder.length()), segmentSize)
                    .ifPresent(object -> archived.add(readings.item(object, stored))));
        }
        return archived;
    }

    private String folder() {
        return paths.folder() + "/wal/";
    }

    private void add(Item item) {
        if (item.object() instanceof WalObject.History history) {
            histories.put(history.timeline(), item);
            return;
        }
        segments.merge(
                segment(item.object()),
                item,
                (one, other) -> end(one.object()).isBefore(end(other.object())) ? other : one);
    }

    public Storage storage() {
        return storage;
    }

    public BackupPaths paths() {
        return paths;
    }

    /** Why it is not known what earlier readings have shown; empty if it is. */
    public List<String> complaints() {
        return List.copyOf(complaints);
    }

    /** By timeline, then by location. */
    public Collection<Item> segments() {
        return segments.values();
    }

    public Collection<Item> histories() {
        return histories.values();
    }

    /** The very same object; empty if it is not there. */
    public Optional<Item> item(WalObject object) {
        Item item = object instanceof WalObject.History history
                ? histories.get(history.timeline())
                : segments.get(segment(object));
        return Optional.ofNullable(item).filter(found -> found.object().equals(object));
    }

    /**
     * What another storage has and this one has lost: it has WAL of the same timeline before and behind it, so that neither
     * an expiry nor an archiver that is under way explains it. A history is lost wherever another storage has it.
     */
    public List<WalObject> lost(Collection<WalCopy> others) {
        Map<Timeline, WalSegment> newest = new HashMap<>();
        Map<Timeline, WalSegment> oldest = new HashMap<>();
        segments.keySet().forEach(segment -> {
            oldest.putIfAbsent(segment.timeline(), segment);
            newest.put(segment.timeline(), segment);
        });
        return others.stream()
                .flatMap(other -> Stream.concat(
                        other.histories().stream(),
                        other.segments().stream().filter(item -> isWithin(segment(item.object()), oldest, newest))))
                .map(Item::object)
                .filter(object -> !(object instanceof WalObject.Partial))
                .filter(object -> item(object).isEmpty())
                .distinct()
                .toList();
    }

    private static boolean isWithin(
            WalSegment segment, Map<Timeline, WalSegment> oldest, Map<Timeline, WalSegment> newest) {
        WalSegment first = oldest.get(segment.timeline());
        WalSegment last = newest.get(segment.timeline());
        return first != null && last != null && first.compareTo(segment) <= 0 && segment.compareTo(last) < 0;
    }

    /** Reads an object whole. A storage that fails, or has no such object any more, throws. */
    public ReadWal read(WalObject object) {
        return ReadWal.of(storage, paths, object);
    }

    /** Notes what a reading has shown, to be {@link #keep kept}. */
    public void note(WalObject object, ReadWal read, Instant now) {
        item(object)
                .ifPresent(item -> put(new Item(
                        object,
                        item.stored(),
                        now.truncatedTo(ChronoUnit.SECONDS),
                        read.isSound()
                                ? null
                                : new DamagedWal(object.name(), item.stored().modifiedAt(), read.damage()))));
    }

    private void put(Item item) {
        changed = true;
        if (item.object() instanceof WalObject.History history) {
            histories.put(history.timeline(), item);
        } else {
            segments.put(segment(item.object()), item);
        }
    }

    /**
     * Puts another storage's object in the place of this one's, which is damaged or lost.
     *
     * @param good what reading it there has just shown: these very bytes are taken
     * @param lastCheck runs before it is done; throws if somebody else is at it by now
     * @return whether the bytes were still those
     */
    public boolean replace(
            WalObject object, WalCopy other, ReadWal good, Cancellation cancellation, Runnable lastCheck) {
        String name = folder() + object.name();
        boolean done =
                new VerifiedCopy(name, good.storedSha256(), cancellation, lastCheck).replace(other.storage(), storage);
        if (done) {
            storage.stat(name).ifPresent(stored -> put(new Item(object, stored, null, null)));
        }
        return done;
    }

    /** Keeps in the storage what was noted since the last time. */
    public void keep(Instant now, Runnable lastCheck) {
        if (changed) {
            new VerifiedWal(stretches(), damaged()).keep(storage, paths, now, lastCheck);
            changed = false;
        }
    }

    private List<Stretch> stretches() {
        List<Stretch> stretches = new ArrayList<>();
        for (Item item : segments.values()) {
            Instant readAt = item.readAt();
            if (readAt == null) {
                continue;
            }
            WalSegment segment = segment(item.object());
            int last = stretches.size() - 1;
            Stretch before = last < 0 ? null : stretches.get(last);
            boolean goesOn = before != null
                    && before.timeline().equals(segment.timeline())
                    && before.to().equals(segment.start())
                    && before.readAt().equals(readAt);
            Lsn from = goesOn && before != null ? before.from() : segment.start();
            Stretch stretch = new Stretch(segment.timeline(), from, end(item.object()), readAt);
            if (goesOn) {
                stretches.set(last, stretch);
            } else {
                stretches.add(stretch);
            }
        }
        return stretches;
    }

    private List<DamagedWal> damaged() {
        return Stream.concat(segments.values().stream(), histories.values().stream())
                .flatMap(item -> Stream.ofNullable(item.damaged()))
                .toList();
    }

    /** Which segment an object holds, or the beginning of which. */
    public static WalSegment segment(WalObject object) {
        return object instanceof WalObject.Partial partial ? partial.segment() : ((WalObject.Segment) object).segment();
    }

    private static Lsn end(WalObject object) {
        return object instanceof WalObject.Partial partial
                ? partial.end()
                : ((WalObject.Segment) object).segment().end();
    }

    /** What a storage's own word says of the objects that are listed now. */
    private static final class Readings {

        private final Map<Timeline, TreeMap<Lsn, Stretch>> stretches = new HashMap<>();
        private final Map<String, DamagedWal> damaged;

        Readings(VerifiedWal verified) {
            verified.stretches()
                    .forEach(stretch -> stretches
                            .computeIfAbsent(stretch.timeline(), none -> new TreeMap<>())
                            .put(stretch.from(), stretch));
            damaged = verified.damagedByName();
        }

        Item item(WalObject object, StoredObject stored) {
            return new Item(
                    object,
                    stored,
                    object instanceof WalObject.History ? null : readAt(object),
                    damaged.get(object.name()));
        }

        private @Nullable Instant readAt(WalObject object) {
            TreeMap<Lsn, Stretch> ofTimeline = stretches.get(segment(object).timeline());
            if (ofTimeline == null) {
                return null;
            }
            Map.Entry<Lsn, Stretch> before =
                    ofTimeline.floorEntry(segment(object).start());
            return before == null || before.getValue().to().isBefore(end(object))
                    ? null
                    : before.getValue().readAt();
        }
    }
}
