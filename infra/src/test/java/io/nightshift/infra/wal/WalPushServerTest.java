package io.nightshift.infra.wal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.PostgresVersions;
import io.nightshift.infra.server.ServerUser;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.StorageSet;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A real server whose archive_command is the front in the launcher. */
class WalPushServerTest {

    private static final Timeline FIRST = new Timeline(1);
    private static final int SEGMENT = 16 << 20;
    private static final Duration LIMIT = Duration.ofMinutes(1);

    private static Path home;
    private static Path launcher;
    private static TestPostgres postgres;
    private static SystemIdentifier systemIdentifier;

    private WalArchive archive;
    private WalPushServer server;
    private Path storage;

    @BeforeAll
    static void start() throws Exception {
        home = TestPostgres.temporaryDirectory("push-");
        launcher = Files.copy(root().resolve("nightshift"), home.resolve("nightshift"));
        assertThat(launcher.toFile().setExecutable(true, false)).isTrue();
        assertThat(launcher.toFile().setReadable(true, false)).isTrue();
        postgres = TestPostgres.start(
                18,
                Map.of(
                        "archive_mode", "on",
                        "archive_command", launcher + " wal push --home " + home + " --cluster chanuka %p",
                        "wal_keep_size", "1GB"));
        systemIdentifier = systemIdentifier(postgres);
    }

    private static SystemIdentifier systemIdentifier(TestPostgres server) throws SQLException {
        return SystemIdentifier.parse(server.text("SELECT system_identifier::text FROM pg_control_system()"));
    }

    private static Path root() {
        Path step = Path.of(System.getProperty("build.directory", "")).toAbsolutePath();
        while (!Files.exists(step.resolve("nightshift"))) {
            step = step.getParent();
        }
        return step;
    }

    @AfterAll
    static void stop() throws IOException {
        postgres.close();
        FileTree.delete(home);
    }

    @BeforeEach
    void listen() throws IOException {
        storage = Files.createTempDirectory(home, "storage-");
        new DirectoryStorage("near", storage).prepare();
        archive = archive(systemIdentifier, 18);
        server = listen(systemIdentifier);
    }

    private WalArchive archive(SystemIdentifier own, int major) {
        return new WalArchive(
                StorageSet.of(new DirectoryStorage("near", storage)), new BackupPaths("chanuka", major, own), SEGMENT);
    }

    private WalPushServer listen(SystemIdentifier own) {
        return listen(own, 18);
    }

    private WalPushServer listen(SystemIdentifier own, int major) {
        WalPushServer listening = WalPushServer.listen(home.resolve("wal-push.socket"), cluster -> {
            if (!cluster.equals("chanuka")) {
                throw new NightshiftException(
                        FailureKind.CONFIGURATION, "no cluster is called " + cluster, "chanuka is");
            }
            return new WalPushServer.Destination(archive(own, major), major, own);
        });
        // Everything runs as one user, except in tests of root.
        ServerUser.of(postgres.dataDirectory()).own(home.resolve("wal-push.socket"));
        return listening;
    }

    @AfterEach
    void close() {
        server.close();
    }

    /** Fills a segment a little, and says which one. */
    private static WalSegment switched() throws SQLException {
        postgres.execute("postgres", "SELECT pg_create_restore_point('here')");
        return WalSegment.at(
                FIRST, Lsn.parse(postgres.text("SELECT pg_switch_wal()")).plus(-1), SEGMENT);
    }

    private static Path file(WalSegment segment) {
        return postgres.dataDirectory().resolve("pg_wal").resolve(segment.name());
    }

    /** How the front ended, and what it said. */
    private record Outcome(int status, String output) {}

    private static Outcome push(String cluster, Path file) throws Exception {
        Process process = new ProcessBuilder(
                        launcher.toString(),
                        "wal",
                        "push",
                        "--home",
                        home.toString(),
                        "--cluster",
                        cluster,
                        file.toString())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        return new Outcome(process.waitFor(), output);
    }

    @Test
    void archives_what_the_server_hands_over() throws Exception {
        WalSegment segment = switched();

        await().atMost(LIMIT)
                .until(() -> archive.open(new WalObject.Segment(segment)).isPresent());

        try (InputStream stored = archive.open(new WalObject.Segment(segment)).orElseThrow()) {
            assertThat(stored.readAllBytes()).isEqualTo(Files.readAllBytes(file(segment)));
        }
        await().atMost(LIMIT)
                .until(() -> segment.name().equals(postgres.text("SELECT last_archived_wal FROM pg_stat_archiver")));
    }

