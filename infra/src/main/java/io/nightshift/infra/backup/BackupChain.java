package io.nightshift.infra.backup;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

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
     * The chain of a backup.
     *
     * @param backups all that are known
     * @throws NightshiftException DATA_DAMAGED, with the name of the link, if one is missing or no storage holds all of it;
     *     STORAGE_UNAVAILABLE if that cannot be known
     */
    public static BackupChain of(StoredBackup newest, Collection<StoredBackup> backups) {
        Map<String, StoredBackup> byFolder = backups.stream()
                .collect(Collectors.toMap(BackupChain::folder, Function.identity(), (one, same) -> one));
        Deque<StoredBackup> links = new ArrayDeque<>();
        StoredBackup link = newest;
        links.add(link);
        for (BackupLabel parent = parent(link, newest); parent != null; parent = parent(link, newest)) {
            StoredBackup before = byFolder.get(newest.paths().backup(parent));
            if (before == null) {
                throw broken(newest, "backup " + parent + " is in no storage");
            }
            if (links.contains(before)) {
                throw broken(newest, "backup " + link.label() + " needs " + parent + ", which needs it in turn");
            }
            links.addFirst(before);
            link = before;
        }
        return new BackupChain(List.copyOf(links));
    }

    /** Whether a restore would find all it needs, as far as listings show. */
    public static boolean isComplete(StoredBackup newest, Collection<StoredBackup> backups) {
        try {
            return of(newest, backups).links().stream().allMatch(StoredBackup::isRestorable);
        } catch (NightshiftException broken) {
            return false;
        }
    }

    public StoredBackup newest() {
        return links.get(links.size() - 1);
    }

    public StoredBackup full() {
        return links.get(0);
    }

    private static @Nullable BackupLabel parent(StoredBackup link, StoredBackup newest) {
        return link.document()
                .orElseThrow(() -> broken(newest, "backup " + link.label() + " has no readable backup.json"))
                .parent();
    }

    private static String folder(StoredBackup backup) {
        return backup.paths().backup(backup.label());
    }

    private static NightshiftException broken(StoredBackup newest, String why) {
        return new NightshiftException(
                FailureKind.DATA_DAMAGED,
                "backup " + newest.label() + " cannot be restored: " + why,
                "nightshift backups shows which others can");
    }
}
