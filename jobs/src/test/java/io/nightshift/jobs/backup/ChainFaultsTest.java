package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.backup.BackupType;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.BackupCopies;
import io.nightshift.infra.restore.PlainExport;
import io.nightshift.infra.restore.Restored;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.Seed;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.infra.storage.FaultyStorage;
import io.nightshift.infra.storage.FaultyStorage.Call;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** A chain of three backups in two storages, parts of which are damaged, lost or away. */
@ParameterizedClass
@MethodSource("io.nightshift.infra.server.PostgresVersions#newestOrAll")
class ChainFaultsTest {

    private static final IncrementalBackupJobType INCREMENTAL = new IncrementalBackupJobType();
    private static final Map<Path, byte[]> ORIGINALS = new HashMap<>();

    private static TestCluster server;
    private static TestCluster cluster;
    private static List<BackupLabel> chain;
    private static String rows;

    private final int major;

    ChainFaultsTest(int major) {
        this.major = major;
    }

    @BeforeParameterizedClassInvocation
    static void chain(int major) throws Exception {
        server = IncrementalBackupTest.start(major, Map.of());
        cluster = server.withStorages("far", "near");
        TestPostgres postgres = server.postgres();
        postgres.execute(
                "postgres", "CREATE TABLE t AS SELECT i, repeat('x', 500) AS filler FROM generate_series(1, 4000) i");
        IncrementalBackupTest.run(INCREMENTAL, cluster).attempt().completed();
        for (int round = 1; round <= 2; round++) {
            postgres.execute("postgres", "UPDATE t SET filler = 'round " + round + "' WHERE i % 100 = " + round);
            IncrementalBackupTest.run(INCREMENTAL, cluster).attempt().completed();
        }
        chain = cluster.backups().stream().map(StoredBackup::label).toList();
        rows = "4000 2 40 40";
    }

    @AfterParameterizedClassInvocation
    static void close() {
        cluster.close();
        server.close();
    }

    @AfterEach
    void mend() throws IOException {
        for (Map.Entry<Path, byte[]> original : ORIGINALS.entrySet()) {
            Files.write(original.getKey(), original.getValue());
        }
        ORIGINALS.clear();
    }

    private static Path object(String storage, BackupLabel label, String object) throws IOException {
        Path path = cluster.storage(storage)
                .resolve(cluster.backups().get(0).paths().object(label, object));
        ORIGINALS.putIfAbsent(path, Files.readAllBytes(path));
        return path;
    }

    private static void damage(String storage, BackupLabel label) throws IOException {
        Path archive = object(storage, label, "base.tar.zst");
        byte[] content = Files.readAllBytes(archive);
        content[content.length / 3] ^= 4;
        Files.write(archive, content);
    }

    private static void assertWhole(RestoredBackup restored) throws SQLException {
        assertThat(restored.texts(
                        "SELECT count(*) || ' ' || count(DISTINCT filler) FILTER (WHERE filler LIKE 'round%') || ' '"
                                + " || count(*) FILTER (WHERE filler = 'round 1') || ' ' || count(*) FILTER (WHERE filler = 'round 2')"
                                + " FROM t"))
                .containsExactly(rows);
    }

    @Test
    void a_dry_run_says_what_the_backup_would_build_on_and_writes_nothing() throws Exception {
        List<String> before = cluster.files();
        Map<String, Object> settings = Map.of("max-chain", 3, "without-parent", "fail");

        JobReport report = JobRun.dry(INCREMENTAL, cluster, ChainedBackupSettings.defaults())
                .attempt()
                .completed()
                .report();
        JobRun.Outcome none = JobRun.dry(INCREMENTAL, cluster, RecordBinder.fromMap(INCREMENTAL.settings(), settings))
                .attempt();

        assertThat(report.summary())
                .isEqualTo("a backup of cluster chanuka that builds on " + chain.get(2)
                        + " is possible; nothing was read or written");
        assertThat(none.failed()).hasMessageContaining("the chain has 3 backups, and max-chain is 3");
        assertThat(cluster.files()).isEqualTo(before);
    }

