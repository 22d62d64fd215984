package io.nightshift.infra.restore;

import io.nightshift.infra.backup.BackupChain;
import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.wal.WalEvent.TablespaceCreation;
import io.nightshift.infra.wal.WalLineage;
import io.nightshift.infra.wal.WalPath;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a restore is going to do. That the target can be reached was found out from the backup and the WAL itself.
 *
 * @param chain the backup, and those that it needs
 * @param target as it was asked for
 * @param recovery the target as the server is told, which may name the same place otherwise
 * @param lineage of the timeline that recovery follows
 * @param wal that is fetched; empty where the backup's own is enough
 * @param storedBytes of that WAL
 * @param notes what else to know
 */
public record RestorePlan(
        BackupChain chain,
        RestoreTarget target,
        RestoreTarget recovery,
        WalLineage lineage,
        WalPath wal,
        long storedBytes,
        Replay replay,
        List<String> notes) {

    /**
     * What recovery does on its way.
     *
     * @param stopsAt where it stops: in front of, or behind, the record there
     * @param newest when the last transaction that will be there ended; null where nothing was read that says so
     * @param tablespaces that it creates, where they are at the source
     */
    public record Replay(Lsn stopsAt, @Nullable Instant newest, List<TablespaceCreation> tablespaces) {

        public Replay {
            tablespaces = List.copyOf(tablespaces);
        }
    }

    /** What the server does when it is there (manual, {@code recovery_target_action}). */
    public enum Action {
        PROMOTE,
        PAUSE,
        SHUTDOWN
    }

    public RestorePlan {
        notes = List.copyOf(notes);
    }

    public StoredBackup backup() {
        return chain.newest();
    }

    public BackupDocument document() {
        return backup().document().orElseThrow();
    }

    /** Unpacked, of all backups that are read: at most so much is written for them. */
    public long backupBytes() {
        return chain.links().stream()
                .mapToLong(link -> link.document().orElseThrow().bytes())
                .sum();
    }

    public Lsn stopsAt() {
        return replay.stopsAt();
    }

    public @Nullable Instant newest() {
        return replay.newest();
    }

    /** Of WAL, from where the backup begins. */
    public long replayedBytes() {
        return replay.stopsAt().minus(document().startLsn());
    }

    /** Unpacked, for as long as recovery takes. */
    public long walBytes() {
        return wal.steps().stream().mapToLong(step -> step.segment().size()).sum();
    }

    /** The server's settings, without {@code restore_command}. */
    public Map<String, String> settings(Action action) {
        Map<String, String> settings = new LinkedHashMap<>(recovery.settings());
        settings.put("recovery_target_timeline", lineage.present().toString());
        settings.put("recovery_target_action", action.name().toLowerCase(Locale.ROOT));
        return settings;
    }
}
