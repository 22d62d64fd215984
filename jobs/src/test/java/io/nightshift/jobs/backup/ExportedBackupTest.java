package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.replication.BackupManifest;
import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.replication.ManifestFile;
import io.nightshift.infra.restore.BackupCopies;
import io.nightshift.infra.restore.Exported;
import io.nightshift.infra.restore.PlainExport;
import io.nightshift.infra.restore.SingleFile;
import io.nightshift.infra.restore.TarExport;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.PostgresServer;
import io.nightshift.infra.server.ServerUser;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Exports of real backups: by the rules of pg_verifybackup, and by servers that start on them. */
class ExportedBackupTest {

    private static final FullBackupJobType TYPE = new FullBackupJobType();
    private static final BackupSettings OF_PRIMARY = settings(Map.of());
    private static final BackupSettings OF_STANDBY = settings(Map.of("source", "standby"));
    /** What pg_verifybackup passes over. */
    private static final Set<String> IGNORED =
            Set.of("backup_manifest", "postgresql.auto.conf", "recovery.signal", "standby.signal");

    private final Path directory = TestPostgres.temporaryDirectory("exported-");
    private final Path data = directory.resolve("data");
    private final Path linked = directory.resolve("linked elsewhere");
    private final Path location = TestPostgres.temporaryDirectory("table space-");

