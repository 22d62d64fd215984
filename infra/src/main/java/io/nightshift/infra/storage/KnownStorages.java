package io.nightshift.infra.storage;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * Which storages this installation has taken, one small file each in its home. A storage that was taken once must be
 * found as it was: an empty directory in its place is a disk that is not mounted, not a new storage.
 */
public final class KnownStorages {

    private final Path folder;

    public KnownStorages(Path folder) {
        this.folder = folder;
    }

    /** Whether a storage of this name was taken at this path. */
    boolean isKnown(String name, Path root) {
        try {
            return Files.readString(folder.resolve(name)).strip().equals(root.toString());
        } catch (NoSuchFileException never) {
            return false;
        } catch (IOException e) {
            throw unusable(name, e);
        }
    }

    /** What to remove so that a storage counts as new again. */
    Path file(String name) {
        return folder.resolve(name);
    }

    void remember(String name, Path root) {
        try {
            Files.createDirectories(folder);
            Files.writeString(folder.resolve(name), root + "\n");
        } catch (IOException e) {
            throw unusable(name, e);
        }
    }

    /** After a storage was thrown away on purpose. */
    public void forget(String name) {
        try {
            Files.deleteIfExists(folder.resolve(name));
        } catch (IOException e) {
            throw unusable(name, e);
        }
    }

    private NightshiftException unusable(String name, IOException e) {
        return new NightshiftException(
                FailureKind.RESOURCES_EXHAUSTED,
                "file " + folder.resolve(name) + " not usable: " + e.getMessage(),
                "the home folder must be writable",
                e);
    }
}
