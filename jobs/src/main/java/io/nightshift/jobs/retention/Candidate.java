package io.nightshift.jobs.retention;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.replication.WalRange;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A backup, as far as it matters for how long it is kept.
 *
 * @param parent what it builds on; null of a full, and of one whose backup.json nobody can read
 * @param restorable whether it is whole, and all that it builds on
 * @param refuted whether the last restore test of it, or of what it builds on, has found something wrong
 * @param endedAt of one whose backup.json nobody can read, when it began
 * @param leadsOn whether the cluster's present timeline goes on from it, as far as is known
 * @param wal that a restore of it needs from the archive; null if it holds its own
 * @param bytes in each storage that holds it
 * @param holders the names of those
 * @param provenAt when a restore of it was last found right; null if never
 * @param pin null if nobody wants it kept
 * @param users who works with it now: it is not deleted meanwhile
 * @param lackedBy storages that will get it and have not yet
 */
record Candidate(
        BackupPaths paths,
        BackupLabel label,
        @Nullable BackupLabel parent,
        boolean restorable,
        boolean refuted,
        Instant endedAt,
        Timeline timeline,
        Lsn startLsn,
        boolean leadsOn,
        @Nullable WalRange wal,
        long bytes,
        Set<String> holders,
        @Nullable Instant provenAt,
        @Nullable Pin pin,
        List<String> users,
        List<String> lackedBy) {

    Candidate {
        holders = Set.copyOf(holders);
        users = List.copyOf(users);
        lackedBy = List.copyOf(lackedBy);
    }

    /** Which of a cluster's backups; two systems may have the same label. */
    record Name(BackupPaths system, BackupLabel label) {}

    Name name() {
        return new Name(paths, label);
    }

    @Nullable
    Name parentName() {
        return parent == null ? null : new Name(paths, parent);
    }

    /** The label tells them apart; all that there is to them would be much to look at. */
    @Override
    public int hashCode() {
        return label.hashCode();
    }

    boolean isSound() {
        return restorable && !refuted;
    }

    boolean isFull() {
        return !label.type().needsParent();
    }
}
