package io.nightshift.infra.restore;

import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.server.FileTree;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A directory that one process fills from nothing. While it is not complete it holds a file that says so; when that file
 * was made exclusively and lies alone, the directory is ours, and all that appears in it comes from us.
 *
 * <p>Closing it before it is complete removes what was made: the directory too, unless it was there before.
 */
final class TargetDirectory implements AutoCloseable {

    static final String UNFINISHED = "nightshift-export.unfinished";

    /** How what a restore says of itself begins. */
    static final String RESTORE = "restore of backup ";

    private static final String CLUSTER = ", system identifier ";

    static final FileAttribute<Set<PosixFilePermission>> PRIVATE_DIRECTORY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

    private final Path directory;
    /** The missing ones that were made, the outermost first; empty if the directory was there. */
    private final List<Path> made;

    private final @Nullable Set<PosixFilePermission> modeBefore;
    /** Held by a restore, whose unfinished directory stays; null for an export. */
    private final @Nullable FileChannel hold;

    private boolean complete;

    private TargetDirectory(
            Path directory,
            List<Path> made,
            @Nullable Set<PosixFilePermission> modeBefore,
            @Nullable FileChannel hold) {
        this.directory = directory;
        this.made = made;
        this.modeBefore = modeBefore;
        this.hold = hold;
    }

    /** REFUSED, with nothing touched, unless the directory is absent or empty. */
    static void requireUnused(Path directory) {
        if (!Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        if (!Files.isDirectory(directory)) {
            throw refused(directory + " is no directory", "choose a directory that is absent or empty");
        }
        try (Stream<Path> entries = Files.list(directory)) {
            if (entries.findAny().isPresent()) {
                throw inUse(directory);
            }
        } catch (IOException failed) {
            throw TargetFailures.of(directory, failed);
        }
    }

    /** Takes a directory that is absent or empty; of several that try at once one gets it. */
    static TargetDirectory claim(Path directory, String what) {
        requireUnused(directory);
        List<Path> made = new ArrayList<>();
        boolean claimed = false;
        try {
            Set<PosixFilePermission> modeBefore =
                    Files.exists(directory) ? Files.getPosixFilePermissions(directory) : null;
            for (Path missing : missing(directory)) {
                if (missing.equals(directory)) {
                    Files.createDirectory(missing, PRIVATE_DIRECTORY);
                } else {
                    Files.createDirectory(missing); // whoever the server runs as must pass through
                }
                made.add(missing);
            }
            writeMarker(directory, what);
            var target = new TargetDirectory(directory, made, modeBefore, null);
            claimed = true;
            target.requireAlone();
            Files.setPosixFilePermissions(directory, PRIVATE_DIRECTORY.value());
            return target;
        } catch (FileAlreadyExistsException other) {
            throw inUse(directory);
        } catch (IOException failed) {
            if (!claimed) {
                removeEmpty(made);
            }
            throw TargetFailures.of(directory, failed);
        }
    }

    /**
     * Takes a directory for a restore, which leaves it unfinished when it fails and goes on with it later: one that is
     * absent, empty, or left by the same restore.
     *
     * @param what is restored; a directory left by anything else is refused
     * @param used whether a directory in use is taken too
     */
    static TargetDirectory takeOver(Path directory, String what, boolean used) {
        try {
            boolean begun = isUnfinished(directory);
            if (!used && !begun) {
                requireUnused(directory);
            }
            Path parent = directory.getParent();
            if (parent != null) {
                Files.createDirectories(parent); // whoever the server runs as must pass through
            }
            if (!Files.exists(directory)) {
                Files.createDirectory(directory, PRIVATE_DIRECTORY);
            }
            FileChannel hold = FileChannel.open(
                    directory.resolve(UNFINISHED),
                    begun ? StandardOpenOption.WRITE : StandardOpenOption.CREATE_NEW,
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE);
            boolean taken = false;
            try {
                requireAloneAt(hold, directory);
                requireSame(hold, what, directory, used);
                Files.setPosixFilePermissions(directory, PRIVATE_DIRECTORY.value());
                taken = true;
                return new TargetDirectory(directory, List.of(), null, hold);
            } finally {
                if (!taken) {
                    hold.close();
                }
            }
        } catch (FileAlreadyExistsException other) {
            throw atWork(directory);
        } catch (IOException failed) {
            throw TargetFailures.of(directory, failed);
        }
    }

    private static void requireAloneAt(FileChannel hold, Path directory) throws IOException {
        try {
            // One that ended just now has taken its mark away, and what we hold is no mark any more.
            if (hold.tryLock() != null && isUnfinished(directory)) {
                return;
            }
        } catch (OverlappingFileLockException sameProcess) {
            // told below
        }
        throw atWork(directory);
    }

    private static void requireSame(FileChannel hold, String what, Path directory, boolean used) throws IOException {
        String found = read(hold);
        if (found.isEmpty() && !used) {
            requireNothingBeside(directory);
        }
        if (!found.isEmpty() && !found.equals(what) && !(used && isSameCluster(found, what))) {
            throw refused(
                    "directory " + directory + " holds an unfinished " + found,
                    "finish it with the command that began it, or remove the directory");
        }
        byte[] ours = (what + "\n").getBytes(StandardCharsets.UTF_8);
        hold.write(ByteBuffer.wrap(ours), 0);
        hold.truncate(ours.length);
        hold.force(true);
    }

    private static String read(FileChannel hold) throws IOException {
        ByteBuffer found = ByteBuffer.allocate(Math.toIntExact(Math.min(hold.size(), 1 << 16)));
        while (found.hasRemaining() && hold.read(found, found.position()) >= 0) {
            // as much as there is
        }
        return new String(found.array(), 0, found.position(), StandardCharsets.UTF_8).strip();
    }

    /** What a restore writes over may have been left by one of another backup. */
    private static boolean isSameCluster(String found, String what) {
        int cluster = what.indexOf(CLUSTER);
        return cluster >= 0 && found.startsWith(RESTORE) && found.endsWith(what.substring(cluster));
    }

    /** How what a restore says of itself ends. */
    static String ofCluster(SystemIdentifier cluster) {
        return CLUSTER + cluster;
    }

    /** What somebody else put there between our look and our mark stays untouched. */
    private static void requireNothingBeside(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            if (entries.anyMatch(entry -> !entry.endsWith(UNFINISHED))) {
                Files.delete(directory.resolve(UNFINISHED));
                throw inUse(directory);
            }
        }
    }

