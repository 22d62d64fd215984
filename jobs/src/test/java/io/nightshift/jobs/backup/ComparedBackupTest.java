package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.backup.BackupType;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.JobType;
import io.nightshift.infra.server.ChildJvm;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Backups of what has changed on a server that cannot tell it: we compare all blocks. */
class ComparedBackupTest {

    private static final JobType FULL = new FullBackupJobType();
    private static final JobType INCREMENTAL = new IncrementalBackupJobType();
    private static final JobType DIFFERENTIAL = new DifferentialBackupJobType();

    /** One of the two that send everything; the other one at full effort. */
    private static final int MAJOR = Effort.of(15, 16);

    private static TestCluster server;
    private TestCluster cluster;

    @BeforeAll
    static void start() {
        server = TestCluster.start(MAJOR, Map.of("autovacuum", "off"));
        server.postgres()
                .execute(
                        "postgres",
                        "CREATE TABLE t AS SELECT i, repeat('x', 500) AS filler FROM generate_series(1, 40000) i",
                        "CREATE INDEX ON t (i)",
                        "VACUUM (FREEZE, ANALYZE)");
    }

    @BeforeEach
    void storages() {
        cluster = server.withStorages("far", "near");
    }

    @AfterEach
    void close() {
        cluster.close();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private JobReport take(JobType type) {
        return IncrementalBackupTest.run(type, cluster).attempt().completed().report();
    }

    private BackupDocument newest() {
        BackupLabel label = IncrementalBackupTest.newest(cluster);
        return cluster.backups().stream()
                .filter(backup -> backup.label().equals(label))
                .findFirst()
                .flatMap(StoredBackup::document)
                .orElseThrow();
    }

    /** One row on each of so many of a thousand pages. */
    private static void change(int perThousand) {
        server.postgres().execute("postgres", "UPDATE t SET filler = filler WHERE i % 15000 < 15 * " + perThousand);
    }

    /**
     * Nothing happens between the two but what a backup does: its checkpoint is in the control file, its label is its own, and
     * the WAL goes on. A restore adds lines of its own to the configuration.
     */
    @Test
    void what_a_chain_restores_is_byte_for_byte_what_a_full_stream_holds() throws IOException {
        take(FULL);
        change(10);
        take(INCREMENTAL);
        server.postgres()
                .execute(
                        "postgres",
                        "DELETE FROM t WHERE i > 35000",
                        "VACUUM t",
                        "CREATE TABLE later AS SELECT i FROM generate_series(1, 10000) i",
                        "SELECT count(*) FROM later",
                        "VACUUM (FREEZE, ANALYZE)",
                        "CHECKPOINT");
        take(INCREMENTAL);
        BackupDocument chained = newest();

        take(FULL);
        BackupDocument full = newest();

        Path here = TestPostgres.temporaryDirectory("restored-");
        RestoredBackup.restore(cluster, chained.label(), here.resolve("chained"), 2);
        RestoredBackup.restore(cluster, full.label(), here.resolve("full"), 2);
        assertThat(chained.parent()).isNotNull();
        assertThat(full.parent()).isNull();
        Map<String, byte[]> ofFull = files(here.resolve("full"));
        Map<String, byte[]> ofChain = files(here.resolve("chained"));
        assertThat(ofChain.keySet()).isEqualTo(ofFull.keySet()).hasSizeGreaterThan(900);
        assertThat(ofChain.keySet().stream().filter(path -> !Arrays.equals(ofChain.get(path), ofFull.get(path))))
                .containsExactly("backup_label", "global/pg_control", "postgresql.conf");
        server.postgres().execute("postgres", "DROP TABLE later");
        FileTree.delete(here);
    }

    /** Without the WAL segments, whose names differ. */
    private static Map<String, byte[]> files(Path data) throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        try (Stream<Path> found = Files.walk(data)) {
            for (Path file : found.filter(Files::isRegularFile).toList()) {
                String path = data.relativize(file).toString();
                if (!path.startsWith("pg_wal/")) {
                    files.put(path, Files.readAllBytes(file));
                }
            }
        }
        return files;
    }

