package io.nightshift.infra.backup;

import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageFailures;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;

/** The block digests as a storage holds them, judged by backup.json. Only backups that build on this one need them. */
final class StoredDigests {

    private static final int PIECE = 1 << 16;

    private StoredDigests() {}

    static List<Damage> damages(Storage storage, ExpectedBackup backup, VerifierRun run) {
        BackupDocument.Digests said = backup.digests();
        if (said == null) {
            return List.of();
        }
        String object = backup.object(said.object());
        MessageDigest sha256 = ManifestChecksum.SHA256.messageDigest();
        long length = 0;
        byte[] piece = new byte[PIECE];
        try (InputStream stored = storage.open(object)) {
            for (int count = stored.read(piece); count >= 0; count = stored.read(piece)) {
                run.cancellation().check();
                sha256.update(piece, 0, count);
                length += count;
                run.progress().advance(count);
            }
        } catch (NightshiftException failed) {
            if (!StorageFailures.isMissing(failed)) {
                throw failed;
            }
            return List.of(StoredManifest.missing(storage, object));
        } catch (IOException failed) {
            throw StorageFailures.unreadable(storage, object, failed);
        }
        String found = HexFormat.of().formatHex(sha256.digest());
        if (length == said.bytes() && found.equals(said.sha256())) {
            return List.of();
        }
        return List.of(new Damage(
                object,
                0,
                length,
                "",
                "has " + length + " bytes with the SHA-256 " + found + ", backup.json says " + said.bytes() + " with "
                        + said.sha256()));
    }
}
