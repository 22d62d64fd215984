package io.nightshift.jobs.backup;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.nightshift.infra.backup.ArchiveReader;
import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.replication.BackupManifest;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.PostgresServer;
import io.nightshift.infra.server.ServerUser;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.infra.storage.Storage;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * A stored backup as {@code zstd -dc | tar x} unpacks it, in a directory of its own, and on demand a server on it that
 * has no WAL but what the backup brought. Nothing of ours writes the files: names may be any bytes.
 */
final class ExtractedBackup implements AutoCloseable {

    private static final Pattern LAST_RECORD = Pattern.compile("redo done at ([0-9A-F]+/[0-9A-F]+)");

    private final Path directory = TestPostgres.temporaryDirectory("extracted-");
    private final Path data = directory.resolve("data");
    private final BackupDocument document;
    private final TestPostgres source;
    private final byte[] manifest;

    private ExtractedBackup(BackupDocument document, TestPostgres source, byte[] manifest) {
        this.document = document;
        this.source = source;
        this.manifest = manifest;
    }

    ExtractedBackup(Storage storage, BackupDocument document, TestPostgres source) throws IOException {
        this(document, source, manifest(storage, document));
        for (BackupDocument.Archive archive : document.archives()) {
            Path target = Files.createDirectory(directory.resolve(folder(archive)));
            try (InputStream tar = ArchiveReader.open(
                            storage, document.paths().object(document.label(), archive.object()))
                    .tar()) {
                run(tar, "tar", "--extract", "--no-same-owner", "--directory", target.toString());
            }
        }
        Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwx------"));
        Files.copy(source.dataDirectory().resolveSibling("data.password"), directory.resolve("data.password"));
    }

    /** The only backup of a cluster, from its first storage. */
    static ExtractedBackup of(TestCluster cluster) throws IOException {
        return new ExtractedBackup(
                cluster.clusterStorages().forReading(TestCluster.NAME).get(0),
                cluster.backups().get(0).document().orElseThrow(),
                cluster.postgres());
    }

    /** The same again, to start it in another way; only before this one was started. */
    ExtractedBackup copy() throws IOException {
        var copy = new ExtractedBackup(document, source, manifest);
        run(InputStream.nullInputStream(), "cp", "-a", directory + "/.", copy.directory.toString());
        return copy;
    }

    Path data() {
        return data;
    }

    /** What the server's manifest lists: path, a char for each of its bytes, and size and SHA-256. */
    Map<String, String> listed() throws IOException {
        Map<String, String> files = new TreeMap<>();
        BackupManifest.parse(new java.io.ByteArrayInputStream(manifest))
                .files()
                .forEach(file ->
                        files.put(new String(file.pathBytes(), ISO_8859_1), file.size() + " " + file.checksum()));
        return files;
    }

    /** The same of what lies here, by {@code sha256sum}; without the WAL segments, which no manifest lists. */
    Map<String, String> found() throws IOException {
        Map<String, String> files = new TreeMap<>();
        for (BackupDocument.Archive archive : document.archives()) {
            String prefix = archive.tablespace() == null ? "" : "pg_tblspc/" + archive.tablespace() + "/";
            Map<String, String> sizes = new HashMap<>();
            for (String line : list(archive, "find . -type f -printf '%s %P\\0'")) {
                sizes.put(line.substring(line.indexOf(' ') + 1), line.substring(0, line.indexOf(' ')));
            }
            for (String line : list(archive, "find . -type f -printf '%P\\0' | xargs -0 -r sha256sum --zero --")) {
                String path = line.substring(66);
                if (!path.matches("pg_wal/[0-9A-F]{24}")) {
                    files.put(prefix + path, sizes.get(path) + " " + line.substring(0, 64));
                }
            }
        }
        return files;
    }

    private List<String> list(BackupDocument.Archive archive, String command) throws IOException {
        byte[] output = run(
                InputStream.nullInputStream(),
                "bash",
                "-c",
                "cd \"$0\" && " + command,
                directory.resolve(folder(archive)).toString());
        return Pattern.compile("\0")
                .splitAsStream(new String(output, ISO_8859_1))
                .filter(line -> !line.isEmpty())
                .toList();
    }

