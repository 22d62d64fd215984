package io.nightshift.jobs.backup;

import io.nightshift.infra.backup.ArchiveReader;
import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.MemberType;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.PostgresServer;
import io.nightshift.infra.server.ServerUser;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.infra.storage.Storage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;

/** A backup unpacked into a directory, as plainly as {@code zstd -dc | tar x} would, and a server on it. */
final class ExtractedBackup implements AutoCloseable {

    private final Path directory = TestPostgres.temporaryDirectory("extracted-");
    private final PostgresServer server;

    ExtractedBackup(Storage storage, BackupDocument document, TestPostgres source) throws IOException {
        Path data = Files.createDirectory(directory.resolve("data"));
        for (BackupDocument.Archive archive : document.archives()) {
            Path target = archive.tablespace() == null
                    ? data
                    : Files.createDirectory(directory.resolve("tablespace-" + archive.tablespace()));
            extract(storage, document.paths().object(document.label(), archive.object()), target);
            if (archive.tablespace() != null) {
                ServerUser.of(directory.resolve("data")).own(target);
            }
        }
        pointTablespacesHere(data, document);
        Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwx------"));
        Files.copy(source.dataDirectory().resolveSibling("data.password"), directory.resolve("data.password"));
        server = PostgresServer.open(data, source.server().binaries());
        server.start(Map.of("fsync", "off"));
    }

    private static void extract(Storage storage, String object, Path target) {
        ArchiveReader.open(storage, object).visit((header, content) -> {
            Path path = target.resolve(header.path());
            if (header.type() == MemberType.DIRECTORY) {
                Files.createDirectories(path);
                Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwx------"));
            } else if (header.type() == MemberType.FILE) {
                Files.createDirectories(path.getParent());
                Files.copy(content, path);
            }
        });
    }

    private void pointTablespacesHere(Path data, BackupDocument document) throws IOException {
        Path map = data.resolve("tablespace_map");
        for (BackupDocument.Archive archive : document.archives()) {
            if (archive.tablespace() != null) {
                String line = archive.tablespace() + " ";
                Files.writeString(
                        map,
                        Files.readString(map)
                                .replace(
                                        line + archive.location(),
                                        line + directory.resolve("tablespace-" + archive.tablespace())));
            }
        }
    }

    PostgresServer server() {
        return server;
    }

    @Override
    public void close() throws IOException {
        server.stop();
        FileTree.delete(directory);
    }
}
