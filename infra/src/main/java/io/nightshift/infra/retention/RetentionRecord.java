package io.nightshift.infra.retention;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.wal.KeptWal;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What one run of retention said.
 *
 * @param expired what nothing kept; also what writers have left that died
 * @param expiring what nothing would keep from a later time on
 * @param wal what was kept, of each system
 * @param later from where on WAL would be kept
 * @param ahead backups that ended later than this run began, which a person has seen
 */
public record RetentionRecord(
        Instant at,
        Set<BackupLabel> expired,
        Map<BackupLabel, Instant> expiring,
        List<KeptWal> wal,
        List<LaterWal> later,
        Set<BackupLabel> ahead) {

    /**
     * What of a system's WAL will be kept.
     *
     * @param from where it begins then; what single backups need apart
     * @param at from this time on
     */
    public record LaterWal(BackupPaths paths, Lsn from, Instant at) {}

    public RetentionRecord {
        expired = Set.copyOf(expired);
        expiring = Map.copyOf(expiring);
        wal = List.copyOf(wal);
        later = List.copyOf(later);
        ahead = Set.copyOf(ahead);
    }

    public RetentionRecord(
            Instant at,
            Set<BackupLabel> expired,
            Map<BackupLabel, Instant> expiring,
            List<KeptWal> wal,
            List<LaterWal> later) {
        this(at, expired, expiring, wal, later, Set.of());
    }
}
