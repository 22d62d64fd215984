package io.nightshift.infra.backup;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.run.RunId;
import io.nightshift.infra.storage.Storage;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a restore test has shown, kept beside the backup that was restored: {@code notes/<time>-proven.json} or
 * {@code -refuted.json}. Its name alone says the verdict. One that ran out of time has none: {@code -partly.json} counts
 * for nothing.
 *
 * @param provenAt when the last check ended
 * @param chain how many backups were needed
 * @param tookSeconds from the beginning of the restore to the first connection; null if there was none
 * @param reachedLsn where recovery ended; null if it did not
 * @param reachedAt when the last transaction ended that is in it; null if that is not known
 * @param lossSeconds how far that was behind the source when the test began; at most
 * @param lossBytes of WAL, likewise; null if the source did not answer
 * @param tables whose pages were read and compared with their visibility maps
 * @param indexes that were compared with their tables
 * @param compared tables and closed ranges whose rows were compared with the source's; null in
 *     notes of versions that did not know it
 * @param reachedAll whether there was time for all that was asked for; null likewise
 * @param notDone what was asked for and could not be judged
 * @param wrong how many findings there were
 * @param findings the first of them, in plain words
 */
public record ProofNote(
        int formatVersion,
        BackupLabel label,
        RunId run,
        Instant provenAt,
        int chain,
        @Nullable Double tookSeconds,
        @Nullable Lsn reachedLsn,
        @Nullable Instant reachedAt,
        @Nullable Double lossSeconds,
        @Nullable Long lossBytes,
        long tables,
        long indexes,
        int assertions,
        @Nullable Integer compared,
        @Nullable Boolean reachedAll,
        List<String> notDone,
        int wrong,
        List<String> findings) {

    public static final int FORMAT_VERSION = 1;

    private static final int MOST_LINES = 100;
    private static final String PROVEN = "proven";
    private static final String PARTLY = "partly";
    private static final String REFUTED = "refuted";

    /** A note by its name. */
    record Named(String name, Proof proof) {}

    public ProofNote {
        notDone = notDone.stream().limit(MOST_LINES).toList();
        findings = findings.stream().limit(MOST_LINES).toList();
    }

    /** Keeps it in a storage that holds the backup. Written once; a second one of the same second and word is not kept. */
    public void write(Storage storage, BackupPaths paths) {
        String sound = Boolean.FALSE.equals(reachedAll) ? PARTLY : PROVEN;
        new NoteName(provenAt, wrong == 0 ? sound : REFUTED).write(storage, paths, label, this);
    }

    /** The newest among the names of a backup's objects; of two in one second the worse. */
    static Optional<Named> newest(BackupLabel label, Collection<String> names) {
        return NoteName.of(names, Set.of(PROVEN, REFUTED))
                .map(note -> new Named(
                        note.toString(), new Proof(label, note.at(), note.word().equals(PROVEN), null)))
                .max((one, other) -> Proof.NEWEST_LAST.compare(one.proof(), other.proof()));
    }

    /** All that the storages hold beside a backup, oldest first; of one that is not readable, what its name says. */
    public static List<Proof> all(List<Storage> storages, StoredBackup backup) {
        Map<String, Proof> byName = new TreeMap<>();
        for (Storage storage : storages) {
            BackupFolder folder = BackupFolder.list(storage, backup.paths(), backup.label());
            NoteName.of(folder.objects().keySet(), Set.of(PROVEN, REFUTED)).forEach(note -> {
                Proof proof = new Proof(backup.label(), note.at(), note.word().equals(PROVEN), null);
                String object = backup.paths().object(backup.label(), note.toString());
                byName.merge(
                        note.toString(),
                        proof.readFrom(storage, object),
                        (one, same) -> one.note() == null ? same : one);
            });
        }
        return List.copyOf(byName.values());
    }

    static ProofNote read(byte[] bytes) {
        return BackupJson.MAPPER.readValue(bytes, ProofNote.class);
    }
}
