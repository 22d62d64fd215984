package io.nightshift.infra.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The System V segment with which a server makes sure that it is alone on its data directory. It outlives a killed one, until
 * the next start there; of a directory that is deleted nobody would remove it.
 */
final class SharedMemory {

    private static final Path SEGMENTS = Path.of("/proc/sysvipc/shm");
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final Duration DETACH_LIMIT = Duration.ofSeconds(5);
    private static final int NUMBER = 1;
    private static final int CREATOR = 4;
    private static final int ATTACHED = 6;

    private SharedMemory() {}

    /** Removes that of a server that is gone, if it is still there, is its own, and nobody is attached. On Linux only. */
    static void remove(PostmasterFile gone) {
        if (gone.sharedMemory() < 0 || !Files.isReadable(SEGMENTS)) {
            return;
        }
        // A killed process has no name any more a moment before it lets go of its memory.
        boolean isFree = Condition.within(
                DETACH_LIMIT,
                () -> find(gone).filter(segment -> !isFree(segment)).isEmpty());
        if (isFree && find(gone).isPresent() && OnPath.find("ipcrm").isPresent()) {
            Command.run(List.of("ipcrm", "-m", Long.toString(gone.sharedMemory())), LIMIT);
        }
    }

    private static boolean isFree(String[] segment) {
        return segment[ATTACHED].equals("0");
    }

    /** Its line in the kernel's list; empty if there is none, or it is another server's by now. */
    private static Optional<String[]> find(PostmasterFile gone) {
        try {
            return Files.readAllLines(SEGMENTS).stream()
                    .skip(1)
                    .map(line -> line.strip().split("\\s+", -1))
                    .filter(segment -> Long.parseLong(segment[NUMBER]) == gone.sharedMemory()
                            && Long.parseLong(segment[CREATOR]) == gone.pid())
                    .findFirst();
        } catch (IOException | NumberFormatException unreadable) {
            return Optional.empty(); // 56 bytes stay
        }
    }
}
