package io.nightshift.infra.storage;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Objects as files below a directory. An object is written beside its final place as {@code .<name>.<random>.part},
 * fsynced, and then hard-linked to its name: link(2) fails if the name exists, so of two writers exactly one wins, and
 * the name never shows half an object. One that replaces another is renamed instead. Directories are 0700, files 0600.
 *
 * <p>The root directory is never made in passing: a storage whose disk is not mounted must not fill the disk below.
 */
public final class DirectoryStorage implements Storage {

    /** A part that nobody has written to for so long belongs to a dead process. */
    static final Duration ABANDONED = Duration.ofHours(24);

    private static final FileAttribute<Set<PosixFilePermission>> DIRECTORY_MODE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    /** How often a folder may vanish under a writer, by a delete of its last object, before that is an error. */
    private static final int FOLDER_RACES = 20;

    private final String name;
    private final Path root;
    private final DirectoryFailures failures;
    private final AtomicReference<@Nullable Object> found = new AtomicReference<>();

    public DirectoryStorage(String name, Path root) {
        this.name = name;
        this.root = root.toAbsolutePath().normalize();
        this.failures = new DirectoryFailures(name, this.root);
    }

    @Override
    public OptionalLong freeBytes() {
        return failures.freeBytes();
    }

    /** The device of the file system that the directory lies on. */
    @Override
    public String volume() {
        try {
            return "device " + Files.getAttribute(root, "unix:dev");
        } catch (IOException | UnsupportedOperationException unknown) {
            return name;
        }
    }

    /** Makes the root directory, when a storage is set up. */
    public void prepare() {
        try {
            makeDirectories(root);
            sync(parent(root));
        } catch (IOException failed) {
            throw failures.of("prepare the directory", "", failed);
        }
    }

    Path root() {
        return root;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public StoredObjectWriter create(String object) {
        Path file = file(object);
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            throw StorageFailures.exists(name, object);
        }
        return begin("create", object, file, PartWriter.Place.NEW);
    }

    @Override
    public StoredObjectWriter replace(String object) {
        return begin("replace", object, file(object), PartWriter.Place.TAKEN);
    }

    private StoredObjectWriter begin(String doing, String object, Path file, PartWriter.Place place) {
        try {
            requireRoot();
            for (int attempt = 1; ; attempt++) {
                try {
                    makeDirectories(parent(file));
                    return PartWriter.begin(root, object, file, place, failures);
                } catch (NoSuchFileException folderVanished) {
                    if (attempt == FOLDER_RACES) {
                        throw folderVanished;
                    }
                }
            }
        } catch (IOException failed) {
            throw failures.of(doing, object, failed);
        }
    }

    @Override
    public InputStream open(String object) {
        return openRange(object, 0, Long.MAX_VALUE);
    }

    @Override
    public InputStream openRange(String object, long offset, long length) {
        if (offset < 0 || length < 0) {
            throw new IllegalArgumentException("range of " + length + " bytes from " + offset);
        }
        try {
            Path file = file(object);
            FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
            if (Files.isDirectory(file)) {
                channel.close();
                throw new NoSuchFileException(object);
            }
            return new FileRange(object, channel, offset, length, failures);
        } catch (IOException failed) {
            throw failures.of("open", object, failed);
        }
    }

    @Override
    public Stream<StoredObject> list(String prefix) {
        try {
            requireRoot();
            return DirectoryListing.of(root, prefix, failures);
        } catch (IOException failed) {
            throw failures.of("list " + prefix, "", failed);
        }
    }

    @Override
    public Stream<String> folders(String folder) {
        Path directory = folder.isEmpty() ? root : file(folder);
        try {
            requireRoot();
            return DirectoryListing.entries(directory).stream()
                    .filter(Files::isDirectory)
                    .map(entry -> entry.getFileName().toString())
                    .sorted();
        } catch (IOException failed) {
            if (Files.isDirectory(root) && DirectoryFailures.saysNotThere(failed)) {
                return Stream.empty();
            }
            throw failures.of(folder.isEmpty() ? "list the folders" : "list the folders of " + folder, "", failed);
        }
    }