    @Test
    void what_one_storage_cannot_give_of_any_link_is_read_from_the_other() throws Exception {
        damage("far", chain.get(0));
        damage("near", chain.get(1));
        damage("far", chain.get(2));

        try (RestoredBackup restored = RestoredBackup.of(cluster, chain.get(2))) {
            assertWhole(restored);
            assertThat(restored.restored().complaints())
                    .anyMatch(complaint -> complaint.contains(chain.get(0).toString()))
                    .allMatch(complaint -> complaint.contains("base.tar.zst"));
        }
    }

    @Test
    void a_link_that_is_damaged_everywhere_is_named_and_nothing_can_be_started() throws Exception {
        damage("far", chain.get(1));
        damage("near", chain.get(1));
        Path data = TestPostgres.temporaryDirectory("restored-").resolve("data");

        assertThatThrownBy(() -> RestoredBackup.restore(cluster, chain.get(2), data, 2))
                .isInstanceOfSatisfying(NightshiftException.class, failure -> {
                    assertThat(failure.kind()).isEqualTo(FailureKind.DATA_DAMAGED);
                    assertThat(failure).hasMessageContaining(chain.get(1).toString());
                });
        assertThat(data.resolve("global/pg_control")).doesNotExist();
        FileTree.delete(data.getParent());
    }

    @Test
    void a_lost_link_takes_what_builds_on_it_with_it_and_the_next_backup_builds_on_what_is_left() throws Exception {
        for (String storage : List.of("far", "near")) {
            Files.delete(object(storage, chain.get(1), "backup.json"));
        }

        assertThatThrownBy(() -> RestoredBackup.restore(cluster, chain.get(2), Path.of("/nowhere"), 2))
                .isInstanceOf(NightshiftException.class)
                .hasMessageContaining(chain.get(1).toString());
        JobReport report = IncrementalBackupTest.run(INCREMENTAL, cluster)
                .attempt()
                .completed()
                .report();
        StoredBackup next = cluster.backups().get(cluster.backups().size() - 1);

        assertThat(next.document().orElseThrow().parent()).isEqualTo(chain.get(0));
        assertThat(report.sections().toString())
                .contains("backup " + chain.get(2) + " is broken: ", chain.get(1) + " is in no storage");
        try (RestoredBackup restored = RestoredBackup.of(cluster, next.label())) {
            assertWhole(restored);
        }
    }

    @Test
    void a_backup_whose_parent_is_deleted_while_it_is_taken_is_given_up_and_taken_again() throws Exception {
        BackupLabel parent = newest().label();
        JobRun run = IncrementalBackupTest.run(INCREMENTAL, cluster)
                .before("publishBackup", () -> List.of("far", "near").forEach(storage -> delete(storage, parent)));

        NightshiftException failed = run.attempt().failed();

        assertThat(failed.kind()).isEqualTo(FailureKind.DATA_DAMAGED);
        assertThat(failed).hasMessageContaining("builds on " + parent + ", which is in no storage");
        BackupLabel left = newest().label();
        assertThat(left).isLessThan(parent);
        run.attempt().completed();
        assertThat(newest().document().orElseThrow().parent()).isEqualTo(left);
        try (RestoredBackup restored = RestoredBackup.of(cluster, newest().label())) {
            assertWhole(restored);
        }
    }

    private static StoredBackup newest() {
        List<StoredBackup> backups = cluster.backups();
        return backups.get(backups.size() - 1);
    }

