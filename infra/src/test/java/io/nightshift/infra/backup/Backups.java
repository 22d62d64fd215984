package io.nightshift.infra.backup;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.replication.TestManifest;
import io.nightshift.infra.run.RunId;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageSet;
import io.nightshift.infra.storage.StoredObjectWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** Writes whole backups of invented clusters, as a job would. */
public final class Backups {

    static final Instant NOW = Instant.parse("2026-11-22T01:00:00Z");
    public static final BackupPaths PATHS =
            new BackupPaths("chanuka", 18, SystemIdentifier.parse("7711071849857489922"));
    static final WritingMarker MARKER = new WritingMarker("night-1", new RunId(42), 7, NOW);

    /** The segment that holds 0/2000028 where segments have a mebibyte. */
    static final String WAL = "pg_wal/000000010000000000000020";

    private Backups() {}

    /** As version 18 writes it, for WAL segments of a mebibyte. */
    static byte[] control(Random random) {
        byte[] control = TestTar.content(random, 8192);
        ByteBuffer fields = ByteBuffer.wrap(control).order(ByteOrder.LITTLE_ENDIAN);
        fields.putLong(0, PATHS.systemIdentifier().id()).putInt(8, 1800).putInt(228, 1 << 20);
        var crc = new CRC32C();
        crc.update(control, 0, 292);
        fields.putInt(292, (int) crc.getValue());
        return control;
    }

    /** A whole segment with a header on each of its pages; what is on them is noise. */
    static byte[] wal(Random random) {
        byte[] wal = TestTar.content(random, 1 << 20);
        ByteBuffer fields = ByteBuffer.wrap(wal).order(ByteOrder.LITTLE_ENDIAN);
        for (int page = 0; page < wal.length; page += 8192) {
            fields.putShort(page, (short) 0xD118).putShort(page + 2, (short) (page == 0 ? 2 : 0));
            fields.putInt(page + 4, 1).putLong(page + 8, 0x2000000L + page);
        }
        fields.putLong(24, PATHS.systemIdentifier().id()).putInt(32, wal.length).putInt(36, 8192);
        return wal;
    }

    static BackupLabel label(String text) {
        return BackupLabel.parse(text);
    }

    /** A cluster with a tablespace, WAL inside, and files of all sizes. */
    public static Map<String, TestTar> cluster(Random random) {
        Map<String, TestTar> archives = new LinkedHashMap<>();
        archives.put(
                "16575.tar",
                new TestTar()
                        .directory("PG_18_202506291")
                        .file("PG_18_202506291/5/24576", TestTar.content(random, 300_000))
                        .file("PG_18_202506291/5/24577", TestTar.content(random, 8192)));
        var base = new TestTar()
                .file("backup_label", "START WAL LOCATION: 0/2000028\n".getBytes(StandardCharsets.UTF_8))
                .file("empty", new byte[0]);
        for (int relation = 0; relation < 100; relation++) {
            base.file("base/5/" + (1000 + relation), TestTar.content(random, 8192 * random.nextInt(5)));
        }
        // larger than any frame
        base.file("base/5/large", TestTar.content(random, 5_000_000))
                .file("global/pg_control", control(random))
                .file(WAL, wal(random))
                .file("pg_wal/archive_status/000000010000000000000020.done", new byte[0]);
        archives.put("base.tar", base);
        return archives;
    }

    /** What a server would list: everything but the WAL segments. */
    public static TestManifest manifest(Map<String, TestTar> archives, ManifestChecksum algorithm) {
        var manifest = new TestManifest(PATHS.systemIdentifier().toString());
        archives.forEach((name, tar) -> tar.files().forEach((path, content) -> {
            if (!path.matches("pg_wal/[0-9A-F]{24}")) {
                manifest.file(MemberPath.encode(ArchivePlace.of(name).manifestPath(path)), content, algorithm);
            }
        }));
        return manifest;
    }

    /** Writes a backup up to, but not with, its backup.json, and returns what backup.json would say. */
    static BackupDocument write(
            NewBackup backup, Map<String, TestTar> archives, TestManifest manifest, ManifestChecksum algorithm) {
        List<BackupDocument.Archive> stored = new ArrayList<>();
        archives.forEach((name, tar) -> {
            try (ArchiveWriter writer = backup.archive(name, name.equals("base.tar") ? "" : "/mnt/fast", algorithm)) {
                byte[] bytes = tar.end();
                writer.write(bytes, 0, bytes.length);
                stored.add(BackupDocument.Archive.of(writer.finish()));
            }
        });
        BackupDocument.Manifest storedManifest = backup.manifest(manifest.bytes());
        return document(backup.label(), stored, storedManifest);
    }

    static BackupDocument document(
            BackupLabel label, List<BackupDocument.Archive> archives, BackupDocument.Manifest manifest) {
        return document(label, archives, manifest, null);
    }

    static BackupDocument document(
            BackupLabel label,
            List<BackupDocument.Archive> archives,
            BackupDocument.Manifest manifest,
            BackupDocument.Digests digests) {
        return new BackupDocument(
                BackupDocument.FORMAT_VERSION,
                label,
                PATHS.cluster(),
                label.type(),
                label.type().needsParent() ? label("20261121T010000Z-full-aaaa") : null,
                PATHS.systemIdentifier(),
                PATHS.major(),
                new Timeline(1),
                Lsn.parse("0/2000028"),
                Lsn.parse("0/2000100"),
                BackupDocument.Wal.INCLUDED,
                archives,
                manifest,
                digests,
                archives.stream().mapToLong(BackupDocument.Archive::bytes).sum(),
                archives.stream().mapToLong(BackupDocument.Archive::storedBytes).sum(),
                NOW,
                NOW.plusSeconds(60),
                new BackupDocument.Method("spread", "zstd:3", ManifestChecksum.CRC32C),
                new BackupDocument.Source(
                        "18.6",
                        false,
                        List.of(new BackupDocument.SourceDamage("base/5/1000", 3)),
                        Map.of("max_connections", "100"),
                        List.of(new BackupDocument.FileSetting("/etc/postgresql.conf", 7, "max_connections", "100")),
                        List.of("local all all peer")),
                Map.of("ticket", "OPS-7"),
                new RunId(42),
                "night-1",
                "0.1.0");
    }

