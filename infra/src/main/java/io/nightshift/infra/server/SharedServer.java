package io.nightshift.infra.server;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One server that several processes use together: the first one in starts it, the last one out stops it. Each holds a
 * shared lock on {@code users.lock}; who comes or goes holds {@code start.lock} meanwhile. The kernel drops the locks of a
 * killed process, so the count is always right: if the last one is killed the server stays, the next one in uses it, and
 * the last one out of those stops it. Joining several times in one process is fine. Thread-safe.
 */
public final class SharedServer implements AutoCloseable {

    private static final ConcurrentMap<Path, Membership> MEMBERSHIPS = new ConcurrentHashMap<>();
    private static final Duration LIMIT = Duration.ofMinutes(8);

    private final Membership membership;
    private final PostgresServer server;
    private final Map<String, String> settings;
    private final AtomicBoolean open = new AtomicBoolean(true);

    private SharedServer(Membership membership, PostgresServer server, Map<String, String> settings) {
        this.membership = membership;
        this.server = server;
        this.settings = settings;
    }

    /**
     * Joins the users of the server in this directory; initialises and starts it if need be.
     *
     * @param directory for the locks, the data directory {@code data} and what belongs to it; made if missing
     * @param binaries asked for only to make, start or stop the server, not where it runs already
     * @param settings only for a server that does not run yet
     */
    public static SharedServer join(Path directory, Supplier<PostgresBinaries> binaries, Map<String, String> settings) {
        Path absolute = directory.toAbsolutePath().normalize();
        ServerUser.of(dataDirectory(absolute)).createPassableDirectories(absolute);
        Membership membership = MEMBERSHIPS.computeIfAbsent(absolute, Membership::new);
        return new SharedServer(membership, membership.enter(binaries, settings), settings);
    }

    /** Whether there is a server to join in this directory; if not, joining makes one. */
    public static boolean exists(Path directory) {
        return DataDirectory.isCluster(dataDirectory(directory));
    }

    /** Where its data directory lies, or would lie. */
    public static Path dataDirectory(Path directory) {
        return directory.resolve("data");
    }

    /** Keeps everybody from joining until it is closed; REFUSED if somebody has joined, or another process keeps it. */
    public static Unused claimUnused(Path directory) {
        Path file = directory.resolve("users.lock");
        Membership own = MEMBERSHIPS.get(directory.toAbsolutePath().normalize());
        if (own != null && own.hasJoined()) { // to close its file once more would drop the lock of all
            throw inUse(directory);
        }
        try {
            ServerUser.of(dataDirectory(directory)).createPassableDirectories(directory);
            FileChannel users = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            if (users.tryLock() != null) {
                return new Unused(users);
            }
            users.close();
        } catch (IOException e) {
            throw DataDirectory.unusable(file, e);
        }
        throw inUse(directory);
    }

    private static NightshiftException inUse(Path directory) {
        return new NightshiftException(
                FailureKind.REFUSED,
                "the server in " + dataDirectory(directory) + " is in use, or kept for use",
                "end nightshift serve and every other command of this home first");
    }

    /** Nobody joins while it is open. */
    public record Unused(FileChannel users) implements AutoCloseable {

        @Override
        public void close() {
            try {
                users.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    public PostgresServer server() {
        return server;
    }

    /** Starts the server again if it died meanwhile; whoever uses it for long asks now and then. */
    public void ensureRunning() {
        if (open.get()) {
            membership.ensureRunning(server, settings);
        }
    }

    /** Leaves; the last one out stops the server. A second call does nothing. */
    @Override
    public void close() {
        if (open.getAndSet(false)) {
            Uninterrupted.run(() -> membership.leave(server));
        }
    }

    /** This process among the users of one directory: one channel, one lock, however many joined. */
    private static final class Membership {

        private final Path directory;
        private int joined;
        private @Nullable FileChannel users;
        private @Nullable FileLock share;

        Membership(Path directory) {
            this.directory = directory;
        }

        @SuppressWarnings("try") // the claim is held, not used
        synchronized PostgresServer enter(Supplier<PostgresBinaries> binaries, Map<String, String> settings) {
            try (FileClaim claim = FileClaim.take(directory.resolve("start.lock"), LIMIT)) {
                if (joined == 0) {
                    openShare();
                }
                PostgresServer server = PostgresServer.openOrInitialise(dataDirectory(directory), binaries);
                server.ensureRunning(settings);
                joined++;
                return server;
            } finally {
                if (joined == 0) {
                    closeShare();
                }
            }
        }

        synchronized boolean hasJoined() {
            return joined > 0;
        }

        @SuppressWarnings("try") // the claim is held, not used
        synchronized void ensureRunning(PostgresServer server, Map<String, String> settings) {
            if (joined > 0 && !server.isRunning()) {
                try (FileClaim claim = FileClaim.take(directory.resolve("start.lock"), LIMIT)) {
                    server.ensureRunning(settings);
                }
            }
        }

        @SuppressWarnings("try") // the claim is held, not used
        synchronized void leave(PostgresServer server) {
            joined--;
            if (joined > 0) {
                return;
            }
            try (FileClaim claim = FileClaim.take(directory.resolve("start.lock"), LIMIT)) {
                if (isLastOut()) {
                    server.stop();
                }
            } finally {
                closeShare();
            }
        }

        /** Nobody can join meanwhile: the caller holds {@code start.lock}. */
        private boolean isLastOut() {
            try {
                if (share != null) {
                    share.release();
                }
                return users != null && users.tryLock() != null;
            } catch (IOException e) {
                throw DataDirectory.unusable(usersFile(), e);
            }
        }

        private void openShare() {
            try {
                users = FileChannel.open(
                        usersFile(), StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
                share = users.tryLock(0, Long.MAX_VALUE, true);
            } catch (IOException e) {
                throw DataDirectory.unusable(usersFile(), e);
            }
            if (share == null) {
                throw new NightshiftException(
                        FailureKind.REFUSED,
                        usersFile() + " is locked by a program that does not take part in Nightshift's protocol",
                        "see who has the file open (fuser " + usersFile() + ")");
            }
        }

        private void closeShare() {
            try {
                if (users != null) {
                    users.close();
                }
            } catch (IOException e) {
                throw DataDirectory.unusable(usersFile(), e);
            } finally {
                users = null;
                share = null;
            }
        }

        private Path usersFile() {
            return directory.resolve("users.lock");
        }
    }
}
