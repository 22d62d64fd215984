package io.nightshift.scheduler;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.RestoredCopies;
import io.nightshift.infra.restore.ThroughputFile;
import io.nightshift.infra.server.ServerBinaries;
import io.nightshift.infra.server.ServerHome;
import io.nightshift.infra.storage.KnownStorages;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/** The folder where an installation keeps what is its own: never relative to the current directory. */
public record Home(Path path) {

    public Home {
        path = path.toAbsolutePath().normalize();
    }

    public Path logs() {
        return path.resolve("logs");
    }

    /** Where server binaries, data and sockets lie. */
    public Path servers() {
        return ServerHome.of(path);
    }

    public Path binaries() {
        return servers().resolve("binaries");
    }

    public RestoredCopies restoredCopies() {
        return new RestoredCopies(servers().resolve("copies"), ServerBinaries.ofThisMachine(binaries()));
    }

    public Path controlDatabase() {
        return servers().resolve("control");
    }

    public Path demoCluster() {
        return servers().resolve("demo");
    }

    public Path storage() {
        return path.resolve("storage");
    }

    /** What runs keep only while they work. */
    public Path work() {
        return path.resolve("work");
    }

    /** Which storages this installation has taken. */
    public KnownStorages knownStorages() {
        return new KnownStorages(path.resolve("storages"));
    }

    /** How fast this machine restores. */
    public ThroughputFile throughput() {
        return new ThroughputFile(path.resolve("throughput"));
    }

    /** Where {@code serve} answers over HTTP, for whoever looks for it. */
    public Path httpAddress() {
        return path.resolve("http");
    }

    /** Where {@code serve} takes the WAL that servers push; the launcher knows this name too. */
    public Path walPushSocket() {
        return path.resolve("wal-push.socket");
    }

    /** A home that may not be looked into must not pass for one where nothing has happened yet. */
    public void checkUsable() {
        boolean closed =
                Files.exists(path) && !(Files.isDirectory(path) && Files.isReadable(path) && Files.isExecutable(path));
        if (closed) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "home " + path + " is not a folder that user " + System.getProperty("user.name", "unknown")
                            + " may read",
                    "run as the user it belongs to, or choose another with --home or NIGHTSHIFT_HOME");
        }
    }

    /** Makes the folder when it is not there yet. */
    public Home create() {
        try {
            Files.createDirectories(logs());
            return this;
        } catch (IOException e) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "home folder " + path + " not writable: " + e.getMessage(),
                    "choose another with --home or NIGHTSHIFT_HOME",
                    e);
        }
    }

    /** Which installation this is, for the storages it owns; made at the first question. */
    public String installation() {
        Path file = path.resolve("installation");
        try {
            try {
                Files.writeString(
                        file,
                        UUID.randomUUID() + "\n",
                        StandardOpenOption.CREATE_NEW,
                        StandardOpenOption.SYNC,
                        StandardOpenOption.WRITE);
            } catch (FileAlreadyExistsException known) {
                // made by an earlier run
            }
            return Files.readString(file).strip();
        } catch (IOException e) {
            throw new NightshiftException(
                    FailureKind.RESOURCES_EXHAUSTED, "file " + file + " not usable: " + e.getMessage(), null, e);
        }
    }
}
