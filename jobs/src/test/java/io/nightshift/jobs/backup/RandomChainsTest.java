package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.PinNote;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.retention.RetentionPast;
import io.nightshift.infra.retention.RetentionRecord;
import io.nightshift.infra.retention.RetentionRecords;
import io.nightshift.infra.run.JobType;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.Seed;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.infra.storage.Storage;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import io.nightshift.jobs.retention.RetentionJobType;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever was done to a cluster, and whenever its backups were taken: each restores to exactly what there was then. */
class RandomChainsTest {

    private static final int ACTS = Effort.of(40, 400);
    private static final int BACKUPS = Effort.of(4, 30);
    private static final int RESTORES = Effort.of(2, 24);

    /** A seed for each version, and with effort 20 all seeds for each. */
    static Stream<Arguments> contests() {
        List<Integer> majors = IncrementalBackupTest.servers();
        List<Seed> seeds = Seed.underTest();
        return Effort.number() >= 20
                ? majors.stream().flatMap(major -> seeds.stream().map(seed -> Arguments.of(major, seed)))
                : IntStream.range(0, majors.size())
                        .mapToObj(each -> Arguments.of(majors.get(each), seeds.get(each % seeds.size())));
    }

    @ParameterizedTest
    @MethodSource("contests")
    void every_backup_restores_to_what_there_was(int major, Seed seed) throws Exception {
        Random random = seed.random();
        Path elsewhere = TestPostgres.temporaryDirectory("elsewhere-");
        try (TestCluster cluster = IncrementalBackupTest.start(major, Map.of("max_prepared_transactions", "2"))) {
            TestPostgres postgres = cluster.postgres();
            var workload = new RandomWorkload(postgres, random, elsewhere);
            workload.begin();
            Map<BackupLabel, List<String>> had = new LinkedHashMap<>();
            List<String> done = new ArrayList<>();
            while (had.size() < BACKUPS) {
                IntStream.range(0, random.nextInt(2 * ACTS / BACKUPS)).forEach(act -> done.add(workload.act()));
                take(had.size() == BACKUPS / 2 ? new FullBackupJobType() : type(random), cluster);
                BackupLabel label = IncrementalBackupTest.newest(cluster);
                done.add(label.toString());
                had.put(label, RandomWorkload.state(postgres::connect));
            }

            List<BackupLabel> wanted = new ArrayList<>(had.keySet());
            BackupLabel last = wanted.remove(wanted.size() - 1);
            Collections.shuffle(wanted, random);
            wanted.add(0, last);
            List<BackupLabel> kept = wanted.subList(0, Math.min(RESTORES, wanted.size()));
            int expired = expireAllBut(kept, cluster);
            for (BackupLabel label : kept) {
                try (RestoredBackup restored = RestoredBackup.of(cluster, label)) {
                    String story = "seed " + seed + ", backup " + label + "\n" + String.join("\n", done);
                    assertThat(RandomWorkload.state(restored::connect))
                            .as(story)
                            .isEqualTo(had.get(label));
                    assertThat(RandomWorkload.damage(restored::connect))
                            .as(story)
                            .isEmpty();
                }
            }
            System.out.printf(
                    "FIGURE PostgreSQL %d, seed %s: %d acts and backups, %d expired, of types %s%n",
                    major,
                    seed,
                    done.size(),
                    expired,
                    had.keySet().stream().map(label -> label.type().toString()).toList());
        } finally {
            FileTree.delete(elsewhere);
        }
    }

    /** By pins; and retention has said a night ago that nothing else keeps anything. */
    private static int expireAllBut(List<BackupLabel> kept, TestCluster cluster) {
        List<Storage> storages = cluster.clusterStorages().forReading(TestCluster.NAME);
        List<StoredBackup> all = cluster.backups();
        Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        Set<BackupLabel> others = all.stream().map(StoredBackup::label).collect(Collectors.toSet());
        kept.forEach(others::remove);
        all.stream()
                .filter(backup -> kept.contains(backup.label()))
                .forEach(backup -> storages.forEach(
                        storage -> PinNote.pin(backup.label(), now, "restored next", now.plus(Duration.ofDays(1)))
                                .write(storage, backup.paths())));
        new RetentionRecords(TestCluster.NAME, storages)
                .add(new RetentionRecord(now.minus(RetentionPast.NIGHT), others, Map.of(), List.of(), List.of()));
        JobType retention = new RetentionJobType();
        JobRun.of(
                        retention,
                        cluster,
                        RecordBinder.fromMap(
                                retention.settings(), Map.of("window", "0s", "fulls", 1, "confirmed", true)))
                .attempt()
                .completed();
        return all.size() - cluster.backups().size();
    }

    /** While something else goes on, which neither the backup nor the next one may confuse. */
    @SuppressWarnings("try") // the noise is for closing only
    static void take(JobType type, TestCluster cluster) {
        try (var noise = new RandomWorkload.Noise(cluster.postgres())) {
            IncrementalBackupTest.run(type, cluster).attempt().completed();
        }
    }

    static JobType type(Random random) {
        return switch (random.nextInt(8)) {
            case 0 -> new FullBackupJobType();
            case 1, 2 -> new DifferentialBackupJobType();
            default -> new IncrementalBackupJobType();
        };
    }
}
