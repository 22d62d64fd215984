package io.nightshift.infra.backup;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The chains of the same backups: for whoever asks for many of them, each link is looked at once. Not thread-safe. */
public final class BackupChains {

    private final Map<String, StoredBackup> byFolder = new HashMap<>();
    private final Map<String, Boolean> complete = new HashMap<>();

    /** @param backups all that are known */
    public BackupChains(Collection<StoredBackup> backups) {
        backups.forEach(backup -> byFolder.putIfAbsent(folder(backup), backup));
    }

    /**
     * The chain of a backup.
     *
     * @throws NightshiftException DATA_DAMAGED, with the name of the link, if one is missing or has no readable backup.json
     */
    public BackupChain of(StoredBackup newest) {
        Deque<StoredBackup> links = new ArrayDeque<>(List.of(newest));
        Set<BackupLabel> passed = new HashSet<>(Set.of(newest.label()));
        StoredBackup link = newest;
        for (BackupLabel parent = parent(link, newest); parent != null; parent = parent(link, newest)) {
            StoredBackup before = byFolder.get(newest.paths().backup(parent));
            if (before == null) {
                throw broken(newest, "backup " + parent + " is in no storage");
            }
            if (!passed.add(parent)) {
                throw broken(newest, "backup " + link.label() + " needs " + parent + ", which needs it in turn");
            }
            links.addFirst(before);
            link = before;
        }
        return new BackupChain(List.copyOf(links));
    }

    /** Whether a restore would find all it needs, as far as listings show. */
    public boolean isComplete(StoredBackup newest) {
        List<String> passed = new ArrayList<>();
        StoredBackup link = newest;
        Boolean known = complete.get(folder(link));
        while (known == null) {
            passed.add(folder(link));
            complete.put(folder(link), false); // until it is known: one that leads back to itself leads nowhere
            BackupDocument document = link.document().orElse(null);
            BackupLabel parent = document == null ? null : document.parent();
            StoredBackup before =
                    parent == null ? null : byFolder.get(link.paths().backup(parent));
            if (document == null || !link.isRestorable()) {
                known = false;
            } else if (before == null) {
                known = parent == null;
            } else {
                link = before;
                known = complete.get(folder(link));
            }
        }
        boolean isComplete = known;
        passed.forEach(folder -> complete.put(folder, isComplete));
        return isComplete;
    }

    /** What a pin keeps now: the backups that have one, and all that they build on. */
    public Set<BackupLabel> pinned(Instant now) {
        Set<BackupLabel> pinned = new HashSet<>();
        for (StoredBackup backup : byFolder.values()) {
            if (backup.pin().filter(pin -> pin.pins(now)).isPresent()) {
                StoredBackup link = backup;
                while (link != null && pinned.add(link.label())) {
                    BackupLabel parent =
                            link.document().map(BackupDocument::parent).orElse(null);
                    link = parent == null ? null : byFolder.get(link.paths().backup(parent));
                }
            }
        }
        return pinned;
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
