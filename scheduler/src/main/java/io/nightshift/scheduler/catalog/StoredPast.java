package io.nightshift.scheduler.catalog;

import io.nightshift.infra.backup.BackupCatalog;
import io.nightshift.infra.backup.Proof;
import io.nightshift.infra.backup.ProofNote;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageSet;
import io.nightshift.infra.wal.WalArchive;
import io.nightshift.infra.wal.WalGap;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What the storages of a cluster say of its past.
 *
 * @param backups oldest first
 * @param away why a storage does not answer, by its name
 */
public record StoredPast(
        String cluster,
        List<StoredBackup> backups,
        List<Proof> proofs,
        List<WalGap> gaps,
        Map<String, NightshiftException> away) {

    /** A gap is the same whatever size the segments have. */
    private static final long ANY_SEGMENT_SIZE = 16 << 20;

    /** Asks each of them. One that is away hides nothing of the others; with all away nothing is known. */
    public static StoredPast of(String cluster, List<Storage> storages) {
        List<Storage> answering = new ArrayList<>();
        Map<String, NightshiftException> away = new LinkedHashMap<>();
        for (Storage storage : storages) {
            try (Stream<String> folders = storage.folders(cluster)) {
                folders.forEach(folder -> {}); // it lists them, so it answers
                answering.add(storage);
            } catch (NightshiftException failed) {
                if (failed.kind() != FailureKind.STORAGE_UNAVAILABLE) {
                    throw failed;
                }
                away.put(storage.name(), failed);
            }
        }
        if (answering.isEmpty()) {
            return new StoredPast(cluster, List.of(), List.of(), List.of(), away);
        }
        List<StoredBackup> backups = new BackupCatalog(answering).backups(cluster);
        return new StoredPast(
                cluster,
                backups,
                backups.stream()
                        .filter(backup -> backup.proof().isPresent())
                        .flatMap(backup -> ProofNote.all(answering, backup).stream())
                        .toList(),
                backups.stream()
                        .map(StoredBackup::paths)
                        .distinct()
                        .map(paths -> new WalArchive(new StorageSet(answering), paths, ANY_SEGMENT_SIZE))
                        .flatMap(archive -> archive.gaps().stream())
                        .toList(),
                away);
    }

    /** Those of which no storage has a readable backup.json. */
    public List<StoredBackup> unreadable() {
        return backups.stream().filter(backup -> backup.document().isEmpty()).toList();
    }
}
