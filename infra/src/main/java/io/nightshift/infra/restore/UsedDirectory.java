package io.nightshift.infra.restore;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.server.PostgresServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A data directory that may be in use. Says whether a restore may write over it; REFUSED, with nothing touched, unless it
 * is the same cluster's, no server runs on it, and all that would be deleted lies in it or in its own tablespaces.
 */
final class UsedDirectory {

    private static final Path TABLESPACES = Path.of("pg_tblspc");

    private final Path directory;

    UsedDirectory(Path directory) {
        this.directory = directory;
    }

    void requireNoServer() {
        if (PostgresServer.isRunning(directory)) {
            throw refused(
                    "a server runs on " + directory, "stop it first, or choose another directory with --to", null);
        }
    }

    /** Where the tablespaces of the data directory are now, by oid. */
    Map<String, Path> tablespaces() {
        Map<String, Path> places = new LinkedHashMap<>();
        Path links = directory.resolve(TABLESPACES);
        try {
            if (Files.isDirectory(links)) {
                for (Path link : KeptFiles.entries(links)) {
                    if (Files.isSymbolicLink(link)) {
                        places.put(
                                String.valueOf(link.getFileName()),
                                links.resolve(Files.readSymbolicLink(link)).normalize());
                    }
                }
            }
            return places;
        } catch (IOException failed) {
            throw TargetFailures.of(links, failed);
        }
    }

    /** Of all files in a directory, which need not exist; links are not followed. */
    static long bytes(Path directory) {
        if (!Files.exists(directory)) {
            return 0;
        }
        try (Stream<Path> all = Files.walk(directory)) {
            long bytes = 0;
            for (Path file : (Iterable<Path>) all::iterator) {
                bytes += Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) ? Files.size(file) : 0;
            }
            return bytes;
        } catch (IOException failed) {
            throw TargetFailures.of(directory, failed);
        } catch (UncheckedIOException failed) {
            throw TargetFailures.of(directory, new IOException(failed.getCause()));
        }
    }

    /** For a restore over what is there. */
    void requireReplaceable(BackupDocument backup, TablespacePlan plan) {
        requireSameCluster(backup);
        requireNoLinks();
        Map<String, Path> now = tablespaces();
        plan.elsewhere().forEach((oid, place) -> {
            if (!place.normalize().equals(now.get(oid)) && !TargetDirectory.isUnfinished(place)) {
                TargetDirectory.requireUnused(place);
            }
            requireNoOtherServer(oid, place);
        });
    }

    /** A copy that was made of a data directory with its links has the tablespaces of the original. */
    private static void requireNoOtherServer(String oid, Path place) {
        for (Path other : PostgresServer.runningDataDirectories()) {
            for (Path used : new UsedDirectory(other).tablespaces().values()) {
                if (isSame(used, place)) {
                    throw refused(
                            "tablespace " + oid + " in " + place + " is in use: the server on " + other + " has it",
                            "give it a directory of its own with --tablespace " + oid + "=DIR",
                            null);
                }
            }
        }
    }

    private static boolean isSame(Path one, Path other) {
        try {
            return Files.isSameFile(one, other);
        } catch (IOException absent) {
            return false;
        }
    }

    private void requireSameCluster(BackupDocument backup) {
        Path file = directory.resolve(DataDirectory.CONTROL_FILE);
        try {
            if (Files.exists(file)) {
                new ControlFile(0600, ByteBuffer.wrap(Files.readAllBytes(file))).requireOf(backup.systemIdentifier());
            } else if (!TargetDirectory.isUnfinished(directory)) {
                TargetDirectory.requireUnused(directory);
            }
        } catch (NightshiftException foreign) {
            throw refused(
                    directory + " is no data directory of this cluster: " + foreign.getMessage(),
                    "--delta works on the cluster's own data directory; choose an empty one without it",
                    foreign);
        } catch (IOException failed) {
            throw TargetFailures.of(file, failed);
        }
    }

    /** What lies behind them would be written and deleted too. */
    private void requireNoLinks() {
        if (!Files.exists(directory)) {
            return;
        }
        try {
            Files.walkFileTree(directory, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult preVisitDirectory(Path entered, BasicFileAttributes attributes) {
                    return entered.equals(directory.resolve(TABLESPACES))
                            ? FileVisitResult.SKIP_SUBTREE
                            : FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    if (attributes.isSymbolicLink() && Files.isDirectory(file)) {
                        throw refused(
                                file + " is a link to " + Files.readSymbolicLink(file)
                                        + ": what lies there would be replaced too",
                                "move that directory to the place of the link, or restore into an empty directory",
                                null);
                    }
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException failed) {
            throw TargetFailures.of(directory, failed);
        }
    }

    /**
     * For a restore that goes on with what an earlier attempt left. One that was killed in its last moment has left a
     * whole directory, on which a server may have run since.
     */
    void requireNotStarted(ExpectedFiles expected) {
        Path file = directory.resolve(DataDirectory.CONTROL_FILE);
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)
                && TargetDirectory.isUnfinished(directory)
                && !KeptFiles.isEqual(
                        file, expected.find(DataDirectory.CONTROL_FILE).orElseThrow(), count -> {})) {
            throw refused(
                    "a server has run on " + directory + " since it was restored",
                    "it was complete: remove " + directory.resolve(TargetDirectory.UNFINISHED)
                            + " and use it; or restore over it with --delta",
                    null);
        }
    }

    private static NightshiftException refused(String fact, String hint, @Nullable Exception cause) {
        return new NightshiftException(FailureKind.REFUSED, fact, hint, cause);
    }
}
