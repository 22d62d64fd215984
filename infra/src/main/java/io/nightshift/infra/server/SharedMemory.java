package io.nightshift.infra.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * The System V segment with which a server makes sure that it is alone on its data directory. It outlives a killed one, until
 * the next start there; of a directory that is deleted nobody would remove it.
 */
final class SharedMemory {

    private static final Path SEGMENTS = Path.of("/proc/sysvipc/shm");
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final int NUMBER = 1;
    private static final int CREATOR = 4;
    private static final int ATTACHED = 6;

    private SharedMemory() {}

    /** Removes that of a server that is gone, if it is still there, is its own, and nobody is attached. On Linux only. */
    static void remove(PostmasterFile gone) {
        if (gone.sharedMemory() < 0 || !Files.isReadable(SEGMENTS)) {
            return;
        }
        try {
            boolean isLeft = Files.readAllLines(SEGMENTS).stream()
                    .skip(1)
                    .map(line -> line.strip().split("\\s+", -1))
                    .anyMatch(segment -> Long.parseLong(segment[NUMBER]) == gone.sharedMemory()
                            && Long.parseLong(segment[CREATOR]) == gone.pid()
                            && segment[ATTACHED].equals("0"));
            if (isLeft && OnPath.find("ipcrm").isPresent()) {
                Command.run(List.of("ipcrm", "-m", Long.toString(gone.sharedMemory())), LIMIT);
            }
        } catch (IOException | NumberFormatException unreadable) {
            // 56 bytes stay
        }
    }
}
