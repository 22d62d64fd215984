package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupDocument.SourceDamage;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.ServerUser;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Pages that are wrong on the server: the backup is kept as the server sent it, says so, and every file and page that the
 * server names is a finding that names the relation.
 */
class SourceDamageTest {

    private static final BackupSettings SETTINGS = RecordBinder.fromMap(
            BackupSettings.class,
            Map.of(
                    "compression", "zstd:1",
                    "compression-threads", 2,
                    "checkpoint", "fast",
                    "manifest-checksum", "sha256"));
    private static final int PAGE = 8192;

    /** Before, PostgreSQL checks no page in an in-place tablespace. */
    private static final int CHECKS_IN_PLACE = 17;

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#underTest")
    void every_damaged_file_is_a_finding_and_the_backup_is_kept_and_marked(int major) throws Exception {
        Path location = TestPostgres.temporaryDirectory("tablespace-");
        try (TestCluster cluster = TestCluster.start(major, Map.of("allow_in_place_tablespaces", "on"))) {
            TestPostgres postgres = cluster.postgres();
            ServerUser.of(postgres.dataDirectory()).own(location);
            createTables(postgres, location);
            String many = file(postgres, "postgres", "many");
            String index = file(postgres, "postgres", "one_index");
            String linked = file(postgres, "other", "linked");
            String inPlace = file(postgres, "postgres", "inplace");
            String segmented = file(postgres, "postgres", "segmented");
            String cut = file(postgres, "postgres", "cut");
            postgres.stop();
            for (int block = 2; block <= 24; block += 2) {
                damage(postgres, many, block);
            }
            damage(postgres, index, 1);
            damage(postgres, linked, 2);
            damage(postgres, inPlace, 0);
            // The checksum of a page depends on its number: a page that lies elsewhere is wrong there.
            copyFirstPage(postgres, segmented, segmented + ".1", 3);
            Files.write(postgres.dataDirectory().resolve(cut), new byte[100], StandardOpenOption.APPEND);
            postgres.restart();

            JobRun.Outcome outcome = JobRun.of(new FullBackupJobType(), cluster, SETTINGS)
                    .attempt()
                    .completed();
            JobReport report = outcome.report();

            List<SourceDamage> expected = new ArrayList<>();
            for (long block = 2; block <= 10; block += 2) {
                expected.add(new SourceDamage(many, block));
            }
            expected.add(new SourceDamage(many, -1));
            expected.add(new SourceDamage(index, 1));
            expected.add(new SourceDamage(linked, 2));
            expected.add(new SourceDamage(segmented + ".1", 3));
            if (major >= CHECKS_IN_PLACE) {
                expected.add(new SourceDamage(inPlace, 0));
            }
            BackupDocument document = cluster.backups().get(0).document().orElseThrow();
            assertThat(document.source().damage()).containsExactlyInAnyOrderElementsOf(expected);
            assertThat(cluster.backups().get(0).isRestorable()).isTrue();
            assertThat(report.exitStatus()).isEqualTo(3);
            assertThat(report.summary()).endsWith("; source-damaged, more than " + (expected.size() - 1) + " pages");

            Map<String, Finding> findings =
                    outcome.findings().stream().collect(Collectors.toMap(Finding::key, Function.identity()));
            assertThat(findings.keySet())
                    .containsExactlyInAnyOrderElementsOf(java.util.stream.Stream.concat(
                                    expected.stream().map(SourceDamageTest::key),
                                    java.util.stream.Stream.of("backup/unchecked/" + cut))
                            .toList());
            assertThat(findings.get("backup/source-damage/" + many + "/2")).satisfies(finding -> {
                assertThat(finding.severity()).isEqualTo(Severity.ERROR);
                assertThat(finding.subject()).isEqualTo(many + " block 2");
                assertThat(finding.detail())
                        .isEqualTo(
                                "the page's checksum is wrong on the server: table public.many in database postgres");
                assertThat(finding.remedy())
                        .isEqualTo("look after the server's disk and memory and keep the older backups, then compare it"
                                + " with the newest backup that is not source-damaged: nightshift backups lists them");
            });
            assertThat(findings.get("backup/source-damage/" + many).detail())
                    .isEqualTo("the checksums of 12 pages are wrong on the server, which names 5 of them:"
                            + " table public.many in database postgres");
            assertThat(findings.get("backup/source-damage/" + index + "/1")).satisfies(finding -> {
                assertThat(finding.detail())
                        .endsWith(": index public.one_index of table public.many in database postgres");
                assertThat(finding.remedy())
                        .endsWith(", then REINDEX INDEX CONCURRENTLY public.one_index in database postgres");
            });
            assertThat(findings.get("backup/source-damage/" + linked + "/2").detail())
                    .endsWith(": table public.linked in database other");
            assertThat(findings.get("backup/unchecked/" + cut).severity()).isEqualTo(Severity.WARNING);

            try (ExtractedBackup copy = ExtractedBackup.of(cluster)) {
                assertThat(copy.found()).isEqualTo(copy.listed());
                assertThat(Files.readAllBytes(copy.data().resolve(many)))
                        .isEqualTo(Files.readAllBytes(postgres.dataDirectory().resolve(many)));
                copy.start();
                try (Connection connection = copy.server().connect("postgres")) {
                    assertThat(text(connection, "SELECT count(*) FROM segmented"))
                            .isEqualTo("1000");
                    assertThatThrownBy(() -> text(connection, "SELECT count(*) FROM many"))
                            .isInstanceOf(SQLException.class)
                            .hasMessageContaining("invalid page in block");
                }
            }
        } finally {
            FileTree.delete(location);
        }
    }

