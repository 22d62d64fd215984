package io.nightshift.jobs.backup;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.Severity;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Whether a storage has room for a backup.
 *
 * @param free bytes that it has left
 * @param lastStored what the last backup of the cluster takes there; null without one
 * @param source size of the cluster; null when it is not known
 */
record StorageSpace(
        String storage,
        long free,
        @Nullable Long lastStored,
        @Nullable Long source) {

    /** No database has ever been compressed better. */
    private static final long BEST_RATIO = 50;

    private static final long COMMON_RATIO = 3;

    /** Throws RESOURCES_EXHAUSTED when the backup certainly does not fit; a guess refuses nothing. */
    void requireRoom() {
        if (source != null && free < source / BEST_RATIO) {
            throw new NightshiftException(
                    FailureKind.RESOURCES_EXHAUSTED,
                    "storage " + storage + " has " + size(free) + " free, and the cluster has " + size(source),
                    "free space there or expire backups");
        }
    }

    /** What it will probably take: as much as the last one, or a third of the cluster. */
    Optional<Finding> finding() {
        Long expected = lastStored != null ? lastStored : source != null ? (Long) (source / COMMON_RATIO) : null;
        return expected == null || free >= expected + expected / 5
                ? Optional.empty()
                : Optional.of(new Finding(
                        "backup/space/" + storage,
                        Severity.WARNING,
                        "storage " + storage,
                        size(free) + " are free, and the backup will take about " + size(expected),
                        "free space there or expire backups"));
    }

    private static String size(long bytes) {
        return new DataSize(bytes).rounded();
    }
}