    @Test
    void leaves_the_segment_with_the_server_while_nobody_listens() throws Exception {
        server.close();
        WalSegment segment = switched();
        await().atMost(LIMIT)
                .until(() -> segment.name().equals(postgres.text("SELECT last_failed_wal FROM pg_stat_archiver")));

        Outcome outcome = push("chanuka", file(segment));
        server = listen(systemIdentifier);

        assertThat(outcome.status()).isEqualTo(5);
        assertThat(outcome.output()).contains("nobody answers at " + home.resolve("wal-push.socket"));
        await().atMost(LIMIT)
                .until(() -> archive.open(new WalObject.Segment(segment)).isPresent());
    }

    @Test
    void takes_the_same_bytes_again_and_refuses_others_under_the_same_name() throws Exception {
        WalSegment segment = switched();
        Path same = home.resolve(segment.name());
        byte[] bytes = Files.readAllBytes(file(segment));
        Files.write(same, bytes);
        assertThat(push("chanuka", same)).isEqualTo(new Outcome(0, ""));
        assertThat(push("chanuka", same)).isEqualTo(new Outcome(0, ""));

        bytes[100_000] ^= 1;
        Files.write(same, bytes);
        Outcome other = push("chanuka", same);

        assertThat(other.status()).isEqualTo(1);
        assertThat(other.output()).contains("storage near has other bytes for WAL");
    }

    @Test
    void refuses_what_is_not_wal_of_the_cluster() throws Exception {
        WalSegment segment = switched();
        Path shorter = Files.write(home.resolve(segment.next().name()), new byte[100]);
        Path renamed =
                Files.copy(file(segment), home.resolve(segment.next().next().name()));

        assertThat(push("chanuka", shorter).output()).contains(" has 100 bytes, not 16777216");
        assertThat(push("chanuka", renamed).output()).contains("says that it belongs to " + segment.start());
        assertThat(push("chanuka", file(segment.next().next().next())).output()).contains("not read");
        assertThat(push("chanuka", launcher).output()).contains("has no name of a WAL file");
        assertThat(push("other", file(segment)).output()).contains("no cluster is called other");
        server.close();
        server = listen(new SystemIdentifier(7));
        assertThat(push("chanuka", file(segment)).output()).contains("is of another system identifier than 7");
    }

    @Test
    void refuses_a_segment_with_a_damaged_page_and_names_the_place() throws Exception {
        postgres.execute("postgres", "SELECT pg_logical_emit_message(false, '', repeat('x', 17000000))");
        WalSegment last = switched();
        WalSegment full = new WalSegment(FIRST, last.number() - 1, SEGMENT);
        byte[] bytes = Files.readAllBytes(file(full));
        Path copy = home.resolve(full.name());
        byte[] foreign = bytes.clone();
        foreign[100 * WalPages.SIZE + 8] ^= 1;
        byte[] emptied = bytes.clone();
        Arrays.fill(emptied, 100 * WalPages.SIZE, 200 * WalPages.SIZE, (byte) 0);

        Files.write(copy, foreign);
        assertThat(push("chanuka", copy).output())
                .contains(copy
                        + " pushed for cluster chanuka is damaged: the page at byte 819200 says that it belongs to ");
        Files.write(copy, emptied);
        assertThat(push("chanuka", copy).output())
                .contains(" is damaged: the page at byte 1638400 comes after empty ones");
        Files.write(copy, bytes);
        assertThat(push("chanuka", copy)).isEqualTo(new Outcome(0, ""));
        assertThat(push("chanuka", file(last))).isEqualTo(new Outcome(0, ""));
    }

