package io.nightshift.infra.server;

import io.nightshift.infra.postgres.PostgresVersion;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.awaitility.Awaitility;

/**
 * A real server of one test, on a fresh cluster of its own that vanishes with {@link #close()}. The cluster is a copy of
 * one made once per build, so all of a version share a system identifier. It runs without fsync: kill it as you like, but
 * do not test losses of power with it.
 */
public final class TestPostgres implements AutoCloseable {

    private static final Duration LIMIT = Duration.ofMinutes(3);
    /** Bytes. */
    private static final long ROOM = 6L << 30;

    private static final String PASSWORD = "known-to-every-test";
    /** As pg_authid keeps the password, hashed once and not 4,096 times: each login pays, and 15 has no setting for it. */
    private static final String VERIFIER = "SCRAM-SHA-256$1:c2l4dGVlbiBvZiBieXRlcw==$"
            + "kO+lEvxel0Bhv1oIIYc4MpcMc4+AybTvgySwhEqPDfg=:jzDO0S2CT+A6Vr67zJQr3aeKJrDD+mGpwxox9qKzqDA=";

    private static final Path MEMORY = Path.of("/dev/shm");
    private static final Map<String, String> FAST = Map.of(
            "fsync", "off",
            "wal_init_zero", "off",
            "shared_buffers", "32MB",
            "max_connections", "60",
            "log_line_prefix", "%m [%p] %q%u@%d ");

    static {
        // What a test waits for at a server comes soon, and each look may cost a login: neither 10 ms nor 100.
        Awaitility.setDefaultPollDelay(Duration.ZERO);
        Awaitility.setDefaultPollInterval(Duration.ofMillis(40));
    }

    private final Path directory;
    private final PostgresServer server;
    private final Map<String, String> settings;
    private final KeptSessions kept;
    private volatile boolean frozen;

    private TestPostgres(Path directory, PostgresServer server, Map<String, String> settings) {
        this.directory = directory;
        this.server = server;
        this.settings = settings;
        this.kept = new KeptSessions(server);
    }

    public static TestPostgres start(int major) {
        return start(major, Map.of());
    }

    /** Starts a server with these settings on its command line; they win over the fixture's own. */
    public static TestPostgres start(int major, Map<String, String> settings) {
        TestPostgres prepared = prepare(major, settings);
        try {
            prepared.restart();
            return prepared;
        } catch (RuntimeException | Error e) {
            prepared.close();
            throw e;
        }
    }

    /** The same without starting it, for tests that change its files first. */
    public static TestPostgres prepare(int major, Map<String, String> settings) {
        PostgresBinaries binaries = binaries(major);
        Path directory = temporaryDirectory("postgres-" + major + "-");
        unpack(template(binaries), directory);
        Map<String, String> all = fast(major);
        all.putAll(settings);
        return new TestPostgres(directory, PostgresServer.open(directory.resolve("data"), binaries), all);
    }

