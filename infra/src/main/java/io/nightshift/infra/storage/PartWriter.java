package io.nightshift.infra.storage;

import io.nightshift.infra.run.CrashPoint;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Locale;
import java.util.Set;

/** Writes an object of a directory beside its final place, and links or renames it there when complete. */
final class PartWriter implements StoredObjectWriter {

    /** Whether another object may lie where this one belongs. */
    enum Place {
        NEW,
        TAKEN
    }

    private static final SecureRandom RANDOM = new SecureRandom();
    private static final String SUFFIX = ".part";

    private final Path root;
    private final String object;
    private final Path file;
    private final Path part;
    private final Place place;
    private final FileChannel channel;
    private final DirectoryFailures failures;
    private final WriteBack writeBack;
    private boolean ended;

    private PartWriter(
            Path root,
            String object,
            Path file,
            Path part,
            Place place,
            FileChannel channel,
            DirectoryFailures failures) {
        this.root = root;
        this.object = object;
        this.file = file;
        this.part = part;
        this.place = place;
        this.channel = channel;
        this.failures = failures;
        this.writeBack = new WriteBack(channel);
    }

    static PartWriter begin(Path root, String object, Path file, Place place, DirectoryFailures failures)
            throws IOException {
        Path part = file.resolveSibling(
                "." + file.getFileName() + "." + String.format(Locale.ROOT, "%016x", RANDOM.nextLong()) + SUFFIX);
        FileChannel channel = FileChannel.open(
                part,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        return new PartWriter(root, object, file, part, place, channel, failures);
    }

    static boolean isPart(Path file) {
        String name = String.valueOf(file.getFileName());
        return name.startsWith(".") && name.endsWith(SUFFIX);
    }

    @Override
    public String object() {
        return object;
    }

    @Override
    public void write(ByteBuffer bytes) {
        try {
            while (bytes.hasRemaining()) {
                writeBack.written(channel.write(bytes));
            }
        } catch (IOException failed) {
            throw failures.of("write", object, failed);
        }
    }

    @Override
    public void sync() {
        try {
            writeBack.await();
            channel.force(true);
        } catch (IOException failed) {
            throw failures.of("write", object, failed);
        }
    }

    @Override
    public void commit() {
        if (ended) {
            throw new IllegalStateException("object " + object + " was committed or closed before");
        }
        try {
            writeBack.await();
            channel.force(true);
            channel.close();
            CrashPoint.reach("storage.before-link");
            if (place == Place.NEW) {
                link();
                CrashPoint.reach("storage.after-link");
                Files.deleteIfExists(part);
            } else {
                Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
                CrashPoint.reach("storage.after-rename");
            }
            ended = true;
            syncFolders();
        } catch (IOException failed) {
            throw failures.of("complete", object, failed);
        }
    }

    @Override
    public void close() {
        if (ended) {
            return;
        }
        ended = true;
        try (channel) {
            Files.deleteIfExists(part);
        } catch (IOException abandoned) {
            // Invisible, and swept a day later; what made it fail has been reported to whoever wrote.
        }
    }

    private void link() throws IOException {
        try {
            Files.createLink(file, part);
        } catch (FileAlreadyExistsException taken) {
            // A repeated NFS request reports the link that it made itself.
            if (!Files.isSameFile(file, part)) {
                throw taken;
            }
        } catch (UnsupportedOperationException unsupported) {
            throw failures.noHardLinks(object, unsupported);
        } catch (FileSystemException refused) {
            String reason = String.valueOf(refused.getReason());
            if (reason.equals("Operation not permitted") || reason.equals("Operation not supported")) {
                throw failures.noHardLinks(object, refused);
            }
            throw refused;
        }
    }

    /** All folders up to the storage: some may be new, made by this writer or by another that has not come so far. */
    private void syncFolders() throws IOException {
        Path folder = DirectoryStorage.parent(file);
        while (!folder.equals(root)) {
            DirectoryStorage.sync(folder);
            folder = DirectoryStorage.parent(folder);
        }
        DirectoryStorage.sync(root);
    }
}