    @AfterEach
    void delete() throws Exception {
        FileTree.delete(directory);
        FileTree.delete(location);
    }

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#underTest")
    void a_plain_export_passes_the_rules_of_pg_verifybackup_and_a_server_on_it_has_every_row(int major)
            throws Exception {
        try (TestCluster cluster = TestCluster.start(major, Map.of("allow_in_place_tablespaces", "on"))) {
            TestPostgres postgres = cluster.postgres();
            ServerUser.of(postgres.dataDirectory()).own(location);
            postgres.execute(
                    "postgres",
                    "CREATE TABLESPACE linked LOCATION '" + location + "'",
                    "CREATE TABLESPACE inplace LOCATION ''",
                    "CREATE TABLE in_linked TABLESPACE linked AS SELECT i FROM generate_series(1, 1000) i",
                    "CREATE TABLE in_inplace TABLESPACE inplace AS SELECT i FROM generate_series(1, 1000) i",
                    "CREATE TABLE in_default AS SELECT i FROM generate_series(1, 1000) i");
            String oid = text(postgres.server(), "SELECT oid FROM pg_tablespace WHERE spcname = 'linked'");
            BackupCopies copies = backUp(cluster, OF_PRIMARY);

            Exported exported = export(copies, Map.of(oid, linked));

            Map<String, String> listed = listed(data);
            assertThat(found()).isEqualTo(listed);
            assertThat(listed).doesNotContainKey("tablespace_map").hasSizeGreaterThan(900);
            assertThat(exported.complaints()).isEmpty();
            assertThat(Files.readSymbolicLink(data.resolve("pg_tblspc/" + oid))).isEqualTo(linked);
            String path = text(postgres.server(), "SELECT pg_relation_filepath('in_linked')");
            new SingleFile(copies, path).into(directory, new Progress(), new Cancellation());
            assertThat(directory.resolve(Path.of(path).getFileName())).hasSameBinaryContentAs(data.resolve(path));
            PostgresServer server = start(postgres);
            for (String table : List.of("in_linked", "in_inplace", "in_default")) {
                assertThat(text(server, "SELECT count(*) || ' ' || sum(i) FROM " + table))
                        .isEqualTo("1000 500500");
            }
            assertThat(text(server, "SELECT pg_tablespace_location(" + oid + ")"))
                    .isEqualTo(linked.toString());
            assertThat(text(postgres.server(), "SELECT count(*) FROM in_linked"))
                    .as("rows of the source")
                    .isEqualTo("1000");
            server.stop();
        }
    }

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#newestOrAll")
    void an_export_in_tar_format_opens_with_stock_libraries_and_holds_what_its_manifest_lists(int major)
            throws Exception {
        try (TestCluster cluster = TestCluster.start(major, Map.of())) {
            BackupCopies copies = backUp(cluster, OF_PRIMARY);

            new TarExport(copies, data).run(new Progress(), new Cancellation());

            Map<String, String> found = new TreeMap<>();
            try (var tar = new TarArchiveInputStream(
                    new ZstdInputStreamNoFinalizer(Files.newInputStream(data.resolve("base.tar.zst"))))) {
                for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                    if (entry.isFile()) {
                        put(found, entry.getName(), tar.readAllBytes());
                    }
                }
            }
            assertThat(found).isEqualTo(listed(data));
            try (Stream<Path> files = Files.list(data)) {
                assertThat(files.map(file -> file.getFileName().toString()))
                        .containsExactlyInAnyOrder("base.tar.zst", "backup_manifest");
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#newestOrAll")
    void an_export_of_a_standby_s_backup_does_not_follow_the_primary(int major) throws Exception {
        try (TestCluster cluster = TestCluster.start(major, Map.of("wal_keep_size", "1GB"))) {
            cluster.postgres().execute("postgres", "CREATE TABLE rows AS SELECT i FROM generate_series(1, 1000) i");
            JobRun.of(TYPE, cluster, OF_PRIMARY).attempt().completed();
            try (ExtractedBackup standby = ExtractedBackup.of(cluster);
                    TestCluster fresh = cluster.withStorages("local");
                    TestCluster both = fresh.withStandby(standby.startAsStandby())) {
                BackupCopies copies = backUp(both, OF_STANDBY);

                Exported exported = export(copies, Map.of());

                assertThat(exported.notes())
                        .containsExactly(
                                "standby.signal is left out: with it a server would follow what its settings name");
                assertThat(data.resolve("standby.signal")).doesNotExist();
                assertThat(found()).isEqualTo(listed(data));
                PostgresServer server = start(cluster.postgres());
                assertThat(text(server, "SELECT pg_is_in_recovery() || ' ' || count(*) FROM rows"))
                        .isEqualTo("false 1000");
                server.stop();
            }
        }
    }

    private static BackupCopies backUp(TestCluster cluster, BackupSettings settings) {
        JobRun.of(TYPE, cluster, settings).attempt().completed();
        return BackupCopies.of(
                cluster.backups().get(0), cluster.clusterStorages().forReading(TestCluster.NAME));
    }

    private Exported export(BackupCopies copies, Map<String, Path> tablespaces) {
        return new PlainExport(copies, data, tablespaces).run(2, new Progress(), new Cancellation());
    }

    private PostgresServer start(TestPostgres source) throws Exception {
        Files.copy(source.dataDirectory().resolveSibling("data.password"), directory.resolve("data.password"));
        if (Files.exists(linked)) {
            ServerUser.of(source.dataDirectory()).own(linked);
        }
        PostgresServer server = PostgresServer.open(data, source.server().binaries());
        server.start(Map.of("fsync", "off", "allow_in_place_tablespaces", "on"));
        return server;
    }

    /** By path: size and checksum of everything that pg_verifybackup would judge. */
    private Map<String, String> found() throws Exception {
        Map<String, String> found = new TreeMap<>();
        try (Stream<Path> files = Files.walk(data, FileVisitOption.FOLLOW_LINKS)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                put(found, data.relativize(file).toString(), Files.readAllBytes(file));
            }
        }
        return found;
    }

    private static void put(Map<String, String> found, String path, byte[] content) {
        String plain = path.startsWith("./") ? path.substring(2) : path;
        if (!IGNORED.contains(plain) && !plain.startsWith("pg_wal/")) {
            found.put(plain, content.length + " " + ManifestChecksum.SHA256.hexOf(content));
        }
    }

    private static Map<String, String> listed(Path directory) throws Exception {
        Map<String, String> listed = new TreeMap<>();
        try (InputStream manifest =
                new ByteArrayInputStream(Files.readAllBytes(directory.resolve("backup_manifest")))) {
            for (ManifestFile file : BackupManifest.parse(manifest).files()) {
                listed.put(file.path(), file.size() + " " + file.checksum());
            }
        }
        listed.keySet().removeIf(path -> IGNORED.contains(path) || path.startsWith("pg_wal/"));
        return listed;
    }

    private static String text(PostgresServer server, String sql) throws SQLException {
        try (Connection connection = server.connect("postgres");
                ResultSet row = connection.createStatement().executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    private static BackupSettings settings(Map<String, Object> more) {
        Map<String, Object> all =
                new TreeMap<>(Map.of("compression", "zstd:1", "checkpoint", "fast", "manifest-checksum", "sha256"));
        all.putAll(more);
        return RecordBinder.fromMap(BackupSettings.class, all);
    }
}
