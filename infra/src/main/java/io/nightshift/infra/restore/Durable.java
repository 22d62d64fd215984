package io.nightshift.infra.restore;

import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Workers;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Iterator;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Writes, and puts on disk what was written. */
final class Durable {

    /** Many at once: the file system then commits them together. */
    private static final int AT_ONCE = 8;

    /** Writes the content of a file. */
    @FunctionalInterface
    interface Content {
        void writeTo(OutputStream out) throws IOException;
    }

    private Durable() {}

    /**
     * Every file and directory below; symbolic links are not followed. The mark of the unfinished is passed over: closing it
     * would end the lock on it.
     */
    static void sync(Path root, Cancellation cancellation) {
        try (Stream<Path> all = Files.walk(root)) {
            Iterator<Path> paths = all.iterator();
            Workers.run(AT_ONCE, "export-sync", cancellation, stop -> {
                for (Optional<Path> next = next(paths); next.isPresent(); next = next(paths)) {
                    stop.check();
                    if (!Files.isSymbolicLink(next.get()) && !next.get().endsWith(TargetDirectory.UNFINISHED)) {
                        syncOne(next.get());
                    }
                }
            });
        } catch (IOException failed) {
            throw TargetFailures.of(root, failed);
        } catch (UncheckedIOException failed) {
            throw TargetFailures.of(root, new IOException(failed.getCause()));
        }
    }

    /** A file or a directory. */
    static void syncOne(Path path) {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException failed) {
            throw TargetFailures.of(path, failed);
        }
    }

    /** Where a file or directory is entered. */
    static void syncParent(Path path) {
        Path parent = path.toAbsolutePath().getParent();
        if (parent != null) {
            syncOne(parent);
        }
    }

    static void write(FileChannel channel, Path file, byte[] bytes, int length) {
        try {
            for (ByteBuffer left = ByteBuffer.wrap(bytes, 0, length); left.hasRemaining(); ) {
                channel.write(left);
            }
        } catch (IOException failed) {
            throw TargetFailures.of(file, failed);
        }
    }

    /** A file that appears whole, or not at all. */
    static void write(Path file, Set<PosixFilePermission> mode, Content content) {
        write(file, mode, true, content);
        syncParent(file);
    }

    /** The same for what {@link #sync} will put on disk together with all else. */
    static void writeUnsynced(Path file, Set<PosixFilePermission> mode, Content content) {
        write(file, mode, false, content);
    }

    private static void write(Path file, Set<PosixFilePermission> mode, boolean synced, Content content) {
        Path part = file.resolveSibling(file.getFileName() + ".part");
        try {
            try (FileChannel channel = FileChannel.open(
                            part,
                            Set.of(
                                    StandardOpenOption.CREATE,
                                    StandardOpenOption.TRUNCATE_EXISTING,
                                    StandardOpenOption.WRITE),
                            PosixFilePermissions.asFileAttribute(mode));
                    OutputStream out = Channels.newOutputStream(channel)) {
                content.writeTo(out);
                if (synced) {
                    channel.force(true);
                }
            }
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException failed) {
            throw TargetFailures.of(file, failed);
        }
    }

    private static Optional<Path> next(Iterator<Path> paths) {
        synchronized (paths) {
            return paths.hasNext() ? Optional.of(paths.next()) : Optional.empty();
        }
    }
}
