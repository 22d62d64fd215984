package io.nightshift.infra.backup;

import io.nightshift.infra.replication.WalRange;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.run.StepThreads;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StoredObject;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Reads a backup back from one storage, every byte of it, and compares it with its backup.json and with the server's
 * manifest. Damage is the result, not an exception; only a storage that fails, or a cancelled run, throws.
 *
 * <p>WAL segments are not in the manifest; they are checked by the archive's index, and by their page headers. Whether
 * their records are readable is for the restore to show.
 */
public final class BackupVerifier {

    private static final String BASE = "base.tar.zst";

    private final int workers;

    /** @param workers threads that unpack; each has about 8 MiB, and two more of that wait */
    public BackupVerifier(int workers) {
        this.workers = workers;
    }

    /** Verifies the backup that a document describes, published or not. */
    public Verification verify(Storage storage, BackupDocument document, Progress progress, Cancellation cancellation) {
        return verify(
                BackupFolder.list(storage, document.paths(), document.label()),
                storage,
                ExpectedBackup.of(document),
                new VerifierRun(progress, cancellation));
    }

    /**
     * Verifies one storage's copy, whatever is left of it: by its own backup.json, else by that of another copy, else by
     * its manifest alone.
     *
     * @param copies of all storages that answer, this one among them or not
     */
    public Verification verify(BackupCopy copy, List<BackupCopy> copies, Progress progress, Cancellation cancellation) {
        Optional<BackupCopy> described = copy.document().isPresent()
                ? Optional.of(copy)
                : copies.stream()
                        .filter(other ->
                                other.document().isPresent() && other.paths().equals(copy.paths()))
                        .findFirst();
        Verification found = verify(
                copy.folder(),
                copy.storage(),
                described
                        .flatMap(BackupCopy::document)
                        .map(ExpectedBackup::of)
                        .orElseGet(() -> ExpectedBackup.of(copy.folder())),
                new VerifierRun(progress, cancellation));
        if (copy.document().isPresent()) {
            return found;
        }
        List<Damage> damages = new ArrayList<>();
        damages.add(documentDamage(copy, described));
        damages.addAll(found.damages());
        return new Verification(
                found.storage(), found.label(), found.storedBytes(), found.files(), damages, found.digestDamages());
    }

    private static Damage documentDamage(BackupCopy copy, Optional<BackupCopy> described) {
        StoredObject object = copy.folder().objects().get(BackupPaths.BACKUP_JSON);
        String comparedWith = described
                .map(other -> "the backup.json of storage " + other.storage().name())
                .orElse("the manifest alone: no storage has a good backup.json");
        return new Damage(
                copy.paths().object(copy.folder().label(), BackupPaths.BACKUP_JSON),
                0,
                object == null ? 0 : object.bytes(),
                "",
                copy.documentDamage() + "; the rest is compared with " + comparedWith);
    }

    private Verification verify(BackupFolder folder, Storage storage, ExpectedBackup backup, VerifierRun run) {
        run.progress().begin("verify " + backup.label(), backup.storedBytes(), "bytes");
        List<Damage> damages = new ArrayList<>();
        StoredManifest manifest = StoredManifest.read(storage, backup, damages::add);
        var content = new ContentCheck(backup.paths().systemIdentifier(), neededWal(backup, manifest));
        ExecutorService unpacking = Executors.newFixedThreadPool(workers, StepThreads.named("archive-verifier"));
        Deque<FrameTask> free = new ArrayDeque<>();
        for (int task = 0; task < workers + 2; task++) {
            free.add(new FrameTask());
        }
        long read = backup.manifest() == null ? 0 : backup.manifest().bytes();
        try {
            for (BackupDocument.Archive archive : backup.archives()) {
                var check = new ArchiveCheck(storage, backup, archive, manifest.files(), content, run);
                damages.addAll(check.damages(unpacking, free));
                read += check.bytes();
            }
        } finally {
            unpacking.shutdownNow();
            free.forEach(FrameTask::close);
        }
        damages.addAll(absent(folder, backup, manifest, content));
        for (String stranger : backup.strangers(folder.objects())) {
            StoredObject object = folder.objects().get(stranger);
            damages.add(new Damage(
                    backup.object(stranger),
                    0,
                    object == null ? 0 : object.bytes(),
                    "",
                    "is no part of this backup; something else has written it"));
        }
        List<Damage> digestDamages = StoredDigests.damages(storage, backup, run);
        read += backup.digests() == null ? 0 : backup.digests().bytes();
        return new Verification(
                storage.name(), backup.label(), read, manifest.files().matched(), List.copyOf(damages), digestDamages);
    }

    /** The manifest knows of changes of the timeline meanwhile. Without either, whatever WAL there is passes. */
    private static List<WalRange> neededWal(ExpectedBackup backup, StoredManifest manifest) {
        WalRange wal = backup.wal();
        if (wal == null && backup.documented()) {
            return List.of();
        }
        if (!manifest.ranges().isEmpty()) {
            return manifest.ranges();
        }
        return wal == null ? List.of() : List.of(wal);
    }

    /** What no archive has shown. What is lost with a whole archive is said there. */
    private static List<Damage> absent(
            BackupFolder folder, ExpectedBackup backup, StoredManifest manifest, ContentCheck content) {
        String base = backup.object(BASE);
        List<Damage> damages = new ArrayList<>();
        List<String> nowhere = manifest.files().remaining();
        if (!nowhere.isEmpty()) {
            damages.add(new Damage(
                    folder.objects().containsKey(BASE) ? backup.paths().backup(backup.label()) : base,
                    0,
                    0,
                    nowhere.get(0),
                    nowhere.size() + " files of the manifest are in no archive that is there, this the first by name"));
        }
        if (!folder.objects().containsKey(BASE)) {
            return damages;
        }
        if (!content.hasSeenControlFile() && !manifest.files().isKnown()) {
            damages.add(new Damage(base, 0, 0, ControlFileCheck.PATH, "is missing"));
        }
        if (backup.wal() != null || content.hasSeenWal()) {
            content.missingWal((path, what) -> damages.add(new Damage(base, 0, 0, path, what)));
        }
        return damages;
    }
}
