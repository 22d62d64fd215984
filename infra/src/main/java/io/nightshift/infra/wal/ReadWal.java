package io.nightshift.infra.wal;

import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.backup.WalSegmentCheck;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.WalSegment;
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
import java.util.zip.CRC32C;

/**
 * What one storage's object of a WAL archive is, all of it read: zstd's checksum says that the bytes are those that were
 * archived, the page headers that they are the WAL that the name says.
 *
 * @param storedSha256 of the bytes as stored, hexadecimal
 * @param contentCrc32c unpacked
 * @param damage what is wrong, in plain words; "" if nothing
 */
public record ReadWal(String storedSha256, long contentCrc32c, String damage) {

    private static final int PIECE = 1 << 16;

    /** Damage is the result; a storage that fails, or has no such object, throws. */
    static ReadWal of(Storage storage, BackupPaths paths, WalObject object) {
        String name = paths.folder() + "/wal/" + object.name();
        MessageDigest stored = ManifestChecksum.SHA256.messageDigest();
        CRC32C content = new CRC32C();
        String damage;
        try (InputStream in = new DigestInputStream(storage.open(name), stored)) {
            damage = object instanceof WalObject.History history
                    ? history(history, in, content)
                    : segment(paths, object, in, content);
        } catch (IOException failed) {
            throw StorageFailures.unreadable(storage, name, failed);
        }
        return new ReadWal(HexFormat.of().formatHex(stored.digest()), content.getValue(), damage);
    }

    public boolean isSound() {
        return damage.isEmpty();
    }

    private static String history(WalObject.History history, InputStream in, CRC32C content) throws IOException {
        byte[] bytes = in.readAllBytes();
        content.update(bytes, 0, bytes.length);
        try {
            WalLineage.of(history.timeline(), bytes);
            return "";
        } catch (NightshiftException notOne) {
            if (notOne.kind() != FailureKind.DATA_DAMAGED) {
                throw notOne;
            }
            return String.valueOf(notOne.getMessage());
        }
    }

    /** The storage's own failures are no IOExceptions; zstd's are. */
    private static String segment(BackupPaths paths, WalObject object, InputStream stored, CRC32C content) {
        WalSegment segment = object instanceof WalObject.Partial partial
                ? partial.segment()
                : ((WalObject.Segment) object).segment();
        Lsn end = object instanceof WalObject.Partial partial ? partial.end() : segment.end();
        long expected = end.minus(segment.start());
        // Up to the end of the segment: a server leaves the rest empty behind a switch, also in a partial.
        var check = new WalSegmentCheck(
                paths.systemIdentifier(),
                new WalRange(segment.timeline(), segment.start(), segment.end()),
                segment.timeline(),
                segment.start(),
                segment.size());
        byte[] piece = new byte[PIECE];
        long length = 0;
        try (InputStream in = new ZstdInputStreamNoFinalizer(stored)) {
            for (int count = in.read(piece); count >= 0; count = in.read(piece)) {
                check.content(piece, 0, (int) Math.max(0, Math.min(count, expected - length)));
                content.update(piece, 0, count);
                length += count;
            }
        } catch (IOException damaged) {
            return "is not readable: " + damaged.getMessage();
        }
        return length == expected ? check.judge() : "has " + length + " bytes instead of " + expected;
    }
}
