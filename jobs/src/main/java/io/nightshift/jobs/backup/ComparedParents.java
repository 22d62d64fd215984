package io.nightshift.jobs.backup;

import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import io.nightshift.infra.backup.BackupChain;
import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.incremental.KnownBlocks;
import io.nightshift.infra.incremental.SpillFile;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.BackupCopies;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.storage.Storage;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Looks for a parent whose block digests can be read, with those of all backups that it needs itself. One whose digests are
 * lost or damaged can be restored as ever; only nothing can be built on it.
 */
record ComparedParents(
        ParentChoice.Wanted wanted,
        List<StoredBackup> backups,
        ChainedBackupSettings settings,
        List<Storage> asked,
        Path folder,
        Cancellation cancellation) {

    private static final int BUFFER = 1 << 16;

    Parents.Found find() {
        Map<BackupLabel, String> spoilt = new HashMap<>();
        while (true) {
            ParentChoice choice = ParentChoice.of(wanted.without(spoilt), backups, settings);
            StoredBackup parent = choice.parent();
            if (parent == null) {
                return new Parents.Found(Optional.empty(), choice.reasons());
            }
            try {
                return new Parents.Found(Optional.of(read(parent)), choice.reasons());
            } catch (NightshiftException failed) {
                if (failed.kind() != FailureKind.DATA_DAMAGED) {
                    throw failed;
                }
                spoilt.put(parent.label(), "can be restored, but not built on: " + failed.getMessage());
            }
        }
    }

    private ComparedParent read(StoredBackup parent) {
        var blocks = new KnownBlocks(folder);
        boolean complete = false;
        try {
            for (StoredBackup link : BackupChain.of(parent, backups).links()) {
                cancellation.check();
                read(link, blocks);
            }
            complete = true;
            return new ComparedParent(parent.document().orElseThrow(), blocks);
        } finally {
            if (!complete) {
                blocks.close();
            }
        }
    }

    /** Fetched first, and believed when all of it is what backup.json says. */
    private void read(StoredBackup link, KnownBlocks blocks) {
        try (SpillFile fetched = SpillFile.in(folder)) {
            BackupCopies copies = BackupCopies.of(link, asked);
            copies.copyDigests(() -> {
                fetched.clear();
                return fetched.append();
            });
            BackupDocument document = copies.document();
            try (InputStream digests = new BufferedInputStream(
                    new ZstdInputStreamNoFinalizer(new BufferedInputStream(fetched.content(), BUFFER)), BUFFER)) {
                blocks.read(
                        digests,
                        document.label().toString(),
                        document.parent() == null ? "" : document.parent().toString());
            } catch (IOException failed) {
                throw SpillFile.failed("not read", failed);
            }
        }
    }
}