    private static void delete(String storage, BackupLabel label) {
        try {
            Path json = cluster.storage(storage).resolve(newest().paths().object(label, BackupPaths.BACKUP_JSON));
            if (Files.exists(json)) {
                Files.delete(object(storage, label, BackupPaths.BACKUP_JSON));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Where blocks are compared, nobody asks for summaries. */
    @Test
    void a_role_that_may_not_read_the_summaries_gets_a_full_backup_and_is_told_why() throws Exception {
        boolean summaries = major >= Parents.SENDS_CHANGES;
        BackupLabel before = newest().label();
        server.postgres().execute("postgres", "CREATE ROLE modest LOGIN REPLICATION PASSWORD 'secret'");
        if (summaries) {
            server.postgres()
                    .execute("postgres", "REVOKE EXECUTE ON FUNCTION pg_available_wal_summaries() FROM PUBLIC");
        }

        JobReport report = IncrementalBackupTest.run(INCREMENTAL, cluster.as("modest", "secret"))
                .attempt()
                .completed()
                .report();

        assertThat(newest().label().type()).isEqualTo(summaries ? BackupType.FULL : BackupType.INCREMENTAL);
        assertThat(report.sections().toString())
                .contains(
                        summaries
                                ? List.of(
                                        "why it is a full backup",
                                        "permission denied for function pg_available_wal_summaries")
                                : List.of(before.toString()));
        BackupLabel full = newest().label();
        List.of("far", "near").forEach(storage -> delete(storage, full));
        if (summaries) {
            server.postgres().execute("postgres", "GRANT EXECUTE ON FUNCTION pg_available_wal_summaries() TO PUBLIC");
        }
    }

    @Test
    void a_restore_that_breaks_off_anywhere_goes_on_to_the_same_end() throws Exception {
        Random random = Seed.underTest().get(Seed.underTest().size() - 1).random();
        Path whole = TestPostgres.temporaryDirectory("restored-").resolve("whole");
        Path data = whole.resolveSibling("data");
        List<FaultyStorage> far = new ArrayList<>();
        RestoredBackup.restore(onlyFar(far, Integer.MAX_VALUE), chain.get(2), whole, 1);
        int reads = far.stream().mapToInt(storage -> storage.calls(Call.READ)).sum();

        for (int round = 0; round < Effort.of(4, 40); round++) {
            int last = 1 + random.nextInt(reads - 1);
            Throwable broken = catchThrowable(() -> RestoredBackup.restore(onlyFar(far, last), chain.get(2), data, 2));
            if (broken == null) {
                // What the rounds before had left was so much that fewer reads were enough.
                FileTree.delete(data);
                continue;
            }
            assertThat(broken).as("read %d of %d", last, reads).isInstanceOf(NightshiftException.class);
            assertThat(data.resolve("global/pg_control")).doesNotExist();
        }
        RestoredBackup.restore(cluster, chain.get(2), data, 2);

        assertThat(relations(data)).isEqualTo(relations(whole));
        FileTree.delete(data.getParent());
    }

    @Test
    void over_the_export_of_a_link_the_same_is_restored_as_into_nothing() throws Exception {
        Path whole = TestPostgres.temporaryDirectory("restored-").resolve("whole");
        Path data = whole.resolveSibling("data");
        Restored fresh = RestoredBackup.restore(cluster, chain.get(2), whole, 2);
        new PlainExport(
                        BackupCopies.of(
                                cluster.backups().stream()
                                        .filter(backup -> backup.label().equals(chain.get(2)))
                                        .findFirst()
                                        .orElseThrow(),
                                cluster.clusterStorages().forReading(TestCluster.NAME)),
                        data,
                        Map.of())
                .run(2, new Progress(), new Cancellation());

        RestoredBackup.restore(cluster, chain.get(2), data, 2, true);

        assertThat(relations(data)).isEqualTo(relations(whole));
        assertThat(fresh.bytes()).isGreaterThan(bytes(whole.resolve("base")) + bytes(whole.resolve("pg_wal")));
        assertThat(data.resolve("backup_label")).hasSameTextualContentAs(whole.resolve("backup_label"));
        FileTree.delete(data.getParent());
    }

    /** The cluster without one of its storages, and with the other one gone after so many reads. */
    private static TestCluster onlyFar(List<FaultyStorage> far, int reads) {
        return cluster.behind(storage -> {
            var faulty = new FaultyStorage(storage);
            if (storage.name().equals("far")) {
                far.add(faulty);
                return faulty.failFrom(Call.READ, reads, FailureKind.STORAGE_UNAVAILABLE);
            }
            return faulty.failFrom(Call.OPEN, 1, FailureKind.STORAGE_UNAVAILABLE);
        });
    }

    private static long bytes(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile)
                    .mapToLong(file -> file.toFile().length())
                    .sum();
        }
    }

    /** A sum of each file of a database, by path. */
    private static Map<String, Long> relations(Path data) throws IOException {
        Map<String, Long> sums = new TreeMap<>();
        try (Stream<Path> files = Files.walk(data.resolve("base"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                var crc = new CRC32C();
                crc.update(Files.readAllBytes(file));
                sums.put(data.relativize(file).toString(), crc.getValue());
            }
        }
        return sums;
    }
}
