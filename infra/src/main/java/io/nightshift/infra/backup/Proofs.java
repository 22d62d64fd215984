package io.nightshift.infra.backup;

import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What the restore tests of a cluster say together.
 *
 * @param proven the newest that found nothing wrong; null if there was none
 * @param refuted the newest that found something wrong since then; null if there was none
 */
public record Proofs(@Nullable Proof proven, @Nullable Proof refuted) {

    /** An older proof says little of what would be restored today. */
    public static final Duration LIMIT = Duration.ofDays(8);

    /** What these say.
     *
     * @param backups of one cluster
     */
    public static Proofs of(Collection<StoredBackup> backups) {
        List<Proof> all =
                backups.stream().flatMap(backup -> backup.proof().stream()).toList();
        Proof proven = newest(all, Proof::holds);
        return new Proofs(
                proven,
                newest(
                        all,
                        proof -> !proof.holds() && (proven == null || proof.at().isAfter(proven.at()))));
    }

    private static @Nullable Proof newest(List<Proof> proofs, Predicate<Proof> which) {
        return proofs.stream().filter(which).max(Proof.NEWEST_LAST).orElse(null);
    }

    /** Whether the newest that found nothing wrong is too old. */
    public boolean isStale(Instant now) {
        return proven != null && proven.at().plus(LIMIT).isBefore(now);
    }
}
