package io.nightshift.infra.backup;

import io.nightshift.infra.resilience.NightshiftException;
import java.util.Collection;
import java.util.List;

/**
 * The backups that one needs to be restored: a full, then each that holds what has changed since the one before.
 *
 * @param links oldest first; the last is the one that is wanted
 */
public record BackupChain(List<StoredBackup> links) {

    public BackupChain {
        links = List.copyOf(links);
    }

    /**
     * The chain of a backup. Who asks for many asks {@link BackupChains}.
     *
     * @param backups all that are known
     * @throws NightshiftException DATA_DAMAGED, with the name of the link, if one is missing or has no readable backup.json
     */
    public static BackupChain of(StoredBackup newest, Collection<StoredBackup> backups) {
        return new BackupChains(backups).of(newest);
    }

    /** Whether a restore would find all it needs, as far as listings show. */
    public static boolean isComplete(StoredBackup newest, Collection<StoredBackup> backups) {
        return new BackupChains(backups).isComplete(newest);
    }

    public StoredBackup newest() {
        return links.get(links.size() - 1);
    }

    public StoredBackup full() {
        return links.get(0);
    }
}
