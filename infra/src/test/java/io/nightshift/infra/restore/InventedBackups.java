package io.nightshift.infra.restore;

import io.nightshift.infra.backup.Backups;
import io.nightshift.infra.backup.TestTar;
import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.storage.Storage;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Backups of invented clusters in two storages, and the places that they are brought back to.
 *
 * @param near the storage that tests use if they name none
 * @param directory for the data directory, absent yet
 * @param fast for the tablespace 16575, absent yet
 */
record InventedBackups(Path temporary, WatchedStorage near, WatchedStorage far, Path directory, Path fast) {

    static final String LABEL = "20261122T010000Z-full-r8f3";

    private static final String OBJECTS = "chanuka/18-7711071849857489922/backups/" + LABEL + "/";

    static InventedBackups in(Path temporary) throws IOException {
        return new InventedBackups(
                temporary,
                new WatchedStorage("near", Files.createDirectory(temporary.resolve("near"))),
                new WatchedStorage("far", Files.createDirectory(temporary.resolve("far"))),
                temporary.resolve("to/data"),
                temporary.resolve("to/fast"));
    }

    void store(String label, Map<String, TestTar> cluster, Storage... storages) {
        List<Storage> all = storages.length == 0 ? List.of(near) : List.of(storages);
        Backups.store(all, label, cluster, Backups.manifest(cluster, ManifestChecksum.CRC32C));
    }

    static BackupCopies copies(Storage... storages) {
        return BackupCopies.of(Backups.find(List.of(storages), LABEL), List.of(storages));
    }

    /** The name of an object of {@link #LABEL} in its storage. */
    static String object(String name) {
        return OBJECTS + name;
    }

    /** The file that is an object of {@link #LABEL}. */
    Path stored(String storage, String name) {
        return temporary.resolve(storage).resolve(object(name));
    }

    void flip(String storage, String name, long at) throws IOException {
        flip(stored(storage, name), at);
    }

    static void flip(Path file, long at) throws IOException {
        try (var open = new RandomAccessFile(file.toFile(), "rw")) {
            open.seek(at);
            int before = open.read();
            open.seek(at);
            open.write(before ^ 1);
        }
    }

    /** What another process needs to bring {@link #LABEL} back from the near storage. */
    List<String> coordinates() {
        return List.of(temporary.resolve("near").toString(), LABEL, directory.toString(), fast.toString());
    }

    /** What is in a cluster, by path from its data directory on. */
    static Map<String, byte[]> contents(Map<String, TestTar> cluster) {
        Map<String, byte[]> contents = new TreeMap<>();
        cluster.forEach((name, tar) -> tar.files()
                .forEach((path, content) ->
                        contents.put((name.equals("base.tar") ? "" : "pg_tblspc/16575/") + path, content)));
        return contents;
    }

    /** Every file below, through links. */
    static Map<String, byte[]> files(Path root) throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        try (Stream<Path> all = Files.walk(root, FileVisitOption.FOLLOW_LINKS)) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                files.put(root.relativize(file).toString(), Files.readAllBytes(file));
            }
        }
        return files;
    }
}
