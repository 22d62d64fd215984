package io.nightshift.infra.storage;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;

/** Translates what the file system says into who must act. Java has no errno, so the texts of strerror(3) decide. */
final class DirectoryFailures {

    private static final List<String> FULL =
            List.of("no space left", "disk quota exceeded", "file too large", "too many links");
    private static final List<String> TOO_MANY_FILES = List.of("too many open files");

    private final String storage;
    private final Path root;

    DirectoryFailures(String storage, Path root) {
        this.storage = storage;
        this.root = root;
    }

    /**
     * The failure to throw.
     *
     * @param doing such as {@code write}
     */
    NightshiftException of(String doing, String object, IOException thrown) {
        if (thrown instanceof ClosedByInterruptException) {
            return new NightshiftException(FailureKind.CANCELLED, interrupted(doing, object), null, thrown);
        }
        if (!Files.isDirectory(root)) {
            return new NightshiftException(
                    FailureKind.STORAGE_UNAVAILABLE,
                    cannot(doing, object) + ": directory " + root + " does not exist",
                    "mount it, or correct the path of storage " + storage,
                    thrown);
        }
        if (saysNotThere(thrown)) {
            return StorageFailures.missing(storage, object);
        }
        if (thrown instanceof FileAlreadyExistsException) {
            return StorageFailures.exists(storage, object);
        }
        String reason = reason(thrown);
        if (FULL.stream().anyMatch(reason.toLowerCase(Locale.ROOT)::contains)) {
            return new NightshiftException(
                    FailureKind.RESOURCES_EXHAUSTED,
                    cannot(doing, object) + ": " + reason + ", " + bytesFree() + " bytes free in " + root,
                    "free space there or expire backups; nothing of this object was kept",
                    thrown);
        }
        if (TOO_MANY_FILES.stream().anyMatch(reason.toLowerCase(Locale.ROOT)::contains)) {
            return new NightshiftException(
                    FailureKind.RESOURCES_EXHAUSTED,
                    cannot(doing, object) + ": " + reason,
                    "raise the limit of open files of this process (ulimit -n)",
                    thrown);
        }
        if (thrown instanceof AccessDeniedException denied) {
            return new NightshiftException(
                    FailureKind.STORAGE_UNAVAILABLE,
                    cannot(doing, object) + ": permission denied on " + denied.getFile(),
                    "let the user of this process (" + System.getProperty("user.name") + ") own " + root,
                    thrown);
        }
        return new NightshiftException(
                FailureKind.STORAGE_UNAVAILABLE,
                cannot(doing, object) + ": " + reason,
                "look at the file system of " + root + " and at the kernel's log",
                thrown);
    }

    NightshiftException noHardLinks(String object, Exception thrown) {
        return new NightshiftException(
                FailureKind.CONFIGURATION,
                cannot("complete", object) + ": the file system of " + root + " has no hard links",
                "exclusive creation needs them: use ext4, xfs, btrfs, zfs or NFS, or an object store",
                thrown);
    }

    /** No such file, or a part of its path is a file where a folder is meant. */
    static boolean saysNotThere(IOException thrown) {
        return thrown instanceof NoSuchFileException
                || thrown instanceof NotDirectoryException
                || reason(thrown).equals("Not a directory");
    }

    private String cannot(String doing, String object) {
        return "cannot " + doing + (object.isEmpty() ? "" : " object " + object) + " in storage " + storage;
    }

    private String interrupted(String doing, String object) {
        return "interrupted: " + cannot(doing, object);
    }

    private static String reason(IOException thrown) {
        String text = thrown instanceof FileSystemException of && of.getReason() != null
                ? of.getReason()
                : thrown.getMessage();
        return text == null || text.isEmpty() ? thrown.getClass().getSimpleName() : text;
    }

    /** Of the file system; empty while it is not there. */
    OptionalLong freeBytes() {
        try {
            return OptionalLong.of(Files.getFileStore(root).getUsableSpace());
        } catch (IOException unknown) {
            return OptionalLong.empty();
        }
    }

    private String bytesFree() {
        OptionalLong free = freeBytes();
        return free.isPresent() ? Long.toString(free.getAsLong()) : "unknown";
    }
}
