package io.nightshift.infra.wal;

import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StoredObject;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What one storage holds of a system's WAL and may lose of it, as it was listed once. History files are not among it. */
public final class ListedWal {

    /** Who knows what is kept. */
    @FunctionalInterface
    public interface Keeper {
        /** Whether something of this stretch is wanted. */
        boolean keeps(Timeline timeline, Lsn start, Lsn end);
    }

    /**
     * A segment, the beginning of one, or the record of a gap.
     *
     * @param replacedAt since when more of the same segment is there; null if nothing is
     */
    private record Stretch(
            StoredObject object,
            Timeline timeline,
            Lsn start,
            Lsn end,
            @Nullable Instant replacedAt) {

        boolean isReplaced(Instant by) {
            return replacedAt != null && !replacedAt.isAfter(by);
        }
    }

    private final List<Stretch> stretches;
    private final long bytes;

    private ListedWal(List<Stretch> stretches, long bytes) {
        this.stretches = stretches;
        this.bytes = bytes;
    }

    /**
     * Lists what there is.
     *
     * @param segmentSize of the cluster, bytes
     */
    public static ListedWal list(Storage storage, BackupPaths paths, long segmentSize) {
        String folder = paths.folder() + "/wal/";
        List<Stretch> stretches = new ArrayList<>();
        Map<WalSegment, List<Stretch>> partials = new HashMap<>();
        Map<WalSegment, Instant> whole = new HashMap<>();
        long bytes = 0;
        List<StoredObject> listed;
        try (Stream<StoredObject> objects = storage.list(folder)) {
            listed = objects.toList();
        }
        for (StoredObject stored : listed) {
            bytes += stored.bytes();
            String name = stored.name().substring(folder.length());
            Optional<WalObject> known = WalObject.parse(name, segmentSize);
            if (known.isPresent() && known.get() instanceof WalObject.Segment object) {
                WalSegment segment = object.segment();
                stretches.add(new Stretch(stored, segment.timeline(), segment.start(), segment.end(), null));
                whole.put(segment, stored.modifiedAt());
            } else if (known.isPresent() && known.get() instanceof WalObject.Partial object) {
                WalSegment segment = object.segment();
                partials.computeIfAbsent(segment, none -> new ArrayList<>())
                        .add(new Stretch(stored, segment.timeline(), segment.start(), object.end(), null));
            } else if (known.isEmpty()) {
                WalGap.named(name, stored.modifiedAt())
                        .ifPresent(
                                gap -> stretches.add(new Stretch(stored, gap.timeline(), gap.from(), gap.to(), null)));
            }
        }
        partials.forEach((segment, beginnings) ->
                beginnings.forEach(beginning -> stretches.add(replaced(beginning, beginnings, whole.get(segment)))));
        return new ListedWal(List.copyOf(stretches), bytes);
    }

    private static Stretch replaced(Stretch beginning, List<Stretch> all, @Nullable Instant wholeAt) {
        Instant replacedAt = wholeAt;
        for (Stretch other : all) {
            Instant at = other.object().modifiedAt();
            if (beginning.end().isBefore(other.end()) && (replacedAt == null || at.isBefore(replacedAt))) {
                replacedAt = at;
            }
        }
        return new Stretch(beginning.object(), beginning.timeline(), beginning.start(), beginning.end(), replacedAt);
    }

    /** All that is there, histories and strangers too. */
    public long bytes() {
        return bytes;
    }

    /**
     * What nobody keeps, oldest first, so that what a broken off deletion leaves has no hole.
     *
     * @param replacedBefore beginnings of segments go, whoever keeps them, if more of the segment was there by then
     */
    public List<StoredObject> expired(Keeper keeper, Instant replacedBefore) {
        return stretches.stream()
                .filter(stretch -> stretch.isReplaced(replacedBefore)
                        || !keeper.keeps(stretch.timeline(), stretch.start(), stretch.end()))
                .map(Stretch::object)
                .sorted(Comparator.comparing(StoredObject::name))
                .toList();
    }

    /** Bytes of what came since then. */
    public long bytesSince(Instant time) {
        return stretches.stream()
                .map(Stretch::object)
                .filter(object -> object.modifiedAt().isAfter(time))
                .mapToLong(StoredObject::bytes)
                .sum();
    }
}
