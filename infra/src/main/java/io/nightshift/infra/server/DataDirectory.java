package io.nightshift.infra.server;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** What is in a directory that is, or is to become, a data directory; and what is wrong with it. */
final class DataDirectory {

    private DataDirectory() {}

    static boolean isCluster(Path directory) {
        return Files.exists(directory.resolve("PG_VERSION"));
    }

    static void requireCluster(Path directory, int major) {
        String found;
        try {
            found = Files.readString(directory.resolve("PG_VERSION")).strip();
        } catch (NoSuchFileException e) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    directory + " is not the data directory of a PostgreSQL cluster: it has no file PG_VERSION",
                    "choose the directory that has it, or an empty one for a new cluster",
                    e);
        } catch (IOException e) {
            throw unusable(directory, e);
        }
        if (!found.equals(Integer.toString(major))) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "data directory " + directory + " is of PostgreSQL " + found + ", the server would be of " + major,
                    "use a server of PostgreSQL " + found + ", or upgrade the cluster with pg_upgrade");
        }
    }

    static void requireEmpty(Path directory) {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            for (Path entry : entries) {
                throw new NightshiftException(
                        FailureKind.CONFIGURATION,
                        directory + " is not empty"
                                + (isCluster(directory)
                                        ? ": it holds a PostgreSQL cluster already"
                                        : ", and what it holds (" + entry.getFileName() + ") is not ours"),
                        "choose an empty directory; nothing was changed");
            }
        } catch (NoSuchFileException e) {
            // Nothing there: as good as empty.
        } catch (IOException e) {
            throw unusable(directory, e);
        }
    }

    static NightshiftException unreachable(Path dataDirectory, Path barrier, ServerUser user) {
        return new NightshiftException(
                FailureKind.CONFIGURATION,
                "user " + user + ", who runs the server, cannot enter " + barrier + " on the way to " + dataDirectory,
                "choose a directory that everybody may pass through (chmod o+x " + barrier
                        + " would open this one), or run Nightshift as an unprivileged user");
    }

    static NightshiftException unusable(Path path, IOException cause) {
        String fact = "could not use " + path + ": " + cause;
        if (cause instanceof AccessDeniedException) {
            return new NightshiftException(
                    FailureKind.CONFIGURATION,
                    fact,
                    "it belongs to somebody else: run Nightshift as its owner, or choose another place",
                    cause);
        }
        boolean full = fact.contains("No space left") || fact.contains("quota");
        return new NightshiftException(
                full ? FailureKind.RESOURCES_EXHAUSTED : FailureKind.CONFIGURATION,
                fact,
                full ? "free space there" : "check the place: does it exist, is its file system writable",
                cause);
    }
}
