package io.nightshift.infra.server;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A data directory's {@code postmaster.pid}, as PostgreSQL's {@code src/include/utils/pidfile.h} lays it out. It stays
 * behind when the server is killed, and its process number may by then belong to another program.
 *
 * @param answersLater whether it accepts no connections before its recovery has ended
 * @param sharedMemory the number of its System V segment; -1 while it has none
 */
record PostmasterFile(long pid, int port, boolean answersLater, long sharedMemory) {

    private static final int PID_LINE = 0;
    private static final int PORT_LINE = 3;
    private static final int MEMORY_LINE = 6;
    private static final int STATUS_LINE = 7;

    /** A server that recovers and lets nobody in meanwhile says so; {@code pg_ctl} takes it for started. */
    private static final String RECOVERING = "standby";

    static Path of(Path dataDirectory) {
        return dataDirectory.resolve("postmaster.pid");
    }

    /** What the file says; empty when there is none, or when it is being written just now. */
    static Optional<PostmasterFile> read(Path dataDirectory) {
        try {
            List<String> lines = Files.readAllLines(of(dataDirectory), StandardCharsets.UTF_8);
            if (lines.size() <= PORT_LINE) {
                return Optional.empty();
            }
            return Optional.of(new PostmasterFile(
                    Math.abs(Long.parseLong(lines.get(PID_LINE).strip())),
                    Integer.parseInt(lines.get(PORT_LINE).strip()),
                    lines.size() > STATUS_LINE && lines.get(STATUS_LINE).strip().equals(RECOVERING),
                    lines.size() > MEMORY_LINE ? segment(lines.get(MEMORY_LINE).strip()) : -1));
        } catch (IOException | NumberFormatException e) {
            return Optional.empty();
        }
    }

    /** Of "key number". */
    private static long segment(String line) {
        String[] parts = line.split("\\s+", -1);
        return parts.length == 2 ? Long.parseLong(parts[1]) : -1;
    }
}
