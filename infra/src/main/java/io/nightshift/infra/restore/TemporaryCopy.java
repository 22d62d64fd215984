package io.nightshift.infra.restore;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.PostgresServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The folder {@value #FOLDER} in a directory that is to receive files: a restored cluster lies in it for as long as it is
 * read, and the files until they are whole. Closing it ends the cluster's server and removes the folder, whatever
 * happened, unless it was kept. What a killed process left is ended and removed by the next one that takes the same
 * directory.
 */
final class TemporaryCopy implements AutoCloseable {

    static final String FOLDER = "nightshift-temporary-copy";

    /** Says that the copy is to stay for a time although nobody is at work in it. */
    private static final String KEPT = "kept.json";

    private static final String OWNER = "owner.lock";

    private final Path directory;
    private final Path folder;
    private final CopyHold hold;
    private final boolean made;
    private final boolean tookOver;
    private boolean kept;

    private TemporaryCopy(Path directory, CopyHold hold, boolean made, boolean tookOver) {
        this.directory = directory;
        this.folder = directory.resolve(FOLDER);
        this.hold = hold;
        this.made = made;
        this.tookOver = tookOver;
    }

    /** Takes a directory that is absent, empty, or has only what a killed process left. REFUSED otherwise. */
    static TemporaryCopy in(Path directory) {
        if (Files.exists(kept(directory))) {
            throw refused("a restored copy is kept in " + directory, "choose another directory, or wait for its end");
        }
        return in(directory, left -> !Files.exists(kept(left)));
    }

    /** Whoever removes what is left there decides with this once more when nobody else can use it. */
    @FunctionalInterface
    interface MayGo {
        boolean test(Path directory);
    }

    /** The same where a copy may be kept. REFUSED also if what is there may not go. */
    static TemporaryCopy in(Path directory, MayGo mayGo) {
        requireNothingElse(directory);
        Path folder = directory.resolve(FOLDER);
        PostgresServer.requireReachable(folder.resolve("data"));
        try {
            boolean made = !Files.exists(directory);
            boolean leftOver = Files.exists(folder);
            if (made) {
                Files.createDirectories(directory);
                Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
            }
            PostgresServer.requireReachable(folder.resolve("data"));
            if (!leftOver) {
                Files.createDirectories(folder);
                Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
            }
            CopyHold hold = CopyHold.alone(folder.resolve(OWNER)).orElseThrow(() -> atWork(directory));
            if (!mayGo.test(directory)) {
                hold.close();
                throw refused("a restored copy is kept in " + directory, "wait for its end");
            }
            var copy = new TemporaryCopy(directory, hold, made, leftOver);
            try {
                copy.clear();
                Files.createDirectory(copy.files(), TargetDirectory.PRIVATE_DIRECTORY);
                requireNothingElse(directory);
                return copy;
            } catch (IOException | RuntimeException failed) {
                copy.close();
                throw failed;
            }
        } catch (IOException failed) {
            throw TargetFailures.of(directory, failed);
        }
    }

    private static void requireNothingElse(Path directory) {
        if (!Files.exists(directory)) {
            return;
        }
        if (!Files.isDirectory(directory)) {
            throw refused(directory + " is no directory", "choose a directory that is absent or empty");
        }
        try (Stream<Path> entries = Files.list(directory)) {
            if (entries.anyMatch(entry -> !entry.endsWith(FOLDER))) {
                throw refused("directory " + directory + " is not empty", "choose a directory that is absent or empty");
            }
        } catch (IOException failed) {
            throw TargetFailures.of(directory, failed);
        }
    }

    private static NightshiftException atWork(Path directory) {
        return refused("another restore is at work in " + directory, "wait for its end, or choose another directory");
    }

    /** The document of the copy that is kept in a directory; it need not exist. */
    static Path kept(Path directory) {
        return directory.resolve(FOLDER).resolve(KEPT);
    }

    /** The cluster of the copy in a directory. */
    static Path data(Path directory) {
        return directory.resolve(FOLDER).resolve("data");
    }

    /** A hold for as long as somebody uses the copy that is kept in a directory; empty while somebody throws it away. */
    static Optional<CopyHold> use(Path directory) {
        Path file = directory.resolve(FOLDER).resolve(OWNER);
        try {
            return CopyHold.shared(file);
        } catch (IOException failed) {
            throw TargetFailures.of(file, failed);
        }
    }

    /**
     * Leaves all of it as it is, for others to use; closing it does nothing any more.
     *
     * @param document what says so
     */
    void keep(byte[] document) {
        Durable.write(kept(directory), PosixFilePermissions.fromString("rw-------"), out -> out.write(document));
        CrashPoint.reach("restore-test.keeping");
        kept = true;
        try {
            hold.close();
        } catch (IOException failed) {
            throw TargetFailures.of(directory, failed);
        }
    }

    /** Of the cluster. */
    Path data() {
        return data(directory);
    }

    /** For a tablespace that lay outside the data directory. */
    Path tablespace(String oid) {
        return folder.resolve("tablespace-" + oid);
    }

    /** Where files lie until they are whole. */
    Path files() {
        return folder.resolve("files");
    }

    /** Whether there was something left of a process that was killed. */
    boolean tookOver() {
        return tookOver;
    }

    /** Moves whole files out, into the directory itself; returns where they are now. */
    List<ExtractedFile> publish(List<ExtractedFile> files, List<Path> more) {
        more.forEach(this::publish);
        List<ExtractedFile> published = files.stream()
                .map(file -> new ExtractedFile(publish(file.file()), file.tables(), file.rows()))
                .toList();
        Durable.syncOne(directory);
        return published;
    }

    private Path publish(Path file) {
        Path place = directory.resolve(file.getFileName());
        try {
            if (Files.exists(place)) {
                throw refused(place + " appeared meanwhile", "choose a directory that nobody else writes to");
            }
            return Files.move(file, place, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException failed) {
            throw TargetFailures.of(place, failed);
        }
    }

    /** The document first: what is half thrown away is no copy. */
    private void clear() throws IOException {
        Files.deleteIfExists(kept(directory));
        PostgresServer.abandon(data());
        try (Stream<Path> entries = Files.list(folder)) {
            for (Path entry : entries.toList()) {
                if (!entry.endsWith(OWNER)) {
                    FileTree.delete(entry);
                }
            }
        }
    }

    @Override
    public void close() {
        if (kept) {
            return;
        }
        try (hold) {
            clear();
            Files.deleteIfExists(folder.resolve(OWNER));
            Files.deleteIfExists(folder);
            if (made) {
                removeIfEmpty();
            }
        } catch (IOException failed) {
            throw new NightshiftException(
                    FailureKind.RESOURCES_EXHAUSTED,
                    "cannot remove the temporary copy " + folder + ": " + failed.getMessage(),
                    "remove it by hand: it holds a copy of the whole cluster",
                    failed);
        }
    }

    private void removeIfEmpty() throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            if (entries.findAny().isPresent()) {
                return;
            }
        }
        Files.deleteIfExists(directory);
    }

    private static NightshiftException refused(String fact, String hint) {
        return new NightshiftException(FailureKind.REFUSED, fact, hint);
    }
}