    /** Writes and publishes a small backup. */
    static BackupDocument publish(StorageSet storages, String label) {
        try (var compressor = new ArchiveCompressor(1, 1);
                NewBackup backup = NewBackup.begin(storages, PATHS, label(label), MARKER, compressor)) {
            var random = new Random(1);
            var tar = new TestTar()
                    .file("backup_label", new byte[100])
                    .file("global/pg_control", control(random))
                    .file(WAL, wal(random));
            Map<String, TestTar> archives = Map.of("base.tar", tar);
            BackupDocument document =
                    write(backup, archives, manifest(archives, ManifestChecksum.CRC32C), ManifestChecksum.CRC32C);
            NewBackup.publish(storages, document, () -> {});
            return document;
        }
    }

    /** The same, anywhere in a chain, and with its WAL in the archive. */
    public static BackupDocument publish(
            StorageSet storages,
            BackupLabel label,
            @Nullable BackupLabel parent,
            Instant endedAt,
            Lsn startLsn,
            Lsn endLsn) {
        try (var compressor = new ArchiveCompressor(1, 1);
                NewBackup backup = NewBackup.begin(storages, PATHS, label, MARKER, compressor)) {
            Map<String, TestTar> archives =
                    Map.of("base.tar", new TestTar().file("global/pg_control", control(new Random(1))));
            BackupDocument written =
                    write(backup, archives, manifest(archives, ManifestChecksum.CRC32C), ManifestChecksum.CRC32C);
            BackupDocument document = new BackupDocument(
                    written.formatVersion(),
                    label,
                    written.cluster(),
                    label.type(),
                    parent,
                    written.systemIdentifier(),
                    written.major(),
                    written.timeline(),
                    startLsn,
                    endLsn,
                    BackupDocument.Wal.ARCHIVE,
                    written.archives(),
                    written.manifest(),
                    written.digests(),
                    written.bytes(),
                    written.storedBytes(),
                    label.time(),
                    endedAt,
                    written.method(),
                    written.source(),
                    written.labels(),
                    written.run(),
                    written.node(),
                    written.toolVersion());
            NewBackup.publish(storages, document, () -> {});
            return document;
        }
    }

    /** As if a published backup were one of version 15 or 16: with block digests, the same in each storage. */
    public static void addDigests(List<Storage> storages, BackupLabel label) {
        BackupDocument written = find(storages, label.toString()).document().orElseThrow();
        byte[] bytes = TestTar.content(new Random(2), 1000);
        var digests =
                new BackupDocument.Digests("block_digests.zst", bytes.length, ManifestChecksum.SHA256.hexOf(bytes));
        byte[] json = BackupDocumentFile.write(new BackupDocument(
                written.formatVersion(),
                label,
                written.cluster(),
                written.type(),
                written.parent(),
                written.systemIdentifier(),
                written.major(),
                written.timeline(),
                written.startLsn(),
                written.endLsn(),
                written.wal(),
                written.archives(),
                written.manifest(),
                digests,
                written.bytes(),
                written.storedBytes(),
                written.startedAt(),
                written.endedAt(),
                written.method(),
                written.source(),
                written.labels(),
                written.run(),
                written.node(),
                written.toolVersion()));
        for (Storage storage : storages) {
            replace(storage, PATHS.object(label, digests.object()), bytes);
            replace(storage, PATHS.object(label, BackupPaths.BACKUP_JSON), json);
        }
    }

    private static void replace(Storage storage, String object, byte[] bytes) {
        try (StoredObjectWriter writer = storage.replace(object)) {
            writer.write(bytes);
            writer.commit();
        }
    }

    /** Begins one, and leaves it so. */
    public static void begin(StorageSet storages, BackupLabel label, @Nullable BackupLabel parent) {
        var marker = new WritingMarker(MARKER.node(), MARKER.run(), MARKER.token(), MARKER.since(), parent);
        try (var compressor = new ArchiveCompressor(1, 1);
                NewBackup begun = NewBackup.begin(storages, PATHS, label, marker, compressor)) {
            begun.manifest(new byte[10]);
        }
    }

    /** Writes and publishes a backup of these archives, and finds it again. */
    public static StoredBackup store(
            List<Storage> storages, String label, Map<String, TestTar> archives, TestManifest manifest) {
        var all = new StorageSet(storages);
        try (var compressor = new ArchiveCompressor(1, 1);
                NewBackup backup = NewBackup.begin(all, PATHS, label(label), MARKER, compressor)) {
            NewBackup.publish(all, write(backup, archives, manifest, ManifestChecksum.CRC32C), () -> {});
        }
        return find(storages, label);
    }

    /** As the storages hold it now. */
    public static StoredBackup find(List<Storage> storages, String label) {
        return new BackupCatalog(storages)
                .backups().stream()
                        .filter(backup -> backup.label().equals(label(label)))
                        .findFirst()
                        .orElseThrow();
    }
}
