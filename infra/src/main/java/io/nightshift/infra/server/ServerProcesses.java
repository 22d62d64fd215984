package io.nightshift.infra.server;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The processes of the server on a data directory. Every process of PostgreSQL has its data directory as its current
 * directory, so on Linux the kernel itself says whose it is; elsewhere the postmaster's children are taken.
 */
final class ServerProcesses {

    private static final Path PROC = Path.of("/proc");

    private ServerProcesses() {}

    /** Whether this process exists, is no zombie, and works in this data directory. */
    static boolean isOf(Path dataDirectory, long pid) {
        if (!Files.isDirectory(PROC.resolve("self"))) {
            return ProcessHandle.of(pid)
                    .filter(ProcessHandle::isAlive)
                    .flatMap(process -> process.info().command())
                    .filter(command -> command.endsWith("postgres"))
                    .isPresent();
        }
        try {
            Path process = PROC.resolve(Long.toString(pid));
            return isServer(process) && Files.isSameFile(process.resolve("cwd"), dataDirectory);
        } catch (IOException e) {
            // It ended, is a zombie, or belongs to a user whose processes we may not look at: not our server.
            return false;
        }
    }

    /** Most processes stand in the root directory: they are passed over at the price of one look. */
    private static boolean isServer(Path process) throws IOException {
        return Files.readSymbolicLink(process.resolve("cwd")).getNameCount() > 0
                // Somebody's shell may stand in a data directory too.
                && Files.readSymbolicLink(process.resolve("exe"))
                        .getFileName()
                        .toString()
                        .startsWith("postgres");
    }

    /** The postmaster, its children, and children that outlived a killed postmaster. */
    static List<Long> of(Path dataDirectory) {
        if (!Files.isDirectory(PROC.resolve("self"))) {
            return PostmasterFile.read(dataDirectory).stream()
                    .flatMap(file -> ProcessHandle.of(file.pid()).stream())
                    .filter(process -> isOf(dataDirectory, process.pid()))
                    .flatMap(process -> Stream.concat(Stream.of(process), process.descendants()))
                    .map(ProcessHandle::pid)
                    .toList();
        }
        List<Long> found = new ArrayList<>();
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
            for (Path process : processes) {
                long pid = Long.parseLong(process.getFileName().toString());
                if (isOf(dataDirectory, pid)) {
                    found.add(pid);
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            throw new IllegalStateException("could not list the processes in /proc", e);
        }
        return found;
    }

    /** The data directories of all servers of this machine, as far as we may look at their processes; on Linux only. */
    static Set<Path> dataDirectories() {
        Set<Path> found = new TreeSet<>();
        if (Files.isDirectory(PROC.resolve("self"))) {
            try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
                for (Path process : processes) {
                    dataDirectory(process).ifPresent(found::add);
                }
            } catch (IOException | DirectoryIteratorException e) {
                throw new IllegalStateException("could not list the processes in /proc", e);
            }
        }
        return found;
    }

    private static Optional<Path> dataDirectory(Path process) {
        try {
            if (!isServer(process)) {
                return Optional.empty();
            }
            Path directory = Files.readSymbolicLink(process.resolve("cwd"));
            return DataDirectory.isCluster(directory) ? Optional.of(directory) : Optional.empty();
        } catch (IOException e) {
            // It ended, or belongs to a user whose processes we may not look at.
            return Optional.empty();
        }
    }

    /**
     * Kills them as {@code kill -9} does. PostgreSQL recovers from that, as from a loss of power.
     *
     * @return whether all are gone within the limit
     */
    static boolean kill(Path dataDirectory, Duration limit) {
        return Condition.within(limit, () -> {
            List<Long> left = of(dataDirectory);
            left.forEach(pid -> ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly));
            return left.isEmpty();
        });
    }
}
