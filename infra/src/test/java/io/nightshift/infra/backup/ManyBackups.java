package io.nightshift.infra.backup;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.run.RunId;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.StorageSet;
import io.nightshift.infra.wal.WalObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A storage with the backups and the WAL of years, for benchmarks: one backup an hour, each with a backup.json as large as a
 * real one. The archives are one and the same small one.
 */
public final class ManyBackups {

    private static final int SEGMENT_SIZE = 1 << 20;
    private static final int SETTINGS = 60;

    private final Path storage;
    private final Instant newest;
    private final int number;
    private final int segments;
    private final int chain;

    /**
     * Describes one.
     *
     * @param number of backups
     * @param segments of WAL, evenly over that time
     * @param chain backups in each
     */
    public ManyBackups(Path storage, Instant newest, int number, int segments, int chain) {
        this.storage = storage;
        this.newest = newest;
        this.number = number;
        this.segments = segments;
        this.chain = chain;
    }

    public void plant() throws IOException {
        var directory = new DirectoryStorage("local", storage);
        directory.prepare();
        BackupLabel first = label(0);
        BackupDocument like = Backups.publish(
                StorageSet.of(directory),
                first,
                null,
                endedAt(0),
                location(0),
                location(0).plus(100));
        for (int i = 0; i < number; i++) {
            plant(i, like, first);
        }
        Path wal = storage.resolve(Backups.PATHS.folder()).resolve("wal");
        for (int i = 0; i <= segments; i++) {
            Path segment =
                    wal.resolve(new WalObject.Segment(new WalSegment(new Timeline(1), 1 + i, SEGMENT_SIZE)).name());
            Files.createDirectories(segment.getParent());
            Files.write(segment, new byte[20]);
        }
    }

    private Instant endedAt(int i) {
        return newest.minus(Duration.ofHours(number - 1 - i));
    }

    private BackupLabel label(int i) {
        BackupType type = i % chain == 0 ? BackupType.FULL : BackupType.INCREMENTAL;
        return new BackupLabel(endedAt(i).minusSeconds(600), type, "r8f3");
    }

    private @Nullable BackupLabel parent(int i) {
        return i % chain == 0 ? null : label(i - 1);
    }

    private Lsn location(int i) {
        return new Lsn(SEGMENT_SIZE * (1 + (long) i * segments / number) + 40);
    }

    private void plant(int i, BackupDocument like, BackupLabel first) throws IOException {
        Path folder = storage.resolve(Backups.PATHS.backup(label(i)));
        Files.createDirectories(folder);
        for (String object : List.of("base.tar.zst", BackupPaths.MANIFEST)) {
            if (i > 0) {
                Files.createLink(folder.resolve(object), storage.resolve(Backups.PATHS.object(first, object)));
            }
        }
        Files.write(folder.resolve(BackupPaths.BACKUP_JSON), BackupDocumentFile.write(document(i, like)));
    }

    private BackupDocument document(int i, BackupDocument like) {
        Map<String, String> settings = new TreeMap<>(Map.of("data_checksums", "on"));
        settings.putAll(IntStream.range(0, SETTINGS)
                .boxed()
                .collect(Collectors.toMap(n -> "setting_of_the_source_" + n, n -> "value " + n)));
        List<BackupDocument.FileSetting> files = IntStream.range(0, SETTINGS)
                .mapToObj(n -> new BackupDocument.FileSetting(
                        "/etc/postgresql/18/main/postgresql.conf", n, "setting_of_the_source_" + n, "value " + n))
                .toList();
        return new BackupDocument(
                like.formatVersion(),
                label(i),
                like.cluster(),
                label(i).type(),
                parent(i),
                like.systemIdentifier(),
                like.major(),
                like.timeline(),
                location(i),
                location(i).plus(100),
                BackupDocument.Wal.ARCHIVE,
                like.archives(),
                like.manifest(),
                null,
                like.bytes(),
                like.storedBytes(),
                label(i).time(),
                endedAt(i),
                like.method(),
                new BackupDocument.Source("18.6", false, List.of(), settings, files, List.of("local all all peer")),
                Map.of(),
                new RunId(1 + i),
                "night-1",
                "0.1.0");
    }
}
