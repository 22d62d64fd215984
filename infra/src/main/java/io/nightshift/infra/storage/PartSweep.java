package io.nightshift.infra.storage;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;

/** Deletes the parts that nobody has written to since a moment; enters only folders that could be ours. */
final class PartSweep extends SimpleFileVisitor<Path> {

    private final Path root;
    private final Instant oldest;
    private int swept;

    PartSweep(Path root, Instant oldest) {
        this.root = root;
        this.oldest = oldest;
    }

    int swept() {
        return swept;
    }

    @Override
    public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
        return directory.equals(root) || ObjectName.isPart(String.valueOf(directory.getFileName()))
                ? FileVisitResult.CONTINUE
                : FileVisitResult.SKIP_SUBTREE;
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
        if (PartWriter.isPart(file)
                && attributes.isRegularFile()
                && attributes.lastModifiedTime().toInstant().isBefore(oldest)
                && Files.deleteIfExists(file)) {
            swept++;
        }
        return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException failed) throws IOException {
        if (failed instanceof NoSuchFileException || !ObjectName.isPart(String.valueOf(file.getFileName()))) {
            return FileVisitResult.CONTINUE;
        }
        throw failed;
    }
}