    @Override
    public Optional<StoredObject> stat(String object) {
        try {
            requireRoot();
            BasicFileAttributes attributes = Files.readAttributes(file(object), BasicFileAttributes.class);
            return attributes.isRegularFile()
                    ? Optional.of(new StoredObject(
                            object,
                            attributes.size(),
                            attributes.lastModifiedTime().toInstant()))
                    : Optional.empty();
        } catch (IOException failed) {
            if (Files.isDirectory(root) && DirectoryFailures.saysNotThere(failed)) {
                return Optional.empty();
            }
            throw failures.of("look at", object, failed);
        }
    }

    @Override
    public void delete(String object) {
        Path file = file(object);
        try {
            requireRoot();
            if (Files.deleteIfExists(file)) {
                // Expiry relies on the order of deletes surviving a power cut.
                removeEmptyFolders(parent(file));
            }
        } catch (IOException failed) {
            throw failures.of("delete", object, failed);
        }
    }

    /**
     * Removes what dead writers left behind: parts untouched for 24 hours.
     *
     * @return how many there were
     */
    public int sweepParts(Clock clock) {
        var sweep = new PartSweep(root, clock.instant().minus(ABANDONED));
        try {
            requireRoot();
            Files.walkFileTree(root, sweep);
            return sweep.swept();
        } catch (IOException failed) {
            throw failures.of("sweep", "", failed);
        }
    }

    @Override
    public String toString() {
        return name + " (" + root + ")";
    }

    /**
     * An absent root is a disk that is not mounted; an empty answer would pass for "no backups". So is another root than at
     * first: what is written there vanishes when the disk is back.
     */
    private void requireRoot() throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(root, BasicFileAttributes.class);
        if (!attributes.isDirectory()) {
            throw new NoSuchFileException(root.toString());
        }
        Object first = found.compareAndExchange(null, attributes.fileKey());
        if (first != null && !first.equals(attributes.fileKey())) {
            throw new FileSystemException(
                    root.toString(), null, "another directory is there than before; is its disk still mounted?");
        }
    }

    private Path file(String object) {
        return root.resolve(ObjectName.check(object));
    }

    static Path parent(Path file) {
        Path parent = file.getParent();
        if (parent == null) {
            throw new IllegalArgumentException(file + " has no parent directory");
        }
        return parent;
    }

    /** Makes missing directories. Whoever commits an object below syncs them, also those that another writer made. */
    private static void makeDirectories(Path directory) throws IOException {
        if (Files.isDirectory(directory)) {
            return;
        }
        makeDirectories(parent(directory));
        try {
            Files.createDirectory(directory, DIRECTORY_MODE);
        } catch (FileAlreadyExistsException racedOrFile) {
            // One look: absent again, by a delete of its last object, is for the caller to try anew.
            if (!Files.readAttributes(directory, BasicFileAttributes.class).isDirectory()) {
                throw racedOrFile;
            }
        }
    }

    /** Removes the folder and those above while they are empty; then makes the removal survive a power cut. */
    private void removeEmptyFolders(Path folder) throws IOException {
        Path kept = folder;
        while (!kept.equals(root) && removed(kept)) {
            kept = parent(kept);
        }
        sync(kept);
    }

    private static boolean removed(Path folder) throws IOException {
        try {
            Files.delete(folder);
            return true;
        } catch (NoSuchFileException raced) {
            return true;
        } catch (DirectoryNotEmptyException inUse) {
            return false;
        }
    }

    /** fsync of a directory: its entries survive a power cut. One that a concurrent delete removed needs none. */
    static void sync(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (NoSuchFileException removed) {
            sync(parent(directory));
        }
    }
}
