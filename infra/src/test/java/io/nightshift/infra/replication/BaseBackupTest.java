package io.nightshift.infra.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.replication.BaseBackupOptions.Checkpoint;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.ServerUser;
import io.nightshift.infra.server.Servers;
import io.nightshift.infra.server.TestPostgres;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class BaseBackupTest {

    private static final String VERSIONS = "io.nightshift.infra.server.PostgresVersions#underTest";
    private static final int NEWEST = 18;

    private static final Servers SERVERS = new Servers(Map.of());

    @TempDir
    private Path directory;

    @AfterAll
    static void stop() {
        SERVERS.close();
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void a_backup_taken_under_load_has_what_its_manifest_says_and_starts_with_all_committed_rows(int major)
            throws Exception {
        var receiver = new DirectoryReceiver(directory);
        try (var postgres = TestPostgres.start(major)) {
            postgres.execute("postgres", "CREATE TABLE kept AS SELECT i FROM generate_series(1, 100000) i");
            long committedBefore;
            BackupEnd end;
            SystemIdentity identity;
            try (var workload = new Workload(postgres);
                    var connection = Connections.open(postgres, "full")) {
                await().until(() -> workload.committed() > 10);
                identity = connection.identifySystem();
                connection.createPhysicalSlot("full", true, true);
                committedBefore = workload.committed();
                end = connection.baseBackup(
                        fast("under load").wal(true).progress(true).build(), receiver);
            }
            receiver.finish();

            assertThat(end.sourceDamaged()).isFalse();
            assertThat(end.lsn()).isGreaterThan(receiver.start().lsn());
            assertThat(end.timeline()).isEqualTo(receiver.start().timeline());
            assertThat(receiver.archives).containsOnlyKeys("base.tar");
            assertThat(receiver.progress).isSorted().endsWith(receiver.bytes());
            assertThat(receiver.start().estimatedBytes()).isPositive().isLessThan(receiver.bytes());
            var manifest = manifest(receiver);
            assertThat(manifest.version()).isEqualTo(major >= 17 ? 2 : 1);
            assertThat(manifest.systemIdentifier()).isEqualTo(major >= 17 ? identity.systemIdentifier() : null);
            assertThat(manifest.walRanges())
                    .containsExactly(
                            new WalRange(end.timeline(), receiver.start().lsn(), end.lsn()));
            assertThat(checksums(receiver)).isEqualTo(stated(manifest));
            assertThat(rowsAfterRecovery(major, receiver)).isGreaterThanOrEqualTo(committedBefore);
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void tablespaces_come_first_each_in_an_archive(int major) throws Exception {
        var location = TestPostgres.temporaryDirectory("tablespace-");
        var receiver = new DirectoryReceiver(directory);
        try (var postgres = TestPostgres.start(major);
                var connection = Connections.open(postgres, "tablespaces")) {
            ServerUser.of(postgres.dataDirectory()).own(location);
            postgres.execute(
                    "postgres",
                    "CREATE TABLESPACE fast LOCATION '" + location + "'",
                    "CREATE TABLE there (i) TABLESPACE fast AS SELECT generate_series(1, 1000)");
            var oid = Long.parseLong(postgres.text("SELECT oid FROM pg_tablespace WHERE spcname = 'fast'"));

            connection.baseBackup(fast("tablespaces").build(), receiver);
            receiver.finish();

            assertThat(receiver.archives.keySet()).containsExactly(oid + ".tar", "base.tar");
            assertThat(receiver.archives)
                    .containsEntry(oid + ".tar", location.toString())
                    .containsEntry("base.tar", "");
            assertThat(receiver.start().tablespaces())
                    .containsExactly(
                            new TablespaceInfo(oid, location.toString(), null), new TablespaceInfo(0, "", null));
            assertThat(receiver.start().estimatedBytes()).isNull();
            assertThat(checksums(receiver)).isEqualTo(stated(manifest(receiver)));
        } finally {
            FileTree.delete(location);
        }
    }

    @ParameterizedTest
    @EnumSource(ManifestChecksum.class)
    void every_kind_of_checksum_agrees_with_the_server(ManifestChecksum algorithm) throws Exception {
        var receiver = new DirectoryReceiver(directory);
        try (var connection = Connections.open(SERVERS.of(NEWEST), "checksums")) {
            connection.baseBackup(fast("checksums").manifest(algorithm).build(), receiver);
            receiver.finish();

            var manifest = manifest(receiver);
            assertThat(manifest.files()).extracting(ManifestFile::algorithm).containsOnly(algorithm);
            assertThat(checksums(receiver)).isEqualTo(stated(manifest));
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void several_backups_may_follow_each_other_on_one_connection(int major) {
        try (var connection = Connections.open(SERVERS.of(major), "several")) {
            var first =
                    connection.baseBackup(fast("it's the first").manifest(null).build(), new NullReceiver());
            var second = connection.baseBackup(fast("second").maxRate(1L << 30).build(), new NullReceiver());

            assertThat(second.lsn()).isGreaterThan(first.lsn());
            assertThat(connection.identifySystem().flushLsn()).isGreaterThanOrEqualTo(second.lsn());
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void hears_what_the_server_says_inside_the_copy(int major) {
        var receiver = new NullReceiver();

        try (var connection = Connections.open(SERVERS.of(major), "notices")) {
            var end = connection.baseBackup(fast("notices").waitForArchive(true).build(), receiver);

            assertThat(end.notices())
                    .anySatisfy(notice -> {
                        assertThat(notice.severity()).isEqualTo("NOTICE");
                        assertThat(notice.message()).startsWith("WAL archiving is not enabled");
                    })
                    .isEqualTo(receiver.notices);
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void a_damaged_page_makes_a_whole_backup_of_a_damaged_source(int major) throws Exception {
        var receiver = new DirectoryReceiver(directory);
        try (var postgres = TestPostgres.start(major)) {
            postgres.execute(
                    "postgres", "CREATE TABLE broken AS SELECT i FROM generate_series(1, 10000) i", "CHECKPOINT");
            var file = postgres.text("SELECT pg_relation_filepath('broken')");
            postgres.stop();
            flipByte(postgres.dataDirectory().resolve(file), 3 * 8192 + 4000);
            postgres.restart();

            try (var connection = Connections.open(postgres, "damaged")) {
                var end = connection.baseBackup(fast("damaged").build(), receiver);
                receiver.finish();

                assertThat(end.sourceDamaged()).isTrue();
                assertThat(end.lsn()).isGreaterThan(receiver.start().lsn());
                assertThat(end.notices())
                        .extracting(notice -> notice.sqlState() + " " + notice.message())
                        .anyMatch(text ->
                                text.matches(".*checksum verification failed in file \"./" + file + "\", block 3.*"))
                        .last()
                        .isEqualTo("XX001 checksum verification failure during base backup");
                assertThat(checksums(receiver)).isEqualTo(stated(manifest(receiver)));

                var unchecked = connection.baseBackup(
                        fast("unchecked").verifyChecksums(false).build(), new NullReceiver());
                assertThat(unchecked.sourceDamaged()).isFalse();
            }
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void an_exception_of_the_receiver_reaches_the_caller_and_ends_the_backup_on_the_server(int major) {
        var postgres = SERVERS.of(major);
        var full = new NightshiftException(FailureKind.RESOURCES_EXHAUSTED, "storage is full");
        var connection = Connections.open(postgres, "receiver " + major);
        connection.createPhysicalSlot("receiver", true, true);

        assertThatThrownBy(() ->
                        connection.baseBackup(fast("receiver").maxRate(1L << 20).build(), new NullReceiver() {
                            @Override
                            public void data(byte[] buffer, int offset, int length) {
                                throw full;
                            }
                        }))
                .isSameAs(full);

        await().until(() -> Connections.walsenders(postgres, "receiver " + major) == 0);
        try (var other = Connections.open(postgres, "other")) {
            assertThat(other.readSlot("receiver")).isEmpty();
        }
        assertThatThrownBy(connection::identifySystem).hasMessageContaining("it was closed before");
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void a_server_killed_in_the_middle_is_unavailable(int major) {
        try (var postgres = TestPostgres.start(major);
                var connection = Connections.open(postgres, "killed")) {
            var failure = catchThrowableOfType(
                    NightshiftException.class,
                    () -> connection.baseBackup(fast("killed").maxRate(1L << 20).build(), new NullReceiver() {
                        @Override
                        public void archive(String name, String location) {
                            postgres.kill();
                        }
                    }));

            assertThat(failure.kind()).isEqualTo(FailureKind.POSTGRES_UNAVAILABLE);
            assertThat(failure).hasMessageStartingWith("base backup from 127.0.0.1:");
        }
    }

    @Test
    void a_server_that_falls_silent_in_the_middle_is_given_up_after_the_limit() {
        try (var postgres = TestPostgres.start(NEWEST);
                var connection = Connections.open(postgres, "silent")) {
            var options = fast("silent")
                    .maxRate(1L << 20)
                    .idleLimit(Duration.ofMillis(500))
                    .build();

            var failure = catchThrowableOfType(
                    NightshiftException.class,
                    () -> connection.baseBackup(options, new NullReceiver() {
                        @Override
                        public void archive(String name, String location) {
                            postgres.freeze();
                        }
                    }));

            assertThat(failure.kind()).isEqualTo(FailureKind.POSTGRES_UNAVAILABLE);
            assertThat(failure)
                    .hasMessage(
                            "base backup from 127.0.0.1:" + postgres.port() + ": the server was silent for too long");
        }
    }

    @Test
    void refuses_options_that_the_server_would_refuse() {
        assertThatThrownBy(() -> fast("x").maxRate(31 * 1024L).build())
                .hasMessage("rate limit of 31744 bytes per second is outside 32768 to 1073741824");
        assertThatThrownBy(() -> fast("é".repeat(513)).build())
                .hasMessage("backup label of 513 characters is longer than 1024 bytes");
        assertThatThrownBy(() -> fast("two\nlines").build().command())
                .hasMessage("\"two?lines\" has control characters");
    }

    @Test
    void writes_every_option_into_the_command() {
        var options = BaseBackupOptions.labelled("it's")
                .checkpoint(Checkpoint.SPREAD)
                .wal(true)
                .waitForArchive(true)
                .maxRate(32 * 1024L)
                .tablespaceMap(false)
                .verifyChecksums(false)
                .manifest(ManifestChecksum.SHA256)
                .progress(true)
                .build();

        var command = options.command();

        assertThat(command)
                .isEqualTo("BASE_BACKUP (LABEL 'it''s', CHECKPOINT 'spread', WAL true, WAIT true, MAX_RATE 32,"
                        + " TABLESPACE_MAP false, VERIFY_CHECKSUMS false, PROGRESS true, MANIFEST 'yes',"
                        + " MANIFEST_CHECKSUMS 'SHA256')");
    }

    @Test
    void shows_how_fast_it_reads() {
        var postgres = SERVERS.of(NEWEST);
        postgres.execute(
                "postgres",
                "CREATE TABLE big AS SELECT i, repeat('x', 1000) FROM generate_series(1, "
                        + Effort.of(100_000, 2_000_000) + ") i");
        try (var connection = Connections.open(postgres, "speed")) {
            for (var round = 1; round <= 3; round++) {
                var receiver = new NullReceiver();
                var begin = System.nanoTime();
                connection.baseBackup(fast("speed").build(), receiver);
                var seconds = (System.nanoTime() - begin) / 1e9;

                System.out.printf(
                        "base backup into a null receiver: %d MB in %.2f s, %.0f MB/s, %.0f bytes per call%n",
                        receiver.bytes >> 20,
                        seconds,
                        receiver.bytes / seconds / (1 << 20),
                        (double) receiver.bytes / receiver.calls);
                assertThat(receiver.bytes).isGreaterThan(100_000_000);
            }
        }
    }

    private static BaseBackupOptions.Builder fast(String label) {
        return BaseBackupOptions.labelled(label).checkpoint(Checkpoint.FAST);
    }

    private static BackupManifest manifest(DirectoryReceiver receiver) throws IOException {
        try (InputStream in = Files.newInputStream(receiver.manifestFile())) {
            return BackupManifest.parse(in);
        }
    }

    /** Path to size and checksum, from the archives; WAL is not in the manifest. */
    private Map<String, String> checksums(DirectoryReceiver receiver) throws IOException {
        var algorithm = manifest(receiver).files().get(0).algorithm();
        var found = new HashMap<String, String>();
        for (var archive : receiver.archives.keySet()) {
            var prefix = archive.equals("base.tar") ? "" : "pg_tblspc/" + archive.replace(".tar", "/");
            try (var tar = new TarArchiveInputStream(
                    new BufferedInputStream(Files.newInputStream(directory.resolve(archive))))) {
                for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                    if (entry.isFile() && !entry.getName().matches("pg_wal/[0-9A-F]{24}")) {
                        var bytes = tar.readAllBytes();
                        found.put(prefix + entry.getName(), bytes.length + " " + algorithm.hexOf(bytes));
                    }
                }
            }
        }
        return found;
    }

    private static Map<String, String> stated(BackupManifest manifest) {
        var stated = new HashMap<String, String>();
        manifest.files().forEach(file -> stated.put(file.path(), file.size() + " " + file.checksum()));
        assertThat(stated).hasSameSizeAs(manifest.files());
        return stated;
    }

    /** Starts a server on the backup alone and counts the rows of the workload, after looking at the others. */
    private long rowsAfterRecovery(int major, DirectoryReceiver receiver) throws Exception {
        try (var restored = TestPostgres.prepare(major, Map.of())) {
            var data = restored.dataDirectory();
            var emptied = restored.dataDirectory().resolveSibling("before");
            Files.move(data, emptied);
            unpack(directory.resolve("base.tar"), data);
            Files.copy(receiver.manifestFile(), data.resolve("backup_manifest"));
            Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwx------"));
            ServerUser.of(data).own(data);

            restored.restart();

            assertThat(restored.text("SELECT count(*) FROM kept")).isEqualTo("100000");
            assertThat(restored.text("SELECT count(*) = max(id) FROM busy")).isEqualTo("t");
            return Long.parseLong(restored.text("SELECT max(id) FROM busy"));
        }
    }

    private static void unpack(Path archive, Path target) throws IOException {
        Files.createDirectories(target);
        try (var tar = new TarArchiveInputStream(new BufferedInputStream(Files.newInputStream(archive)))) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                var path = target.resolve(entry.getName());
                if (entry.isDirectory()) {
                    Files.createDirectories(path);
                } else {
                    Files.copy(tar, path);
                }
            }
        }
    }

    private static void flipByte(Path file, long position) throws IOException {
        try (var bytes = new RandomAccessFile(file.toFile(), "rw")) {
            bytes.seek(position);
            int old = bytes.read();
            bytes.seek(position);
            bytes.write(old ^ 1);
        }
    }
}
