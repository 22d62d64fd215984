package io.nightshift.infra.backup;

import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageFailures;
import io.nightshift.infra.storage.StoredObjectWriter;
import java.time.Instant;
import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The name of what was learnt of a backup after it was taken, {@code notes/<time>-<word>.json}: the word alone says the most
 * important, so that damage to the note hides nothing.
 *
 * @param at whole seconds
 */
record NoteName(Instant at, String word) {

    static final String FOLDER = "notes/";

    private static final Pattern NAME = Pattern.compile("notes/(\\d{8}T\\d{6}Z)-([a-z]+)\\.json");

    /** Those of one kind among the names of a backup's objects. */
    static Stream<NoteName> of(Collection<String> names, Set<String> words) {
        return names.stream().flatMap(name -> parse(name).stream()).filter(note -> words.contains(note.word()));
    }

    private static Optional<NoteName> parse(String name) {
        Matcher parts = NAME.matcher(name);
        return parts.matches()
                ? BackupLabel.time(parts.group(1)).map(at -> new NoteName(at, parts.group(2)))
                : Optional.empty();
    }

    /** Puts the note beside a backup. Written once; a second one of the same second and word is not kept. */
    void write(Storage storage, BackupPaths paths, BackupLabel label, Object note) {
        String object = paths.object(label, toString());
        try (StoredObjectWriter writer = storage.create(object)) {
            writer.write(BackupJson.bytes(note));
            writer.commit();
        } catch (NightshiftException failed) {
            if (!StorageFailures.isExisting(failed) || storage.stat(object).isEmpty()) {
                throw failed;
            }
        }
    }

    /** Inside the backup's folder. */
    @Override
    public String toString() {
        return FOLDER + BackupLabel.text(at) + "-" + word + ".json";
    }
}