    @Test
    void takes_the_segments_of_every_version_whole_switched_or_after_a_crash() throws Exception {
        for (int major : PostgresVersions.newestOrAll()) {
            try (var other = TestPostgres.start(major, Map.of("wal_keep_size", "1GB"))) {
                other.execute(
                        "postgres",
                        "SELECT pg_logical_emit_message(false, '', repeat('x', 40000000))",
                        "SELECT pg_switch_wal()",
                        "SELECT pg_logical_emit_message(true, '', 'before the crash')");
                other.kill();
                other.restart();
                other.execute(
                        "postgres", "SELECT pg_logical_emit_message(true, '', 'after it')", "SELECT pg_switch_wal()");
                server.close();
                server = listen(systemIdentifier(other), major);
                List<Path> files = finished(other);

                assertThat(files).hasSizeGreaterThan(3);
                long begun = System.nanoTime();
                for (Path file : files) {
                    assertThat(push("chanuka", file)).as(file.toString()).isEqualTo(new Outcome(0, ""));
                }
                System.out.printf(
                        "FIGURE wal push of a segment of PostgreSQL %d: %d ms with its front, of %d%n",
                        major, (System.nanoTime() - begun) / 1_000_000 / files.size(), files.size());
            }
        }
    }

    /** The segments that a server has switched away from. */
    private static List<Path> finished(TestPostgres other) throws Exception {
        String present = other.text("SELECT pg_walfile_name(pg_current_wal_insert_lsn())");
        try (Stream<Path> files = Files.list(other.dataDirectory().resolve("pg_wal"))) {
            return files.filter(file -> file.getFileName().toString().matches("[0-9A-F]{24}")
                            && file.getFileName().toString().compareTo(present) < 0)
                    .sorted()
                    .toList();
        }
    }

    private static Path onPath(String program) {
        return Stream.of(System.getenv("PATH").split(":"))
                .map(folder -> Path.of(folder, program))
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void a_server_without_perl_and_python_is_told_what_to_install() throws Exception {
        Path bare = Files.createDirectory(home.resolve("bare"));
        for (String program : List.of("sh", "dirname", "readlink")) {
            Files.createSymbolicLink(bare.resolve(program), onPath(program));
        }
        ProcessBuilder builder = new ProcessBuilder(
                        launcher.toString(), "wal", "push", "--home", home.toString(), "--cluster", "chanuka", "/x")
                .redirectErrorStream(true);
        builder.environment().put("PATH", bare.toString());

        Process process = builder.start();

        assertThat(new String(process.getInputStream().readAllBytes(), UTF_8)).isEqualTo("""
                nightshift: wal push found neither perl with IO::Socket::UNIX nor python3 on PATH (%s)
                HINT: install one of them on this server: Debian perl-base or python3, Red Hat perl-IO or python3
                """.formatted(bare));
        assertThat(process.waitFor()).isEqualTo(2);
    }

    @Test
    void stores_histories_and_the_used_part_of_a_partial_and_passes_over_backup_histories() throws Exception {
        switched();
        postgres.execute("postgres", "SELECT pg_logical_emit_message(true, '', 'in the next segment')");
        Lsn end = Lsn.parse(postgres.text("SELECT pg_current_wal_flush_lsn()"));
        WalSegment segment = WalSegment.at(FIRST, end, SEGMENT);
        Path partial = Files.copy(file(segment), home.resolve(segment.name() + ".partial"));
        Path history = Files.writeString(home.resolve("00000002.history"), "1\t0/3000000\tno recovery target\n");
        Path backup = Files.writeString(home.resolve(segment.name() + ".00000028.backup"), "START WAL LOCATION");

        assertThat(push("chanuka", history)).isEqualTo(new Outcome(0, ""));
        assertThat(push("chanuka", backup)).isEqualTo(new Outcome(0, ""));
        assertThat(push("chanuka", partial)).isEqualTo(new Outcome(0, ""));

        assertThat(archive.coverage().histories()).containsExactly(new Timeline(2));
        assertThat(archive.coverage().end(FIRST).orElseThrow()).isGreaterThanOrEqualTo(end);
        assertThat(archive.coverage().end(FIRST).orElseThrow()).isLessThan(segment.end());
    }

    @Test
    void is_the_only_one_and_replaces_a_dead_one() throws Exception {
        assertThatThrownBy(() -> listen(systemIdentifier))
                .isInstanceOfSatisfying(
                        NightshiftException.class, e -> assertThat(e.kind()).isEqualTo(FailureKind.REFUSED))
                .hasMessageStartingWith("another process takes pushed WAL at " + home.resolve("wal-push.socket"));

        server.close();
        Files.createFile(home.resolve("wal-push.socket"));
        server = listen(systemIdentifier);

        assertThat(push("chanuka", file(switched()))).isEqualTo(new Outcome(0, ""));
    }
}
