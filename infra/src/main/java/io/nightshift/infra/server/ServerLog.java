package io.nightshift.infra.server;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/** The file that a server's messages go to, beside its data directory. */
record ServerLog(Path file) {

    private static final long ROTATE_BYTES = 16L << 20;
    private static final int TAIL_BYTES = 16 * 1024;
    private static final int TAIL_LINES = 15;

    /**
     * Makes the file ready for a server that is about to start, and owned by its user. A large one moves aside, replacing
     * the one before: an unattended server must not fill the disk with its own messages.
     *
     * @return its length, where the messages of this start will begin
     */
    long prepare(ServerUser user) throws IOException {
        if (Files.exists(file) && Files.size(file) > ROTATE_BYTES) {
            Files.move(file, file.resolveSibling(file.getFileName() + ".old"), StandardCopyOption.REPLACE_EXISTING);
        }
        if (!Files.exists(file)) {
            Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        }
        user.own(file);
        return Files.size(file);
    }

    /** The last messages written after this position. */
    String tail(long position) {
        try (RandomAccessFile log = new RandomAccessFile(file.toFile(), "r")) {
            long start = Math.max(position, log.length() - TAIL_BYTES);
            log.seek(start);
            byte[] bytes = new byte[(int) Math.max(0, log.length() - start)];
            log.readFully(bytes);
            List<String> lines =
                    new String(bytes, StandardCharsets.UTF_8).lines().toList();
            return String.join("\n", lines.subList(Math.max(0, lines.size() - TAIL_LINES), lines.size()));
        } catch (IOException e) {
            return "(could not read " + file + ": " + e.getMessage() + ")";
        }
    }
}
