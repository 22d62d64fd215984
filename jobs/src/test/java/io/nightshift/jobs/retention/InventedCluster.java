package io.nightshift.jobs.retention;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupType;
import io.nightshift.infra.backup.Backups;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageSet;
import io.nightshift.infra.storage.StoredObject;
import io.nightshift.infra.storage.StoredObjectWriter;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.RememberedRun;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Whole backups and WAL of a cluster without a server, as if they had come in the last days. */
final class InventedCluster implements AutoCloseable {

    /** A window of a week and one full backup, as {@link RetentionSettings}; a person has looked. */
    static final Map<String, Object> CONFIRMED_WEEK = Map.of("window", "7d", "fulls", 1, "confirmed", true);

    private static final int SEGMENT = 1 << 20;
    private static final int TODAY = 1_000;

    private final Path directory = TestPostgres.temporaryDirectory("retention-");
    private final Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);
    private final String[] coordinates = {"1", "nobody", "none", directory.toString()};
    private final TestCluster cluster;
    private final StorageSet storages;

    /** @param names of its storages; {@code local} alone is one that another process can work with */
    InventedCluster(String... names) {
        TestCluster attached = TestCluster.attach(coordinates);
        cluster = List.of(names).equals(List.of("local")) ? attached : attached.withStorages(names);
        storages = cluster.clusterStorages().forWriting(TestCluster.NAME);
    }

    TestCluster cluster() {
        return cluster;
    }

    StorageSet storages() {
        return storages;
    }

    String[] coordinates() {
        return coordinates.clone();
    }

    Instant now() {
        return now;
    }

    BackupLabel full(int daysAgo) {
        return backup(daysAgo, BackupType.FULL, null);
    }

    /** Its WAL begins in the segment of its day. */
    BackupLabel backup(int daysAgo, BackupType type, @Nullable BackupLabel parent) {
        Instant ended = now.minus(Duration.ofDays(daysAgo));
        BackupLabel label = new BackupLabel(ended.minusSeconds(60), type, "r8f3");
        Lsn start = new Lsn((long) (TODAY - daysAgo) * SEGMENT);
        Backups.publish(storages, label, parent, ended, start, start.plus(100));
        return label;
    }

    /** One segment for each of the days. */
    void archive(int fromDaysAgo, int toDaysAgo) {
        for (int daysAgo = fromDaysAgo; daysAgo >= toDaysAgo; daysAgo--) {
            try (StoredObjectWriter writer = storages.create(segment(daysAgo))) {
                writer.write(new byte[100]);
                writer.commit();
            }
        }
    }

    static String segment(int daysAgo) {
        return String.format(
                "%s/wal/00000001/00000000/0000000100000000%08X.zst", Backups.PATHS.folder(), TODAY - daysAgo);
    }

    List<BackupLabel> backups() {
        return cluster.backups().stream().map(StoredBackup::label).toList();
    }

    /** All objects of all storages, but what runs have said. */
    List<String> objects() {
        return storages.storages().stream()
                .flatMap(storage -> objects(storage).stream())
                .filter(name -> !name.contains("/retention/"))
                .toList();
    }

    private static List<String> objects(Storage storage) {
        try (Stream<StoredObject> objects = storage.list("")) {
            return objects.map(object -> storage.name() + ":" + object.name()).toList();
        }
    }

    JobRun run(Map<String, Object> settings) {
        return run(cluster, settings);
    }

    /** A run a day ago has said what expires: nothing is deleted in the first night. */
    void lastNight() {
        RetentionSettings settings = RecordBinder.fromMap(RetentionSettings.class, CONFIRMED_WEEK);
        var run = RememberedRun.first(RetentionJobType.NAME, TestCluster.NAME, settings, false);
        Clock yesterday = Clock.fixed(now.minus(Duration.ofDays(1)), ZoneOffset.UTC);
        new ExpireBackupsTasklet(run, cluster.clusterStorages(), yesterday).expire();
    }

    static JobRun run(TestCluster on, Map<String, Object> settings) {
        return JobRun.of(new RetentionJobType(), on, RecordBinder.fromMap(RetentionSettings.class, settings));
    }

    @Override
    public void close() {
        cluster.close();
        try {
            FileTree.delete(directory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
