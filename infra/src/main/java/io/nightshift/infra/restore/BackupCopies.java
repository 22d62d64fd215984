package io.nightshift.infra.restore;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.backup.StoredBackup.State;
import io.nightshift.infra.replication.BackupManifest;
import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageFailures;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.DigestInputStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * The storages that hold one backup, those first whose copy looks whole. What is damaged in one of them, or cannot be
 * read, is read from the next: all copies have the same bytes. Thread-safe.
 */
public final class BackupCopies {

    private final BackupDocument document;
    private final List<Storage> storages;
    private final Set<String> used = new ConcurrentSkipListSet<>();
    private final Map<String, String> complaints = new ConcurrentHashMap<>();

    private BackupCopies(BackupDocument document, List<Storage> storages) {
        this.document = document;
        this.storages = storages;
    }

    /**
     * The copies of a backup; DATA_DAMAGED if no storage has anything to read.
     *
     * @param asked every storage that may hold it
     */
    public static BackupCopies of(StoredBackup backup, List<Storage> asked) {
        BackupDocument document = backup.document().orElseThrow(() -> unusable(backup, "no readable backup.json"));
        List<Storage> holding = asked.stream()
                .filter(storage -> state(backup, storage) == State.OK || state(backup, storage) == State.DAMAGED)
                .sorted(Comparator.comparing(storage -> state(backup, storage)))
                .toList();
        if (holding.isEmpty()) {
            throw unusable(backup, "no copy that can be read");
        }
        return new BackupCopies(document, holding);
    }

    public BackupDocument document() {
        return document;
    }

    /** The names of the storages that something was read from. */
    public List<String> used() {
        return List.copyOf(used);
    }

    /** What was wrong with copies that another one stood in for, one line for each. */
    public List<String> complaints() {
        return complaints.entrySet().stream()
                .map(each -> "storage " + each.getKey() + ": " + each.getValue())
                .sorted()
                .toList();
    }

    String object(String name) {
        return document.paths().object(document.label(), name);
    }

    /** Does something with the first copy that is good enough; the work begins anew with each copy. */
    <T> T read(Function<Storage, T> work) {
        List<NightshiftException> failures = new ArrayList<>();
        for (Storage storage : storages) {
            try {
                T result = work.apply(storage);
                used.add(storage.name());
                for (int before = 0; before < failures.size(); before++) {
                    complaints.putIfAbsent(
                            storages.get(before).name(),
                            String.valueOf(failures.get(before).getMessage()));
                }
                return result;
            } catch (NightshiftException failed) {
                if (failed.kind() != FailureKind.DATA_DAMAGED && failed.kind() != FailureKind.STORAGE_UNAVAILABLE) {
                    throw failed;
                }
                failures.add(failed);
            }
        }
        throw lost(failures);
    }

    /** The server's manifest; equal to what backup.json says of it. */
    public BackupManifest manifest() {
        return read(storage -> manifest(storage, BackupManifest::parse));
    }

    /** Passes the server's manifest on, as it is or changed on the way; what a damaged copy has begun is written again. */
    void copyManifest(ManifestCopy copy, OutputStream target) throws IOException {
        byte[] passed = read(storage -> manifest(storage, from -> {
            var bytes = new ByteArrayOutputStream();
            copy.transfer(from, bytes);
            return bytes.toByteArray();
        }));
        target.write(passed);
    }

    /** What becomes of a manifest on its way. */
    @FunctionalInterface
    interface ManifestCopy {
        void transfer(InputStream from, OutputStream to) throws IOException;
    }

    @FunctionalInterface
    private interface ObjectReader<T> {
        T read(InputStream object) throws IOException;
    }

    private <T> T manifest(Storage storage, ObjectReader<T> reader) {
        BackupDocument.Manifest said = document.manifest();
        return object(storage, said.object(), said.sha256(), reader);
    }

    /**
     * Passes the block digests on, compressed, as backup.json says they are; DATA_DAMAGED if no copy is so, or there are none.
     *
     * @param target is opened for each copy that is tried
     */
    public void copyDigests(Supplier<OutputStream> target) {
        BackupDocument.Digests said = document.digests();
        if (said == null) {
            throw new NightshiftException(
                    FailureKind.DATA_DAMAGED, "backup " + document.label() + " has no block digests");
        }
        read(storage -> object(storage, said.object(), said.sha256(), from -> from.transferTo(target.get())));
    }

    private <T> T object(Storage storage, String name, String saidSha256, ObjectReader<T> reader) {
        String object = object(name);
        var sha256 = ManifestChecksum.SHA256.messageDigest();
        try (InputStream stored = new DigestInputStream(storage.open(object), sha256)) {
            T result = reader.read(stored);
            stored.transferTo(OutputStream.nullOutputStream());
            String found = HexFormat.of().formatHex(sha256.digest());
            if (!found.equals(saidSha256)) {
                throw new NightshiftException(
                        FailureKind.DATA_DAMAGED,
                        object + " has the SHA-256 " + found + ", backup.json says " + saidSha256);
            }
            return result;
        } catch (IOException failed) {
            throw StorageFailures.unreadable(storage, object, failed);
        }
    }

    /** All copies failed: the first says why, with the others' words where there are others. */
    private NightshiftException lost(List<NightshiftException> failures) {
        boolean away = failures.stream().anyMatch(failed -> failed.kind() == FailureKind.STORAGE_UNAVAILABLE);
        StringBuilder fact = new StringBuilder(String.valueOf(failures.get(0).getMessage()));
        for (int other = 1; other < failures.size(); other++) {
            fact.append("; in storage ")
                    .append(storages.get(other).name())
                    .append(": ")
                    .append(failures.get(other).getMessage());
        }
        return new NightshiftException(
                away ? FailureKind.STORAGE_UNAVAILABLE : FailureKind.DATA_DAMAGED,
                fact.toString(),
                away
                        ? "try again when the storage answers"
                        : "nightshift verify " + document.label() + " names all that is damaged; files that are not"
                                + " can be had one by one with --single-file",
                failures.get(0));
    }

    private static State state(StoredBackup backup, Storage storage) {
        StoredBackup.Copy copy = backup.copies().get(storage.name());
        return copy == null ? State.UNKNOWN : copy.state();
    }

    private static NightshiftException unusable(StoredBackup backup, String lack) {
        boolean away = !backup.storages(State.UNKNOWN).isEmpty();
        return new NightshiftException(
                away ? FailureKind.STORAGE_UNAVAILABLE : FailureKind.DATA_DAMAGED,
                "backup " + backup.label() + " has " + lack + ": "
                        + backup.copies().entrySet().stream()
                                .map(copy ->
                                        copy.getKey() + ", " + copy.getValue().reason())
                                .collect(Collectors.joining("; ")),
                away ? "try again when the storage answers" : "nightshift backups lists the others");
    }
}