    @Test
    void stores_little_where_little_has_changed() {
        take(FULL);
        BackupDocument full = newest();
        change(10);

        JobReport report = take(INCREMENTAL);

        BackupDocument changed = newest();
        System.out.printf(
                "FIGURE PostgreSQL %d: full %,d bytes, stored %,d, its digests %,d; incremental after 1 %% of the pages of"
                        + " the table: %,d bytes, stored %,d, its digests %,d; %s%n",
                changed.major(),
                full.bytes(),
                full.storedBytes(),
                full.digests().bytes(),
                changed.bytes(),
                changed.storedBytes(),
                changed.digests().bytes(),
                report.figures());
        assertThat(changed.type()).isEqualTo(BackupType.INCREMENTAL);
        assertThat(changed.bytes() - walBytes(changed)).isLessThan((full.bytes() - walBytes(full)) / 4);
        assertThat(changed.digests().bytes()).isLessThan(full.digests().bytes() / 4);
        assertThat(report.figures()).extracting(Figure::name).contains("sent by the server", "blocks changed");
    }

    private static long walBytes(BackupDocument document) {
        return (document.endLsn().position() / (16 << 20) - document.startLsn().position() / (16 << 20) + 1)
                * (16L << 20);
    }

    @Test
    void what_digests_one_storage_cannot_give_are_read_from_the_other_and_without_any_an_older_backup_is_built_on()
            throws IOException {
        take(FULL);
        BackupDocument full = newest();
        take(INCREMENTAL);
        BackupDocument first = newest();

        Files.delete(digests("far", first));
        take(INCREMENTAL);
        BackupDocument second = newest();
        Path damaged = digests("near", first);
        byte[] bytes = Files.readAllBytes(damaged);
        bytes[20] ^= 1;
        Files.write(damaged, bytes);
        JobReport onFull = take(INCREMENTAL);
        BackupDocument third = newest();
        for (String storage : List.of("far", "near")) {
            Files.copy(digests(storage, third), digests(storage, full), StandardCopyOption.REPLACE_EXISTING);
        }
        JobReport onNothing = take(DIFFERENTIAL);
        BackupDocument last = newest();

        assertThat(second.parent()).isEqualTo(first.label());
        assertThat(third.parent()).isEqualTo(full.label());
        assertThat(onFull.sections().toString())
                .contains(
                        "backup " + second.label() + " can be restored, but not built on: ",
                        first.label() + "/block_digests.zst has the SHA-256 ",
                        "storage far has no object ");
        assertThat(last.type()).isEqualTo(BackupType.FULL);
        assertThat(onNothing.sections().toString())
                .contains("why it is a full backup", "backup " + full.label() + " can be restored, but not built on: ");
        assertThat(cluster.backups()).allMatch(StoredBackup::isRestorable);
    }

    private Path digests(String storage, BackupDocument backup) {
        return cluster.storage(storage).resolve(backup.paths().object(backup.label(), BackupPaths.BLOCK_DIGESTS));
    }

    @Test
    void a_process_that_is_killed_leaves_no_temporary_files_and_the_next_backup_is_built_as_if_it_had_never_been()
            throws IOException {
        TestCluster local = server.withStorages("local");
        IncrementalBackupTest.run(FULL, local).attempt().completed();

        try (ChildJvm child = ChildJvm.start(
                List.of(BackupChild.INCREMENTAL),
                BackupChild.class,
                Map.of("NIGHTSHIFT_CRASH_AT", "backup.after-stream"),
                local.coordinates())) {
            assertThat(child.exitStatus()).as(child.toString()).isEqualTo(CrashPoint.EXIT_STATUS);
        }

        assertThat(local.catalog().debris())
                .singleElement()
                .satisfies(debris -> assertThat(debris.objects()).anyMatch(name -> name.endsWith("block_digests.zst")));
        try (Stream<Path> left = Files.list(local.workFolder().of("backup"))) {
            assertThat(left).isEmpty();
        }
        IncrementalBackupTest.run(INCREMENTAL, local).attempt().completed();
        assertThat(local.backups())
                .extracting(backup -> backup.label().type())
                .containsExactly(BackupType.FULL, BackupType.INCREMENTAL);
        local.close();
    }
}
