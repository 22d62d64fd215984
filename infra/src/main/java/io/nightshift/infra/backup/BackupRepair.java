package io.nightshift.infra.backup;

import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageFailures;
import io.nightshift.infra.storage.StoredObject;
import io.nightshift.infra.storage.VerifiedCopy;
import java.io.IOException;
import java.io.InputStream;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Makes one storage's copy of a backup whole again, object by object, from the other storages: an object whose bytes are not
 * those of backup.json is replaced by one whose bytes are. A crash leaves each object as it was or as it should be; doing it
 * again finishes it. Needs room for the largest object.
 */
public final class BackupRepair {

    /** Who writes a backup says so at least that often. */
    private static final Duration ALIVE = Duration.ofHours(24);

    /**
     * An object that was replaced.
     *
     * @param from the name of the storage that had it
     */
    public record Replaced(String object, String from) {}

    private record Said(String name, long bytes, String sha256) {}

    private final BackupCopy copy;
    private final List<BackupCopy> sources;
    private final Cancellation cancellation;
    private final Runnable lastCheck;

    /**
     * @param others copies of the same backup in other storages
     * @param lastCheck runs before each object is replaced; throws if somebody else is at it by now
     */
    public BackupRepair(BackupCopy copy, List<BackupCopy> others, Cancellation cancellation, Runnable lastCheck) {
        this.copy = copy;
        this.sources = others.stream()
                .filter(other -> other.document().isPresent() && other.paths().equals(copy.paths()))
                .toList();
        this.cancellation = cancellation;
        this.lastCheck = lastCheck;
    }

    /** Whether a storage has lost the backup.json of a copy: nobody is writing it, and nobody is deleting it. */
    public static boolean hasLostDocument(BackupCopy copy, Instant now) {
        return !copy.isPublished()
                && !isExpiring(copy)
                && copy.folder().objects().values().stream()
                        .map(StoredObject::modifiedAt)
                        .allMatch(modified -> modified.plus(ALIVE).isBefore(now));
    }

    /** Whether an expiry has begun to delete the copy. */
    public static boolean isExpiring(BackupCopy copy) {
        return copy.folder().objects().containsKey(Expiry.MARK);
    }

    /** Why nothing is replaced, in plain words; empty if it can be tried. */
    public Optional<String> objection() {
        if (sources.isEmpty()) {
            return Optional.of("no other storage has it with a readable backup.json");
        }
        BackupDocument document = document();
        return sources.stream()
                .filter(source -> !source.document().equals(Optional.of(document)))
                .findFirst()
                .map(other -> "the backup.json of storage " + other.storage().name() + " says something else");
    }

    /** What was replaced; nothing if no other storage has better bytes. Not to be called against an objection. */
    public List<Replaced> repair() {
        List<Replaced> replaced = new ArrayList<>();
        boolean isWhole = true;
        for (Said said : said(document())) {
            cancellation.check();
            String object = copy.paths().object(copy.folder().label(), said.name());
            if (isRight(object, said)) {
                continue;
            }
            Optional<String> from = replace(object, said.sha256());
            from.ifPresent(storage -> replaced.add(new Replaced(object, storage)));
            isWhole &= from.isPresent();
        }
        // Last, as when it was written: without it nobody relies on the rest.
        if (isWhole && copy.document().isEmpty()) {
            String object = copy.paths().object(copy.folder().label(), BackupPaths.BACKUP_JSON);
            Storage from = sources.get(0).storage();
            byte[] json = BackupCatalog.read(from, object);
            if (BackupDocumentFile.read(json) instanceof BackupDocumentFile.Intact) {
                replace(object, ManifestChecksum.SHA256.hexOf(json))
                        .ifPresent(storage -> replaced.add(new Replaced(object, storage)));
            }
        }
        return replaced;
    }

    private BackupDocument document() {
        return copy.document().orElseGet(() -> sources.get(0).document().orElseThrow());
    }

    private static List<Said> said(BackupDocument document) {
        List<Said> all = new ArrayList<>();
        document.archives()
                .forEach(archive -> all.add(new Said(archive.object(), archive.storedBytes(), archive.sha256())));
        BackupDocument.Manifest manifest = document.manifest();
        all.add(new Said(manifest.object(), manifest.bytes(), manifest.sha256()));
        BackupDocument.@Nullable Digests digests = document.digests();
        if (digests != null) {
            all.add(new Said(digests.object(), digests.bytes(), digests.sha256()));
        }
        return all;
    }

    private Optional<String> replace(String object, String sha256) {
        var repair = new VerifiedCopy(object, sha256, cancellation, lastCheck);
        NightshiftException first = null;
        for (BackupCopy source : sources) {
            try {
                if (repair.replace(source.storage(), copy.storage())) {
                    return Optional.of(source.storage().name());
                }
            } catch (NightshiftException failed) {
                if (failed.kind() != FailureKind.STORAGE_UNAVAILABLE) {
                    throw failed;
                }
                first = first == null ? failed : first; // the next source may be readable
            }
        }
        if (first != null) {
            throw first;
        }
        return Optional.empty();
    }

    private boolean isRight(String object, Said said) {
        StoredObject listed = copy.folder().objects().get(said.name());
        if (listed == null || listed.bytes() != said.bytes()) {
            return false;
        }
        MessageDigest sha256 = ManifestChecksum.SHA256.messageDigest();
        try (InputStream in = new DigestInputStream(copy.storage().open(object), sha256)) {
            byte[] piece = new byte[1 << 18];
            while (in.read(piece) >= 0) {
                cancellation.check();
            }
        } catch (IOException failed) {
            throw StorageFailures.unreadable(copy.storage(), object, failed);
        } catch (NightshiftException failed) {
            // Not there, or not readable, as on a bad sector.
            if (failed.kind() == FailureKind.DATA_DAMAGED || failed.kind() == FailureKind.STORAGE_UNAVAILABLE) {
                return false;
            }
            throw failed;
        }
        return HexFormat.of().formatHex(sha256.digest()).equals(said.sha256());
    }
}
