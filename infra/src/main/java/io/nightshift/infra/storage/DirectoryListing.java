package io.nightshift.infra.storage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * Walks a directory in the order of the object names, one folder in memory at a time for each level. Files that are no
 * objects, our parts among them, are not seen. Links to folders are followed: an operator may have moved a cluster to
 * another disk.
 */
final class DirectoryListing implements Iterator<StoredObject> {

    private final Path root;
    private final String prefix;
    private final DirectoryFailures failures;
    private final Deque<Iterator<String>> folders = new ArrayDeque<>();
    private @Nullable StoredObject next;

    private DirectoryListing(Path root, String prefix, DirectoryFailures failures) {
        this.root = root;
        this.prefix = prefix;
        this.failures = failures;
    }

    static Stream<StoredObject> of(Path root, String prefix, DirectoryFailures failures) throws IOException {
        var listing = new DirectoryListing(root, prefix, failures);
        listing.enter("");
        int ordered = Spliterator.ORDERED | Spliterator.NONNULL | Spliterator.DISTINCT;
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(listing, ordered), false);
    }

    @Override
    public boolean hasNext() {
        try {
            while (next == null && !folders.isEmpty()) {
                if (folders.getLast().hasNext()) {
                    visit(folders.getLast().next());
                } else {
                    folders.removeLast();
                }
            }
            return next != null;
        } catch (IOException failed) {
            throw failures.of("list " + prefix, "", failed);
        }
    }

    @Override
    public StoredObject next() {
        if (!hasNext() || next == null) {
            throw new NoSuchElementException();
        }
        StoredObject object = next;
        next = null;
        return object;
    }

    /**
     * Looks at one entry.
     *
     * @param entry relative to the root; a folder ends in a slash, which also puts it where its objects sort
     */
    private void visit(String entry) throws IOException {
        try {
            if (entry.endsWith("/")) {
                enter(entry);
                return;
            }
            BasicFileAttributes file = Files.readAttributes(root.resolve(entry), BasicFileAttributes.class);
            if (file.isRegularFile()) {
                next = new StoredObject(
                        entry, file.size(), file.lastModifiedTime().toInstant());
            }
        } catch (NoSuchFileException deletedMeanwhile) {
            // as if it had been deleted before
        }
    }

    private void enter(String folder) throws IOException {
        Path directory = root.resolve(folder);
        if (Files.isSymbolicLink(directory) && leadsBack(directory)) {
            return;
        }
        folders.addLast(entries(directory).stream()
                .map(entry -> folder + entry.getFileName() + (Files.isDirectory(entry) ? "/" : ""))
                .filter(this::mayMatch)
                .sorted()
                .iterator());
    }

    /** What a directory holds that could be an object or a folder of ours, in no order. */
    static List<Path> entries(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.filter(entry -> ObjectName.isPart(entry.getFileName().toString()))
                    .toList();
        } catch (UncheckedIOException failed) {
            throw Objects.requireNonNull(failed.getCause());
        }
    }

    private boolean mayMatch(String entry) {
        return entry.startsWith(prefix) || (entry.endsWith("/") && prefix.startsWith(entry));
    }

    private static boolean leadsBack(Path link) throws IOException {
        return DirectoryStorage.parent(link).toRealPath().startsWith(link.toRealPath());
    }
}