    /** A server whose pages have no checksums, on a cluster made for it. */
    public static TestPostgres startWithoutChecksums(int major, Map<String, String> settings) {
        PostgresBinaries binaries = binaries(major);
        Path directory = temporaryDirectory("postgres-" + major + "-");
        try {
            new PasswordFile(directory.resolve("data.password")).write(PASSWORD);
            Path given = Files.writeString(directory.resolve("given"), VERIFIER);
            ServerUser.of(directory).own(directory);
            List<String> initdb = new ArrayList<>(List.of(
                    binaries.program("initdb"),
                    "--pgdata=" + directory.resolve("data"),
                    "--username=" + PostgresServer.USERNAME,
                    "--pwfile=" + given,
                    "--auth=scram-sha-256",
                    "--no-sync"));
            if (major >= 18) {
                initdb.add("--no-data-checksums");
            }
            Command.Outcome outcome =
                    Command.run(ServerUser.of(directory.resolve("data")).command(initdb), LIMIT);
            if (!outcome.succeeded()) {
                throw new IllegalStateException(outcome.output());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Map<String, String> all = fast(major);
        all.putAll(settings);
        TestPostgres prepared =
                new TestPostgres(directory, PostgresServer.open(directory.resolve("data"), binaries), all);
        prepared.restart();
        return prepared;
    }

    private static Map<String, String> fast(int major) {
        Map<String, String> settings = new LinkedHashMap<>(FAST);
        if (major >= 18) {
            settings.put("io_method", "sync"); // without three more processes
        }
        return settings;
    }

    /** The binaries that tests use for this major version; one that the build did not fetch is an error. */
    public static PostgresBinaries binaries(int major) {
        return BuildDirectory.binaries(major);
    }

    /** Lets a home find the newest server unpacked, as it is after its first command. */
    public static void unpacked(Path cache) {
        try {
            binaries(PostgresVersion.NEWEST_SUPPORTED_MAJOR);
            Files.createDirectories(cache.getParent());
            Files.createSymbolicLink(cache, BuildDirectory.prepared().resolve("binaries"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Puts a cluster of the newest version, which never ran, where a home would make its own: that takes seconds. */
    public static void initialised(Path directory) {
        ServerUser.of(directory.resolve("data")).createPassableDirectories(directory);
        unpack(template(binaries(PostgresVersion.NEWEST_SUPPORTED_MAJOR)), directory);
    }

    /**
     * A new directory that the servers' user may pass through; whoever asks for it deletes it. It lies in memory where there
     * is room for some clusters, unless {@code -Don.disk=true} says otherwise, as benchmarks do: files come and go by the
     * thousand, and no test sees what is on disk and what is not.
     */
    public static Path temporaryDirectory(String prefix) {
        try {
            Path directory = isRoomy(MEMORY)
                    ? Files.createTempDirectory(MEMORY, "nightshift-" + prefix)
                    : Files.createTempDirectory("nightshift-" + prefix).toRealPath();
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
            return directory;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A file system in memory may be larger than what is left of it. */
    private static boolean isRoomy(Path directory) throws IOException {
        Path memory = Path.of("/proc/meminfo");
        if (Boolean.getBoolean("on.disk") || !Files.isWritable(directory) || !Files.isReadable(memory)) {
            return false;
        }
        long available = Files.readAllLines(memory).stream()
                .filter(line -> line.startsWith("MemAvailable:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                .findFirst()
                .orElse(0);
        return Math.min(available, Files.getFileStore(directory).getUsableSpace()) > ROOM;
    }

    public PostgresServer server() {
        return server;
    }

    public Path dataDirectory() {
        return server.dataDirectory();
    }

    public int port() {
        return server.port();
    }

    public String username() {
        return server.username();
    }

    public String password() {
        return server.password();
    }

    /** Without name and password. */
    public String url(String database) {
        return server.url(database);
    }

    /** A new session of the superuser. */
    public Connection connect(String database) throws SQLException {
        return server.connect(database);
    }

    /**
     * Runs statements in one session, each in its own transaction. It is as new, and in database postgres it is kept for
     * whoever comes next; in others it ends, so that nothing is in the way of their end.
     */
    public void execute(String database, String... statements) {
        try {
            if (database.equals(KeptSessions.DATABASE)) {
                kept.use(session -> {
                    executeAll(session, statements);
                    return true;
                });
                endWhatReadsLate(statements);
                return;
            }
            try (Connection connection = connect(database);
                    Statement session = connection.createStatement()) {
                executeAll(session, statements);
            }
        } catch (SQLException e) {
            throw new IllegalStateException("in database " + database + " of " + server + ": " + e.getMessage(), e);
        }
    }

    /** A session that is there reads a changed configuration some time later; a new one has it from the beginning. */
    private void endWhatReadsLate(String... statements) throws SQLException {
        if (List.of(statements).toString().contains("pg_reload_conf")) {
            kept.close();
        }
    }

    private static void executeAll(Statement session, String... statements) throws SQLException {
        for (String sql : statements) {
            session.execute(sql);
        }
    }

    /** The first column of the first row, or null without one; {@link #texts} says in which session. */
    public String text(String sql) {
        List<String> rows = texts(sql);
        return rows.isEmpty() ? null : rows.get(0);
    }

    public long number(String sql) {
        return Long.parseLong(text(sql));
    }

    /**
     * The first column of every row, asked in database postgres in a session that is kept: what a test waits for it asks
     * for many times.
     */
    public List<String> texts(String sql) {
        try {
            List<String> rows = kept.use(session -> {
                List<String> texts = new ArrayList<>();
                try (ResultSet row = session.executeQuery(sql)) {
                    while (row.next()) {
                        texts.add(row.getString(1));
                    }
                }
                return texts;
            });
            endWhatReadsLate(sql);
            return rows;
        } catch (SQLException e) {
            throw new IllegalStateException(sql + " at " + server + ": " + e.getMessage(), e);
        }
    }

    /** Kills the postmaster and all its children at once, as a power cut ends them; returns when they are gone. */
    public void kill() {
        if (!ServerProcesses.kill(dataDirectory(), LIMIT)) {
            throw new IllegalStateException("processes of " + server + " survive SIGKILL");
        }
    }

    /** Sends the postmaster a signal and does not wait: INT asks for a fast shutdown, QUIT for an immediate one. */
    public void signalPostmaster(String signal) {
        long pid = PostmasterFile.read(dataDirectory()).orElseThrow().pid();
        Command.run(List.of("kill", "-" + signal, Long.toString(pid)), LIMIT);
    }

    /** Stops every process of the server in its tracks: connections stay open and nothing answers. */
    public void freeze() {
        frozen = true;
        signal("STOP");
    }

    public void thaw() {
        signal("CONT");
        frozen = false;
    }

    public void stop() {
        server.stop();
    }

    /** Starts it, after a stop if it runs, with the settings it had; on its port. */
    public void restart() {
        restart(Map.of());
    }

    /** The same with more or other settings, kept for later restarts. */
    public void restart(Map<String, String> more) {
        settings.putAll(more);
        server.stop();
        server.start(settings);
    }

    /** In a way that leaves no shared memory: the system has room for 4,096 segments, and tests kill servers all the time. */
    private void end() {
        Optional<PostmasterFile> postmaster = PostmasterFile.read(dataDirectory());
        if (server.isRunning()) {
            signalPostmaster("QUIT");
            Condition.within(LIMIT, () -> !server.isRunning());
        }
        kill();
        postmaster.ifPresent(SharedMemory::remove);
    }

    @Override
    public void close() {
        try {
            if (frozen) {
                thaw();
            }
            end();
            kept.close();
            FileTree.delete(directory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private void signal(String name) {
        List<String> words = new ArrayList<>(List.of("kill", "-" + name));
        ServerProcesses.of(dataDirectory()).forEach(pid -> words.add(Long.toString(pid)));
        if (words.size() > 2) {
            Command.run(words, LIMIT);
        }
    }

    /** An initialised cluster that never ran, with its password, as one tar file; made once per version and build. */
    @SuppressWarnings("try") // the claim is held, not used
    private static Path template(PostgresBinaries binaries) {
        Path templates = BuildDirectory.prepared().resolve("templates");
        Path template = templates.resolve(binaries.bin().getParent().getFileName() + ".tar");
        ServerUser.of(template).createPassableDirectories(templates);
        try (FileClaim claim = FileClaim.take(templates.resolve("templates.lock"), LIMIT)) {
            if (!Files.exists(template)) {
                Path unfinished = templates.resolve(".unfinished");
                FileTree.delete(unfinished);
                Path given = Files.writeString(templates.resolve("given"), VERIFIER);
                ServerUser.of(given).own(given);
                PostgresServer.initialise(unfinished.resolve("data"), binaries, "--no-sync", "--pwfile=" + given);
                new PasswordFile(unfinished.resolve("data.password")).write(PASSWORD);
                Path packed = templates.resolve(".unfinished.tar");
                run("tar", "--create", "--sparse", "--file=" + packed, "--directory=" + unfinished, ".");
                Files.move(packed, template, StandardCopyOption.ATOMIC_MOVE);
                FileTree.delete(unfinished);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return template;
    }

    /** Unpacking takes a third of the processor time of a copy of the thousand files. */
    private static void unpack(Path template, Path directory) {
        run("tar", "--extract", "--file=" + template, "--preserve-permissions", "--directory=" + directory);
    }

    private static void run(String... words) {
        Command.Outcome outcome = Command.run(List.of(words), LIMIT);
        if (!outcome.succeeded()) {
            throw new IllegalStateException(String.join(" ", words) + " failed: " + outcome.output());
        }
    }
}
