package io.nightshift.jobs.verify;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupType;
import io.nightshift.infra.backup.Backups;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageSet;
import io.nightshift.infra.wal.WalArchive;
import io.nightshift.infra.wal.WalObject;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Whole backups and WAL of a cluster without a server, as if they had come in the last days, in storages to be damaged. */
final class StoredCluster implements AutoCloseable {

    /** Everything is due in each run. */
    static final Map<String, Object> ALL = Map.of("every", "1d");

    private static final int SEGMENT = 1 << 20;
    private static final int PAGE = 8192;
    private static final int TODAY = 1_000;

    private final Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);
    private final TestCluster cluster;
    private final StorageSet storages;
    private final Path directory = TestPostgres.temporaryDirectory("verify-");

    StoredCluster() {
        this.cluster = attach(directory);
        this.storages = cluster.clusterStorages().forWriting(TestCluster.NAME);
    }

    /** With its storages {@code far} and {@code near}, both of them required; also for another process. */
    static TestCluster attach(Path directory) {
        return TestCluster.attach(new String[] {"1", "nobody", "none", directory.toString()}, "far", "near");
    }

    Path directory() {
        return directory;
    }

    /** Two chains and a full backup behind them, with the WAL of all days. */
    Chains fill() {
        BackupLabel first = backup(8, BackupType.FULL, null);
        BackupLabel next = backup(7, BackupType.INCREMENTAL, first);
        BackupLabel second = backup(5, BackupType.FULL, null);
        BackupLabel last = backup(2, BackupType.FULL, null);
        for (int daysAgo = 8; daysAgo >= 0; daysAgo--) {
            archive(daysAgo);
        }
        return new Chains(first, next, second, last);
    }

    /** What it holds after {@link #fill}: 8, 7, 5 and 2 days old. */
    record Chains(BackupLabel first, BackupLabel next, BackupLabel second, BackupLabel last) {}

    private BackupLabel backup(int daysAgo, BackupType type, @Nullable BackupLabel parent) {
        Instant ended = ended(daysAgo);
        BackupLabel label = new BackupLabel(ended.minusSeconds(60), type, "r8f3");
        Backups.publish(
                storages,
                label,
                parent,
                ended,
                lsn(daysAgo).plus(10),
                lsn(daysAgo).plus(100));
        return label;
    }

    Instant ended(int daysAgo) {
        return now.minus(Duration.ofDays(daysAgo));
    }

    static Lsn lsn(int daysAgo) {
        return new Lsn((long) (TODAY - daysAgo) * SEGMENT);
    }

    private void archive(int daysAgo) {
        byte[] content = content(daysAgo);
        new WalArchive(storages, Backups.PATHS, SEGMENT)
                .store(new WalObject.Segment(segment(daysAgo)), () -> new ByteArrayInputStream(content));
    }

    private static WalSegment segment(int daysAgo) {
        return WalSegment.at(new Timeline(1), lsn(daysAgo), SEGMENT);
    }

    /** A header on each page, and nothing between them. */
    private static byte[] content(int daysAgo) {
        ByteBuffer wal = ByteBuffer.allocate(SEGMENT).order(ByteOrder.LITTLE_ENDIAN);
        for (int page = 0; page < SEGMENT; page += PAGE) {
            wal.putShort(page, (short) 0xD118).putShort(page + 2, (short) (page == 0 ? 2 : 0));
            wal.putInt(page + 4, 1).putLong(page + 8, lsn(daysAgo).plus(page).position());
        }
        wal.putLong(24, Backups.PATHS.systemIdentifier().id())
                .putInt(32, SEGMENT)
                .putInt(36, PAGE);
        return wal.array();
    }

    static String wal(int daysAgo) {
        return Backups.PATHS.folder() + "/wal/" + new WalObject.Segment(segment(daysAgo)).name();
    }

    static String object(BackupLabel label, String name) {
        return Backups.PATHS.object(label, name);
    }

    Path file(String storage, String object) {
        return cluster.storage(storage).resolve(object);
    }

    /** As if a backup had lain in a storage for two days. */
    void age(String storage, BackupLabel label) throws IOException {
        try (Stream<Path> files = Files.walk(file(storage, Backups.PATHS.backup(label)))) {
            for (Path file : files.toList()) {
                Files.setLastModifiedTime(file, FileTime.from(ended(2)));
            }
        }
    }

    /** Flips one bit in the middle. */
    void damage(String storage, String object) {
        try {
            byte[] bytes = Files.readAllBytes(file(storage, object));
            bytes[bytes.length / 2] ^= 1;
            Files.write(file(storage, object), bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Puts the backup.json of another backup with the same label into one storage. */
    void publishAnother(String storage, BackupLabel label) throws IOException {
        DirectoryStorage elsewhere = new DirectoryStorage("elsewhere", directory.resolve("elsewhere"));
        elsewhere.prepare();
        Backups.publish(StorageSet.of(elsewhere), label, null, now, lsn(8).plus(10), lsn(8).plus(100));
        String json = object(label, "backup.json");
        Files.copy(
                directory.resolve("elsewhere").resolve(json), file(storage, json), StandardCopyOption.REPLACE_EXISTING);
    }

    /** The bytes of every backup and of the WAL in a storage, by object; without what was learnt of them. */
    Map<String, String> content(String storage) {
        Path root = cluster.storage(storage);
        Map<String, String> content = new HashMap<>();
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String object = root.relativize(file).toString();
                if (object.startsWith(TestCluster.NAME)
                        && !object.contains("/notes/")
                        && !object.contains("/verified-wal/")) {
                    content.put(object, HexFormat.of().formatHex(Files.readAllBytes(file)));
                }
            }
            return content;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What was learnt of the WAL in a storage: the names of the notes. */
    List<String> walNotes(String storage) {
        return cluster.files().stream()
                .filter(file -> file.startsWith(storage + "/") && file.contains("/verified-wal/"))
                .toList();
    }

    List<Storage> storages() {
        return cluster.clusterStorages().forRepairing(TestCluster.NAME);
    }

    List<StoredBackup> backups() {
        return cluster.backups();
    }

    TestCluster cluster() {
        return cluster;
    }

    JobRun run(Map<String, Object> settings) {
        return run(cluster, settings);
    }

    static JobRun run(TestCluster on, Map<String, Object> settings) {
        return JobRun.of(new VerifyStorageJobType(), on, RecordBinder.fromMap(VerifyStorageSettings.class, settings));
    }

    JobRun dry(Map<String, Object> settings) {
        return JobRun.dry(
                new VerifyStorageJobType(), cluster, RecordBinder.fromMap(VerifyStorageSettings.class, settings));
    }

    @Override
    public void close() {
        cluster.close();
    }
}
