package io.nightshift.infra.restore;

import io.nightshift.infra.backup.BackupChain;
import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.Backups;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.wal.StoredWal;
import io.nightshift.infra.wal.WalLineage;
import io.nightshift.infra.wal.WalPath;
import java.util.List;

/** Restores of invented clusters to the end of a backup, which has its WAL in itself. */
final class Restores {

    private Restores() {}

    static Restore of(List<Storage> storages, String label, Restore.Destination destination) {
        StoredBackup backup = Backups.find(storages, label);
        BackupDocument document = backup.document().orElseThrow();
        var plan = new RestorePlan(
                new BackupChain(List.of(backup)),
                new RestoreTarget.Immediate(),
                new RestoreTarget.Immediate(),
                WalLineage.of(document.timeline()),
                new WalPath(List.of()),
                0,
                new RestorePlan.Replay(document.endLsn(), null, List.of()),
                List.of());
        return new Restore(
                List.of(BackupCopies.of(backup, storages)),
                plan,
                RestorePlan.Action.PROMOTE,
                StoredWal.of(storages, document.paths(), 1 << 20),
                destination);
    }
}