    private static NightshiftException atWork(Path directory) {
        return refused("another restore is at work in " + directory, "wait for its end");
    }

    /** Whether an export or a restore has begun there and not ended. */
    static boolean isUnfinished(Path directory) {
        return Files.exists(directory.resolve(UNFINISHED), LinkOption.NOFOLLOW_LINKS);
    }

    Path path() {
        return directory;
    }

    /** Takes the mark of the unfinished away; what follows is the caller's last act. */
    void unmark() {
        try {
            Files.delete(directory.resolve(UNFINISHED));
        } catch (IOException failed) {
            throw TargetFailures.of(directory, failed);
        }
    }

    /** It stays from now on. */
    void complete() {
        complete = true;
    }

    /** Unless it is complete: takes away what makes a server start on it, or makes it look whole, before all else. */
    void disarm() {
        if (!complete && hold == null) {
            remove(() -> {
                Files.deleteIfExists(directory.resolve(DataDirectory.MANIFEST));
                Files.deleteIfExists(directory.resolve(DataDirectory.CONTROL_FILE));
            });
        }
    }

    /** The mark goes last: a kill in between changes nothing. */
    @Override
    public void close() {
        if (hold != null) {
            try {
                hold.close();
            } catch (IOException harmless) {
                // the lock goes with the process at the latest
            }
            return;
        }
        if (complete) {
            return;
        }
        disarm();
        remove(() -> {
            try (Stream<Path> entries = Files.list(directory)) {
                for (Path entry : entries.toList()) {
                    if (!entry.endsWith(UNFINISHED)) {
                        FileTree.delete(entry);
                    }
                }
            }
            giveBack();
        });
    }

    @FunctionalInterface
    private interface Removal {
        void run() throws IOException;
    }

    private void remove(Removal removal) {
        try {
            removal.run();
        } catch (IOException leftOver) {
            throw new NightshiftException(
                    FailureKind.RESOURCES_EXHAUSTED,
                    "cannot remove the unfinished export in " + directory + ": " + leftOver.getMessage(),
                    "remove " + directory + " by hand: it is not whole",
                    leftOver);
        }
    }

    /** What somebody else put there between our look and our mark stays untouched. */
    private void requireAlone() throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            if (entries.anyMatch(entry -> !entry.endsWith(UNFINISHED))) {
                giveBack();
                throw inUse(directory);
            }
        }
    }

    private void giveBack() throws IOException {
        Files.deleteIfExists(directory.resolve(UNFINISHED));
        if (modeBefore != null) {
            Files.setPosixFilePermissions(directory, modeBefore);
        }
        removeEmpty(made);
    }

    private static void removeEmpty(List<Path> made) {
        for (int last = made.size() - 1; last >= 0; last--) {
            try {
                Files.deleteIfExists(made.get(last));
            } catch (IOException usedMeanwhile) {
                return; // by somebody else: nothing of ours lies in it any more
            }
        }
    }

    private static void writeMarker(Path directory, String what) throws IOException {
        Files.writeString(
                directory.resolve(UNFINISHED),
                what + " is being written here and is not complete; after a crash, remove this directory\n",
                StandardCharsets.UTF_8,
                StandardOpenOption.CREATE_NEW,
                StandardOpenOption.WRITE);
    }

    private static List<Path> missing(Path directory) {
        List<Path> missing = new ArrayList<>();
        for (Path step = directory; step != null && !Files.exists(step); step = step.getParent()) {
            missing.add(0, step);
        }
        return missing;
    }

    private static NightshiftException inUse(Path directory) {
        if (Files.exists(directory.resolve(UNFINISHED))) {
            return refused(
                    "directory " + directory + " holds an unfinished export",
                    "if no other export is at work there, one was killed: remove the directory, then export again");
        }
        return refused("directory " + directory + " is not empty", "choose a directory that is absent or empty");
    }

    private static NightshiftException refused(String fact, String hint) {
        return new NightshiftException(FailureKind.REFUSED, fact, hint);
    }
}
