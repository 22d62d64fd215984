package io.nightshift.infra.restore;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.server.ServerUser;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A data directory that comes into being, with the directories of its tablespaces. Its control file is written when all
 * else is on disk, and the manifest after it: a server starts only on what is whole, and what has a manifest is finished.
 * Thread-safe but for claiming, finishing and closing.
 */
final class DataDirectory implements AutoCloseable {

    static final String CONTROL_FILE = "global/pg_control";
    static final String MANIFEST = "backup_manifest";

    private final TargetDirectory main;
    private final List<TargetDirectory> tablespaces;

    private DataDirectory(TargetDirectory main, List<TargetDirectory> tablespaces) {
        this.main = main;
        this.tablespaces = tablespaces;
    }

    /** Takes all directories, or none. */
    static DataDirectory claim(Path directory, TablespacePlan plan, String what) {
        var claimed = new DataDirectory(TargetDirectory.claim(directory, what), new ArrayList<>());
        boolean complete = false;
        try {
            for (String name : List.of("global", "pg_tblspc")) {
                Files.createDirectory(directory.resolve(name), TargetDirectory.PRIVATE_DIRECTORY);
            }
            for (Map.Entry<String, Path> tablespace : plan.elsewhere().entrySet()) {
                claimed.tablespaces.add(TargetDirectory.claim(tablespace.getValue(), what));
                Files.createSymbolicLink(
                        directory.resolve("pg_tblspc").resolve(tablespace.getKey()), tablespace.getValue());
            }
            complete = true;
            return claimed;
        } catch (IOException failed) {
            throw TargetFailures.of(directory, failed);
        } finally {
            if (!complete) {
                claimed.close();
            }
        }
    }

    /** Takes all directories for a restore; see {@link TargetDirectory#takeOver}. */
    static DataDirectory takeOver(Path directory, TablespacePlan plan, String what, boolean used) {
        var taken = new DataDirectory(TargetDirectory.takeOver(directory, what, used), new ArrayList<>());
        boolean complete = false;
        try {
            CrashPoint.reach("restore.taken");
            removeControlFile(directory);
            for (String name : List.of("global", "pg_tblspc")) {
                Files.createDirectories(directory.resolve(name), TargetDirectory.PRIVATE_DIRECTORY);
            }
            for (Map.Entry<String, Path> tablespace : plan.elsewhere().entrySet()) {
                taken.tablespaces.add(TargetDirectory.takeOver(tablespace.getValue(), what, used));
                Path link = directory.resolve("pg_tblspc").resolve(tablespace.getKey());
                if (!Files.isSymbolicLink(link) || !Files.readSymbolicLink(link).equals(tablespace.getValue())) {
                    Files.deleteIfExists(link);
                    Files.createSymbolicLink(link, tablespace.getValue());
                }
            }
            complete = true;
            return taken;
        } catch (IOException failed) {
            throw TargetFailures.of(directory, failed);
        } finally {
            if (!complete) {
                taken.close();
            }
        }
    }

    /** First of all: once this is on disk, no server starts. One that has started just before gets it back. */
    private static void removeControlFile(Path directory) throws IOException {
        Path file = directory.resolve(CONTROL_FILE);
        if (!Files.exists(file)) {
            return;
        }
        Path aside = file.resolveSibling("pg_control.aside");
        Files.move(file, aside, StandardCopyOption.ATOMIC_MOVE);
        try {
            new UsedDirectory(directory).requireNoServer();
        } catch (NightshiftException started) {
            Files.move(aside, file, StandardCopyOption.ATOMIC_MOVE);
            throw started;
        }
        Files.delete(aside);
        Durable.syncParent(file);
        CrashPoint.reach("restore.without-control");
    }

    Path path() {
        return main.path();
    }

    List<Path> tablespaces() {
        return tablespaces.stream().map(TargetDirectory::path).toList();
    }

    /** Gives everything to the user of the server, where we are root and it cannot be. */
    void own(ServerUser user) {
        user.own(main.path());
        tablespaces.forEach(tablespace -> user.own(tablespace.path()));
    }

