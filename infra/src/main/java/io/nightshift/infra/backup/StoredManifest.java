package io.nightshift.infra.backup;

import io.nightshift.infra.backup.BackupDocument.Manifest;
import io.nightshift.infra.replication.BackupManifest;
import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.replication.WalRange;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageFailures;
import java.io.IOException;
import java.io.InputStream;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;

/**
 * The manifest as a storage holds it, judged by backup.json and by its own checksum. One that is not right is not
 * compared with: it would accuse every file.
 *
 * @param ranges the WAL that a restore needs; none if the manifest is damaged
 */
record StoredManifest(ManifestCheck files, List<WalRange> ranges) {

    private static final StoredManifest NONE = new StoredManifest(ManifestCheck.withoutManifest(), List.of());

    static StoredManifest read(Storage storage, ExpectedBackup backup, Consumer<Damage> damages) {
        String object = backup.object(BackupPaths.MANIFEST);
        Manifest said = backup.manifest();
        if (said == null) {
            damages.accept(missing(storage, object));
            return NONE;
        }
        MessageDigest sha256 = ManifestChecksum.SHA256.messageDigest();
        long[] length = {0};
        String damage;
        BackupManifest manifest = null;
        try (InputStream stored = storage.open(object)) {
            var counted = new DigestInputStream(stored, sha256) {
                @Override
                public int read(byte[] bytes, int offset, int count) throws IOException {
                    int read = super.read(bytes, offset, count);
                    length[0] += Math.max(0, read);
                    return read;
                }
            };
            try {
                manifest = BackupManifest.parse(counted);
                damage = "";
            } catch (NightshiftException garbage) {
                if (garbage.kind() != FailureKind.DATA_DAMAGED || StorageFailures.isMissing(garbage)) {
                    throw garbage;
                }
                damage = String.valueOf(garbage.getMessage());
                ArchiveCheck.drain(counted);
            }
        } catch (NightshiftException failed) {
            if (!StorageFailures.isMissing(failed)) {
                throw failed;
            }
            damages.accept(missing(storage, object));
            return NONE;
        } catch (IOException failed) {
            throw StorageFailures.unreadable(storage, object, failed);
        }
        String found = HexFormat.of().formatHex(sha256.digest());
        if (!said.sha256().isEmpty() && (length[0] != said.bytes() || !found.equals(said.sha256()))) {
            damage = "has " + length[0] + " bytes with the SHA-256 " + found + ", backup.json says " + said.bytes()
                    + " with " + said.sha256();
        }
        if (manifest != null && damage.isEmpty() && isForeign(manifest, backup)) {
            damage = "belongs to the system identifier " + manifest.systemIdentifier() + ", this backup to "
                    + backup.paths().systemIdentifier();
        }
        if (manifest == null || !damage.isEmpty()) {
            damages.accept(new Damage(object, 0, Math.max(length[0], said.bytes()), "", damage));
            return NONE;
        }
        return new StoredManifest(ManifestCheck.against(manifest), manifest.walRanges());
    }

    private static boolean isForeign(BackupManifest manifest, ExpectedBackup backup) {
        return manifest.systemIdentifier() != null
                && !manifest.systemIdentifier().equals(backup.paths().systemIdentifier());
    }

    static Damage missing(Storage storage, String object) {
        return new Damage(object, 0, 0, "", "is missing in storage " + storage.name());
    }
}
