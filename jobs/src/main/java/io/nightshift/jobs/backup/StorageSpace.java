package io.nightshift.jobs.backup;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.storage.Storage;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Whether there is room for a backup where one or more storages lie. Storages on one file system share its free bytes,
 * and each takes a copy.
 *
 * @param storages their names
 * @param free bytes that are left for all of them
 * @param lastStored what the last backup of the cluster takes in one of them; null without one
 * @param source size of the cluster; null when it is not known
 */
record StorageSpace(
        List<String> storages,
        long free,
        @Nullable Long lastStored,
        @Nullable Long source) {

    /** No database has ever been compressed better. */
    private static final long BEST_RATIO = 50;

    private static final long COMMON_RATIO = 3;

    /** One for each place; storages that do not know their free bytes are left out. */
    static List<StorageSpace> of(List<? extends Storage> storages, String cluster, @Nullable Long source) {
        Map<String, List<Storage>> places = new LinkedHashMap<>();
        storages.forEach(storage -> places.computeIfAbsent(storage.volume(), volume -> new ArrayList<>())
                .add(storage));
        return places.values().stream()
                .flatMap(place -> atOnePlace(place, cluster, source).stream())
                .toList();
    }

    private static Optional<StorageSpace> atOnePlace(List<Storage> place, String cluster, @Nullable Long source) {
        Long lastStored = place.stream()
                .flatMap(storage -> PastBackups.lastStoredBytes(storage, cluster).stream())
                .max(Long::compare)
                .orElse(null);
        return place.stream().flatMapToLong(storage -> storage.freeBytes().stream()).min().stream()
                .mapToObj(free ->
                        new StorageSpace(place.stream().map(Storage::name).toList(), free, lastStored, source))
                .findFirst();
    }

    /** Throws RESOURCES_EXHAUSTED when the backup certainly does not fit; a guess refuses nothing. */
    void requireRoom() {
        if (source != null && free < source / BEST_RATIO * storages.size()) {
            throw new NightshiftException(
                    FailureKind.RESOURCES_EXHAUSTED,
                    place() + " has " + size(free) + " free, and the cluster has " + size(source),
                    "free space there or expire backups");
        }
    }

    /** What a backup will probably take, all copies together: as much as the last one, or a third of the cluster. */
    Optional<Long> expected() {
        Long each = lastStored != null ? lastStored : source != null ? (Long) (source / COMMON_RATIO) : null;
        return Optional.ofNullable(each).map(bytes -> bytes * storages.size());
    }

    Optional<Finding> finding() {
        return expected()
                .filter(bytes -> free < bytes + bytes / 5)
                .map(bytes -> new Finding(
                        "backup/space/" + String.join("+", storages),
                        Severity.WARNING,
                        place(),
                        size(free) + " are free, and the backup will take about " + size(bytes)
                                + (storages.size() == 1 ? "" : " in " + storages.size() + " copies"),
                        "free space there or expire backups"));
    }

    private String place() {
        return storages.size() == 1
                ? "storage " + storages.get(0)
                : "the file system of storages " + storages.stream().sorted().collect(Collectors.joining(" and "));
    }

    private static String size(long bytes) {
        return new DataSize(bytes).rounded();
    }
}