    /** Starts it as it is: the server replays all WAL that came with the backup. */
    PostgresServer start() throws IOException {
        // What a standby sends holds its signal file.
        Files.deleteIfExists(data.resolve("standby.signal"));
        return start(Map.of());
    }

    /** Starts it so that it replays the records that begin before this location, no other, and is then a new primary. */
    PostgresServer startBefore(Lsn lsn) throws IOException {
        Files.createFile(data.resolve("recovery.signal"));
        return start(Map.of(
                "restore_command", "false",
                "recovery_target_lsn", lsn.toString(),
                "recovery_target_inclusive", "off",
                "recovery_target_action", "promote",
                "hot_standby", "off"));
    }

    /** Starts it as a standby that follows the source. */
    PostgresServer startAsStandby() throws IOException {
        Files.createFile(data.resolve("standby.signal"));
        return start(Map.of(
                "primary_conninfo",
                "host=127.0.0.1 port=" + source.port() + " user=" + source.username() + " password="
                        + source.password()));
    }

    private PostgresServer start(Map<String, String> settings) throws IOException {
        pointTablespacesHere();
        Map<String, String> all = new HashMap<>(Map.of(
                "fsync",
                "off",
                "archive_mode",
                "off",
                "primary_conninfo",
                "",
                "primary_slot_name",
                "",
                "autovacuum",
                "off",
                // Without it, recovery ends in a PANIC where there is an in-place tablespace.
                "allow_in_place_tablespaces",
                "on"));
        all.putAll(settings);
        PostgresServer server = server();
        server.start(all);
        return server;
    }

    PostgresServer server() {
        return PostgresServer.open(data, source.server().binaries());
    }

    /** Where the last record begins that the server has replayed, by its own words. */
    Lsn replayed() throws IOException {
        return LAST_RECORD
                .matcher(Files.readString(server().log()))
                .results()
                .map(MatchResult.class::cast)
                .reduce((first, last) -> last)
                .map(last -> Lsn.parse(last.group(1)))
                .orElseThrow(() -> new AssertionError("no end of redo in " + server().log()));
    }

    private void pointTablespacesHere() throws IOException {
        StringBuilder map = new StringBuilder();
        for (BackupDocument.Archive archive : document.archives()) {
            // An in-place tablespace lies in the data directory, and in no map.
            if (archive.tablespace() != null && archive.location().startsWith("/")) {
                Path here = directory.resolve(folder(archive));
                ServerUser.of(data).own(here);
                map.append(archive.tablespace()).append(' ').append(here).append('\n');
            } else if (archive.tablespace() != null) {
                Files.move(directory.resolve(folder(archive)), data.resolve(archive.location()));
            }
        }
        Files.writeString(data.resolve("tablespace_map"), map);
    }

    private static String folder(BackupDocument.Archive archive) {
        return archive.tablespace() == null ? "data" : "tablespace-" + archive.tablespace();
    }

    private static byte[] manifest(Storage storage, BackupDocument document) throws IOException {
        try (InputStream stream = storage.open(
                document.paths().object(document.label(), document.manifest().object()))) {
            return stream.readAllBytes();
        }
    }

    private static byte[] run(InputStream input, String... words) throws IOException {
        Process process = new ProcessBuilder(words)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try {
            try (OutputStream standardInput = process.getOutputStream()) {
                input.transferTo(standardInput);
            }
            byte[] output = process.getInputStream().readAllBytes();
            if (process.waitFor() != 0) {
                throw new IOException(String.join(" ", words) + " has failed");
            }
            return output;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        } finally {
            process.destroyForcibly();
        }
    }

    @Override
    public void close() throws IOException {
        if (Files.exists(data.resolve("PG_VERSION"))) {
            server().stop();
        }
        FileTree.delete(directory);
    }
}
