package io.nightshift.infra.restore;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A hold on a copy, among all processes of the machine and the threads of this one: of the one that makes it or throws it
 * away, or of all that use it. The kernel drops it when the process dies. Locks of POSIX are per process and end when any
 * channel to the file closes, therefore this process has one channel to a file at most, and nobody reads it.
 */
final class CopyHold implements AutoCloseable {

    private static final Map<Path, Held> HELD = new HashMap<>();

    /** What this process holds. */
    private static final class Held {

        private final FileChannel channel;
        private final boolean shared;
        private int holders = 1;

        Held(FileChannel channel, boolean shared) {
            this.channel = channel;
            this.shared = shared;
        }
    }

    private final Path file;
    private boolean closed;

    private CopyHold(Path file) {
        this.file = file;
    }

    /** Of the only one; empty while anybody else has one. The file is made if need be. */
    static Optional<CopyHold> alone(Path file) throws IOException {
        return hold(file.toAbsolutePath().normalize(), false);
    }

    /** Of one that uses a copy; empty while it is made, is thrown away, or where there is none. */
    static Optional<CopyHold> shared(Path file) throws IOException {
        return hold(file.toAbsolutePath().normalize(), true);
    }

    private static Optional<CopyHold> hold(Path file, boolean shared) throws IOException {
        synchronized (HELD) {
            Held held = HELD.get(file);
            if (held != null) {
                if (!(shared && held.shared)) {
                    return Optional.empty();
                }
                held.holders++;
                return Optional.of(new CopyHold(file));
            }
            if (!shared && !Files.exists(file)) {
                make(file);
            }
            Optional<FileChannel> channel = locked(file, shared);
            channel.ifPresent(open -> HELD.put(file, new Held(open, shared)));
            return channel.map(open -> new CopyHold(file));
        }
    }

    private static void make(Path file) throws IOException {
        try {
            Files.createFile(file);
        } catch (FileAlreadyExistsException | NoSuchFileException somebodyElseIsQuicker) {
            // told by what follows
        }
    }

    /** Whoever locked a file that its owner had just removed holds nothing: it must be the one that is there. */
    private static Optional<FileChannel> locked(Path file, boolean shared) throws IOException {
        Optional<Object> before = identity(file);
        FileChannel channel;
        try {
            channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
        } catch (NoSuchFileException removed) {
            return Optional.empty();
        }
        boolean held = false;
        try {
            held = channel.tryLock(0, Long.MAX_VALUE, shared) != null
                    && before.isPresent()
                    && identity(file).equals(before);
            return held ? Optional.of(channel) : Optional.empty();
        } finally {
            if (!held) {
                channel.close();
            }
        }
    }

    /** Without opening it. A file that is open keeps its number to itself. */
    private static Optional<Object> identity(Path file) throws IOException {
        try {
            return Optional.ofNullable(
                    Files.readAttributes(file, BasicFileAttributes.class).fileKey());
        } catch (NoSuchFileException removed) {
            return Optional.empty();
        }
    }

    @Override
    public void close() throws IOException {
        synchronized (HELD) {
            Held held = HELD.get(file);
            if (closed || held == null) {
                return;
            }
            closed = true;
            held.holders--;
            if (held.holders == 0) {
                HELD.remove(file);
                held.channel.close();
            }
        }
    }
}
