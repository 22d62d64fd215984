package io.nightshift.infra.server;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The operating system's user that a server runs as. PostgreSQL refuses to run as root, so as root it is the owner of
 * the data directory, else {@code postgres}, else {@code nobody}; otherwise it is whoever we are. Switching needs
 * {@code setpriv} or {@code runuser}; a user namespace is no substitute, because it keeps root's reach.
 */
public final class ServerUser {

    /** A user and its primary group. */
    record Account(int uid, int gid, String name) {}

    private static final Set<PosixFilePermission> ENTERED_BY_ALL = PosixFilePermissions.fromString("rwx--x--x");
    private static final Duration LIMIT = Duration.ofSeconds(20);

    private final @Nullable Account account;

    private ServerUser(@Nullable Account account) {
        this.account = account;
    }

    /** The user for this data directory, which need not exist yet. */
    public static ServerUser of(Path dataDirectory) {
        return choose(Machine.ROOT, dataDirectory, Machine::account);
    }

    static ServerUser choose(boolean root, Path dataDirectory, Function<String, Optional<Account>> accounts) {
        if (!root) {
            return new ServerUser(null);
        }
        return new ServerUser(
                ownerOf(dataDirectory)
                        .or(() -> accounts.apply("postgres"))
                        .or(() -> accounts.apply("nobody"))
                        .orElseThrow(
                                () -> new NightshiftException(
                                        FailureKind.CONFIGURATION,
                                        "PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody",
                                        "create an unprivileged user postgres (useradd --system postgres), or run Nightshift as an unprivileged user")));
    }

    /** The command as this user runs it. */
    List<String> command(List<String> words) {
        if (account == null) {
            return words;
        }
        List<String> switched = new ArrayList<>(
                OnPath.find("setpriv").isPresent()
                        ? List.of("setpriv", "--reuid=" + account.uid(), "--regid=" + account.gid(), "--clear-groups")
                        : List.of("runuser", "-u", account.name(), "--"));
        switched.addAll(words);
        return switched;
    }

    /** Gives a file, or a directory and everything in it, to this user; the directory itself last. */
    public void own(Path path) {
        if (account == null) {
            return;
        }
        try {
            Files.walkFileTree(path, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    give(file, account);
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException failure)
                        throws IOException {
                    if (failure != null) {
                        throw failure;
                    }
                    give(directory, account);
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "could not give " + path + " to user " + account.name() + ": " + e.getMessage(),
                    "use a file system that knows owners, or run Nightshift as an unprivileged user",
                    e);
        }
    }

    /** Makes a data directory that root has filled, as a restore does, this user's own; at most once. */
    void takeOver(Path dataDirectory) {
        try {
            if (account != null && uid(dataDirectory) != account.uid()) {
                own(dataDirectory);
            }
        } catch (IOException e) {
            throw DataDirectory.unusable(dataDirectory, e);
        }
    }

    /** The outermost directory on the way to the path, or the path itself, that exists and that this user may not enter. */
    Optional<Path> barrier(Path path) {
        if (account == null) {
            return Optional.empty();
        }
        Path barrier = null;
        for (Path step = path.toAbsolutePath().normalize(); step != null; step = step.getParent()) {
            if (Files.isDirectory(step) && !mayEnter(step, account)) {
                barrier = step;
            }
        }
        return Optional.ofNullable(barrier);
    }

    /** Creates the missing directories of the path so that this user may pass through them. */
    public void createPassableDirectories(Path directory) {
        try {
            Path parent = directory.getParent();
            if (Files.isDirectory(directory)) {
                return;
            }
            if (parent != null) {
                createPassableDirectories(parent);
            }
            Files.createDirectory(directory);
            if (account != null) {
                Files.setPosixFilePermissions(directory, ENTERED_BY_ALL);
            }
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(directory)) {
                throw notADirectory(directory, e);
            }
        } catch (IOException e) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "could not create directory " + directory + ": " + e,
                    "create it, or let Nightshift's user write there",
                    e);
        }
    }

    private static NightshiftException notADirectory(Path path, IOException cause) {
        return new NightshiftException(
                FailureKind.CONFIGURATION,
                path + " is not a directory",
                "move it away, or choose another place",
                cause);
    }

    private static void give(Path path, Account account) throws IOException {
        Files.setAttribute(path, "unix:gid", account.gid(), LinkOption.NOFOLLOW_LINKS);
        Files.setAttribute(path, "unix:uid", account.uid(), LinkOption.NOFOLLOW_LINKS);
    }

    private static boolean mayEnter(Path directory, Account account) {
        try {
            Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(directory);
            if (uid(directory) == account.uid()) {
                return permissions.contains(PosixFilePermission.OWNER_EXECUTE);
            }
            if (gid(directory) == account.gid()) {
                return permissions.contains(PosixFilePermission.GROUP_EXECUTE);
            }
            return permissions.contains(PosixFilePermission.OTHERS_EXECUTE);
        } catch (IOException e) {
            return false;
        }
    }

    private static Optional<Account> ownerOf(Path dataDirectory) {
        if (!Files.isDirectory(dataDirectory)) {
            return Optional.empty();
        }
        try {
            int uid = uid(dataDirectory);
            return uid == 0
                    ? Optional.empty()
                    : Optional.of(new Account(
                            uid,
                            gid(dataDirectory),
                            Files.getOwner(dataDirectory).getName()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int uid(Path path) throws IOException {
        return (Integer) Files.getAttribute(path, "unix:uid");
    }

    private static int gid(Path path) throws IOException {
        return (Integer) Files.getAttribute(path, "unix:gid");
    }

    @Override
    public String toString() {
        return account == null ? System.getProperty("user.name", "this user") : account.name();
    }

    /** What the operating system says of its users. It is asked once: each question starts a program. */
    private static final class Machine {

        static final boolean ROOT =
                Command.run(List.of("id", "-u"), LIMIT).lastLine().equals("0");

        private static final Map<String, Optional<Account>> ACCOUNTS = new ConcurrentHashMap<>();

        static Optional<Account> account(String name) {
            return ACCOUNTS.computeIfAbsent(name, Machine::lookUp);
        }

        private static Optional<Account> lookUp(String name) {
            Command.Outcome uid = Command.run(List.of("id", "-u", name), LIMIT);
            Command.Outcome gid = Command.run(List.of("id", "-g", name), LIMIT);
            return uid.succeeded() && gid.succeeded()
                    ? Optional.of(new Account(Integer.parseInt(uid.lastLine()), Integer.parseInt(gid.lastLine()), name))
                    : Optional.empty();
        }
    }
}