    /** After {@link #sync}, the last act: from here on a server can start on it. */
    void finish(ControlFile control, ServerUser user) {
        CrashPoint.reach("restore.before-control");
        Path file = main.path().resolve(CONTROL_FILE);
        Durable.write(
                file,
                permissions(control.mode()),
                out -> out.write(control.content().array()));
        user.own(file);
        CrashPoint.reach("restore.before-unmark");
        tablespaces.forEach(TargetDirectory::unmark);
        main.unmark();
        Durable.syncOne(main.path());
        Durable.syncParent(main.path());
        tablespaces.forEach(TargetDirectory::complete);
        main.complete();
    }

    /** A member's file, which must not exist yet; directories on the way are made. */
    FileChannel create(String path, int mode) {
        Path file = FileNames.resolve(main.path(), path);
        try {
            try {
                return open(file, mode);
            } catch (NoSuchFileException noDirectory) {
                Files.createDirectories(file.getParent(), TargetDirectory.PRIVATE_DIRECTORY);
                return open(file, mode);
            }
        } catch (FileAlreadyExistsException twice) {
            throw new NightshiftException(FailureKind.DATA_DAMAGED, "file " + path + " is twice in the backup");
        } catch (IOException failed) {
            throw TargetFailures.of(file, failed);
        }
    }

    /** A member's file that an older backup has written; DATA_DAMAGED if there is none. */
    FileChannel open(String path) {
        Path file = FileNames.resolve(main.path(), path);
        try {
            return FileChannel.open(file, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
        } catch (NoSuchFileException missing) {
            throw new NightshiftException(
                    FailureKind.DATA_DAMAGED,
                    "file " + path + " is not there to be changed: no older backup has left it, or another copy has"
                            + " spoiled it");
        } catch (IOException failed) {
            throw TargetFailures.of(file, failed);
        }
    }

    void write(String path, FileChannel file, byte[] bytes, int length) {
        Durable.write(file, main.path().resolve(path), bytes, length);
    }

    void makeDirectory(String path, int mode) {
        Path directory = FileNames.resolve(main.path(), path);
        try {
            Files.createDirectories(directory, TargetDirectory.PRIVATE_DIRECTORY);
            // Its owner must be able to fill it.
            Files.setPosixFilePermissions(directory, permissions(mode | 0700));
        } catch (IOException failed) {
            throw TargetFailures.of(directory, failed);
        }
    }

    /** Takes files back that must be written once more. */
    void remove(List<String> paths) {
        for (String path : paths) {
            try {
                Files.deleteIfExists(main.path().resolve(path));
            } catch (IOException failed) {
                throw TargetFailures.of(main.path().resolve(path), failed);
            }
        }
    }

    void sync(Cancellation cancellation) {
        Durable.sync(main.path(), cancellation);
        tablespaces.forEach(tablespace -> Durable.sync(tablespace.path(), cancellation));
    }

    /** After {@link #sync}: from here on a server can start on it, and then it counts as complete. */
    void finish(ControlFile control, Durable.Content manifest) {
        CrashPoint.reach("export.before-control");
        Durable.write(
                main.path().resolve(CONTROL_FILE),
                permissions(control.mode()),
                out -> out.write(control.content().array()));
        CrashPoint.reach("export.before-manifest");
        tablespaces.forEach(TargetDirectory::unmark);
        main.unmark();
        Durable.write(main.path().resolve(MANIFEST), permissions(0600), manifest);
        Durable.syncParent(main.path());
        tablespaces.forEach(TargetDirectory::complete);
        main.complete();
    }

    @Override
    public void close() {
        main.disarm();
        tablespaces.forEach(TargetDirectory::close);
        main.close();
    }

    private static FileChannel open(Path file, int mode) throws IOException {
        FileChannel channel = FileChannel.open(
                file,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(permissions(mode)));
        if ((mode & 077) != 0) {
            Files.setPosixFilePermissions(file, permissions(mode)); // without our umask
        }
        return channel;
    }

    private static Set<PosixFilePermission> permissions(int mode) {
        var text = new StringBuilder("rwxrwxrwx");
        for (int place = 0; place < text.length(); place++) {
            if ((mode & 0400 >> place) == 0) {
                text.setCharAt(place, '-');
            }
        }
        return PosixFilePermissions.fromString(text.toString());
    }
}
