package io.nightshift.infra.storage;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;

/**
 * The failures that every storage words alike, and how callers tell them apart: the cause of a missing object is a
 * NoSuchFileException, of an existing one a FileAlreadyExistsException, whatever the storage is made of.
 */
public final class StorageFailures {

    private StorageFailures() {}

    public static NightshiftException missing(String storage, String object) {
        return new NightshiftException(
                FailureKind.DATA_DAMAGED,
                "storage " + storage + " has no object " + object,
                "it was deleted, or never completed; another storage may still have it",
                new NoSuchFileException(object));
    }

    public static NightshiftException exists(String storage, String object) {
        return new NightshiftException(
                FailureKind.REFUSED,
                "object " + object + " exists already in storage " + storage,
                "objects are written once; something else writes under the same name",
                new FileAlreadyExistsException(object));
    }

    /** A stream of an object broke. */
    public static NightshiftException unreadable(Storage storage, String object, IOException failed) {
        return new NightshiftException(
                FailureKind.STORAGE_UNAVAILABLE,
                "cannot read object " + object + " in storage " + storage.name() + ": " + failed.getMessage(),
                "see whether the storage still answers, then try again",
                failed);
    }

    /** Whether the failure says that there is no such object. */
    public static boolean isMissing(NightshiftException failure) {
        return failure.kind() == FailureKind.DATA_DAMAGED && failure.getCause() instanceof NoSuchFileException;
    }

    /** Whether the failure says that another writer was first. */
    public static boolean isExisting(NightshiftException failure) {
        return failure.getCause() instanceof FileAlreadyExistsException;
    }
}