    private static void createTables(TestPostgres postgres, Path location) {
        postgres.execute(
                "postgres",
                "CREATE DATABASE other",
                "CREATE TABLESPACE linked LOCATION '" + location + "'",
                "CREATE TABLESPACE inplace LOCATION ''",
                "CREATE TABLE many AS SELECT i, repeat('x', 200) AS filler FROM generate_series(1, 2000) i",
                "CREATE INDEX one_index ON many (i)",
                "CREATE TABLE inplace TABLESPACE inplace AS SELECT i FROM generate_series(1, 1000) i",
                "CREATE TABLE segmented AS SELECT i FROM generate_series(1, 1000) i",
                "CREATE TABLE cut AS SELECT i FROM generate_series(1, 1000) i");
        postgres.execute(
                "other",
                "CREATE TABLE linked TABLESPACE linked AS SELECT i FROM generate_series(1, 1000) i",
                "CHECKPOINT");
    }

    private static String key(SourceDamage damage) {
        return "backup/source-damage/" + damage.path() + (damage.block() < 0 ? "" : "/" + damage.block());
    }

    private static String file(TestPostgres postgres, String database, String relation) throws SQLException {
        try (Connection connection = postgres.connect(database)) {
            return text(connection, "SELECT pg_relation_filepath('" + relation + "')");
        }
    }

    private static void damage(TestPostgres postgres, String file, int block) throws IOException {
        try (var bytes =
                new RandomAccessFile(postgres.dataDirectory().resolve(file).toFile(), "rw")) {
            long position = (long) block * PAGE + PAGE - 100;
            bytes.seek(position);
            int was = bytes.read();
            assertThat(was).isNotNegative();
            bytes.seek(position);
            bytes.write(was ^ 0x10);
        }
    }

    private static void copyFirstPage(TestPostgres postgres, String from, String to, int block) throws IOException {
        Path target = postgres.dataDirectory().resolve(to);
        byte[] page = new byte[(block + 1) * PAGE];
        byte[] source = Files.readAllBytes(postgres.dataDirectory().resolve(from));
        System.arraycopy(source, 0, page, block * PAGE, PAGE);
        Files.write(target, page);
        ServerUser.of(postgres.dataDirectory()).own(target);
    }

    private static String text(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }
}
