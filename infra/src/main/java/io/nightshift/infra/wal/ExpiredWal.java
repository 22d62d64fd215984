package io.nightshift.infra.wal;

import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StoredObject;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What an archive holds in one storage, and what of it nothing keeps. History files always stay.
 *
 * @param expired oldest first, so that what a broken off deletion leaves has no hole
 * @param kept all others
 */
public record ExpiredWal(List<StoredObject> expired, List<StoredObject> kept) {

    /** Who knows what is kept. */
    @FunctionalInterface
    public interface Keeper {
        /** Whether something of this stretch is wanted. */
        boolean keeps(Timeline timeline, Lsn start, Lsn end);
    }

    public ExpiredWal {
        expired = List.copyOf(expired);
        kept = List.copyOf(kept);
    }

    /**
     * Segments that are not kept expire, beginnings of segments of which more is there, and records of gaps that lie outside
     * of what is kept.
     *
     * @param segmentSize of the cluster, bytes
     */
    public static ExpiredWal of(Storage storage, BackupPaths paths, long segmentSize, Keeper keeper) {
        String folder = paths.folder() + "/wal/";
        Map<String, WalObject> archived = new HashMap<>();
        List<StoredObject> listed;
        try (Stream<StoredObject> objects = storage.list(folder)) {
            listed = objects.toList();
        }
        for (StoredObject object : listed) {
            WalObject.parse(object.name().substring(folder.length()), segmentSize)
                    .ifPresent(known -> archived.put(object.name(), known));
        }
        Set<WalSegment> whole = new HashSet<>();
        Map<WalSegment, Lsn> longest = new HashMap<>();
        for (WalObject object : archived.values()) {
            if (object instanceof WalObject.Segment segment) {
                whole.add(segment.segment());
            } else if (object instanceof WalObject.Partial partial) {
                longest.merge(partial.segment(), partial.end(), (one, other) -> one.isBefore(other) ? other : one);
            }
        }
        Map<Boolean, List<StoredObject>> split = listed.stream().collect(Collectors.partitioningBy(stored -> {
            WalObject object = archived.get(stored.name());
            if (object instanceof WalObject.Segment segment) {
                return isExpired(segment.segment(), segment.segment().end(), keeper);
            }
            if (object instanceof WalObject.Partial partial) {
                return whole.contains(partial.segment())
                        || partial.end().isBefore(longest.getOrDefault(partial.segment(), partial.end()))
                        || isExpired(partial.segment(), partial.end(), keeper);
            }
            Optional<WalGap> gap = WalGap.named(stored.name().substring(folder.length()), stored.modifiedAt());
            return gap.isPresent()
                    && !keeper.keeps(
                            gap.get().timeline(), gap.get().from(), gap.get().to());
        }));
        return new ExpiredWal(Objects.requireNonNull(split.get(true)), Objects.requireNonNull(split.get(false)));
    }

    /** This, and what there is of another system. */
    public ExpiredWal plus(ExpiredWal other) {
        return new ExpiredWal(
                Stream.concat(expired.stream(), other.expired.stream()).toList(),
                Stream.concat(kept.stream(), other.kept.stream()).toList());
    }

    private static boolean isExpired(WalSegment segment, Lsn end, Keeper keeper) {
        return !keeper.keeps(segment.timeline(), segment.start(), end);
    }
}
