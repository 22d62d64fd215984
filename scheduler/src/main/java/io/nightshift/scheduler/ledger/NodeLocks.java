package io.nightshift.scheduler.ledger;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * One lock file per process in the home: the operating system releases the lock at the instant the process dies, however
 * it dies. So processes of one home need no waiting to know that another one is dead.
 */
public final class NodeLocks {

    /** Locks of this process. POSIX drops a lock when any descriptor of its file is closed, so they are opened once. */
    private static final Map<Path, FileChannel> HELD = new ConcurrentHashMap<>();

    private final NightshiftNode self;
    private final Path folder;

    public NodeLocks(NightshiftNode self) {
        this.self = self;
        this.folder = self.home().resolve("nodes");
    }

    public void hold() {
        Path file = folder.resolve(self.name());
        try {
            Files.createDirectories(folder);
            HELD.put(file, lockedFile(file));
        } catch (IOException e) {
            throw new NightshiftException(
                    FailureKind.RESOURCES_EXHAUSTED,
                    "lock file " + file + " not written: " + e.getMessage(),
                    "the home folder must be writable: choose another with --home",
                    e);
        }
    }

    /** Another process may sweep the file away between its creation and its lock: then once more. */
    private static FileChannel lockedFile(Path file) throws IOException {
        while (true) {
            FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            channel.lock();
            if (Files.exists(file)) {
                return channel;
            }
            channel.close();
        }
    }

    public void release() {
        Path file = folder.resolve(self.name());
        FileChannel channel = HELD.remove(file);
        try {
            Files.deleteIfExists(file);
            if (channel != null) {
                channel.close();
            }
        } catch (IOException harmless) {
            // an unlocked file says the same as none, and the lock ends with the process at the latest
        }
    }

    /** Deletes the files of processes of this home that are dead. */
    void sweep() {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                deleteUnlocked(file);
            }
        } catch (IOException | UncheckedIOException harmless) {
            // A file more says nothing: only its lock does.
        }
    }

    private static void deleteUnlocked(Path file) throws IOException {
        if (HELD.containsKey(file)) {
            return;
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
                FileLock lock = channel.tryLock()) {
            if (lock != null) {
                Files.deleteIfExists(file);
            }
        } catch (OverlappingFileLockException | NoSuchFileException alive) {
            // held by this process, or swept by another one
        }
    }

    /** Whether the lock of that node is released for certain; false when its home is not ours to look into. */
    boolean isReleased(String host, String home, String name) {
        if (!host.equals(self.host()) || !home.equals(self.home().toString())) {
            return false;
        }
        Path file = folder.resolve(name);
        if (HELD.containsKey(file)) {
            return false;
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
                FileLock lock = channel.tryLock()) {
            return lock != null;
        } catch (OverlappingFileLockException heldByThisProcess) {
            return false;
        } catch (NoSuchFileException gone) {
            return true;
        } catch (IOException unknown) {
            return false;
        }
    }
}
