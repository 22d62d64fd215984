package io.nightshift.infra.restore;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.postgres.Identifiers;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.server.PostgresBinaries;
import io.nightshift.infra.server.PostgresServer;
import io.nightshift.infra.server.ServerUser;
import io.nightshift.infra.wal.StoredWal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A restored cluster with a server on it that nobody else can enter, does nothing by itself, and may be written to.
 * Closing it throws all of it away, whatever happened, unless it was kept; {@link RestoredCopies#sweep} does so for a
 * process that was killed.
 */
public final class RestoredCopy implements AutoCloseable {

    /** Nothing of it need survive anything. */
    private static final Map<String, String> THROWN_AWAY = Map.of(
            "fsync", "off",
            "full_page_writes", "off",
            "autovacuum", "off",
            // In the data directory: it goes with it, also when the server was killed.
            "dynamic_shared_memory_type", "mmap");

    private static final String READER = "nightshift_reader";
    private static final Set<String> DUPLICATE = Set.of("42710", "23505");

    private final TemporaryCopy copy;
    private List<Path> tablespaces = List.of();
    private @Nullable PostgresServer server;

    private RestoredCopy(TemporaryCopy copy) {
        this.copy = copy;
    }

    /** Takes a directory that is absent, empty, or has only what a killed process left. REFUSED otherwise. */
    public static RestoredCopy in(Path directory) {
        return new RestoredCopy(TemporaryCopy.in(directory.toAbsolutePath().normalize()));
    }

    /** Writes the cluster, inert. All is checked while it is written. */
    public Restored restore(
            List<BackupCopies> chain,
            RestorePlan plan,
            StoredWal wal,
            int workers,
            Progress progress,
            Cancellation cancellation) {
        Map<String, Path> places = places(plan.document());
        tablespaces = List.copyOf(places.values());
        return new Restore(
                        chain,
                        plan,
                        RestorePlan.Action.PROMOTE,
                        wal,
                        new Restore.Destination(copy.data(), places, false, false))
                .run(workers, progress, cancellation);
    }

    private Map<String, Path> places(BackupDocument document) {
        Map<String, Path> places = new LinkedHashMap<>();
        for (BackupDocument.Archive archive : document.archives()) {
            if (archive.tablespace() != null && archive.location().startsWith("/")) {
                places.put(archive.tablespace(), copy.tablespace(archive.tablespace()));
            }
        }
        return places;
    }

    /**
     * Recovers it to the plan's target, for as long as that takes, and starts a server that is open when this returns.
     *
     * @param binaries of the cluster's major version
     * @param replayedBytes of WAL
     * @return how quickly it was replayed
     */
    public Throughput recover(
            PostgresBinaries binaries, long replayedBytes, Progress progress, Cancellation cancellation) {
        progress.begin("recover", null, "");
        tablespaces.forEach(ServerUser.of(copy.data())::own);
        long begun = System.nanoTime();
        PostgresServer adopted = PostgresServer.adopt(copy.data(), binaries, cancellation);
        Throughput replay = Throughput.since(begun, Throughput.Work.REPLAY, replayedBytes);
        cancellation.check();
        adopted.start(THROWN_AWAY);
        server = adopted;
        return replay;
    }

    /** Makes an empty cluster there instead of a restored one, and starts a server that is open when this returns. */
    public void initialise(PostgresBinaries binaries) {
        PostgresServer made = PostgresServer.initialise(copy.data(), binaries, "--no-sync");
        made.start(THROWN_AWAY);
        server = made;
    }

    /** The server; it runs. */
    PostgresServer server() {
        return Objects.requireNonNull(server, "recover() comes first");
    }

    TemporaryCopy files() {
        return copy;
    }

    /** The server's messages since recovery began. */
    public List<String> log() {
        try {
            return Files.readAllLines(server().log());
        } catch (IOException failed) {
            throw TargetFailures.of(server().log(), failed);
        }
    }

    /** The databases that one can connect to. */
    public List<String> databases(boolean templates) {
        return databases(server(), templates);
    }

    static List<String> databases(PostgresServer server, boolean templates) {
        try (Connection connection = connect(server, "template1");
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT datname FROM pg_database WHERE datallowconn"
                        + (templates ? "" : " AND NOT datistemplate") + " ORDER BY datname")) {
            List<String> databases = new ArrayList<>();
            while (row.next()) {
                databases.add(row.getString(1));
            }
            return databases;
        } catch (SQLException e) {
            throw SqlStates.failure("databases of the temporary copy not listed", e);
        }
    }

    /** What the source's administrators set for roles and databases must not reach into sessions. */
    static String options(PostgresServer server) {
        return InertSession.options(server.binaries().version().major())
                + " -c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0"
                + " -c default_transaction_read_only=off -c row_security=off -c search_path=pg_catalog";
    }

    /** A new session of a superuser; what the source's administrators set for roles and databases does not reach it. */
    public Connection connect(String database) throws SQLException {
        return connect(server(), database);
    }

    /** A session of a role that reads every row, and may do nothing else. */
    public Connection connectToRead(String database) throws SQLException {
        return connectToRead(server(), database);
    }

    static Connection connect(PostgresServer server, String database) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", server.username());
        properties.setProperty("password", server.password());
        properties.setProperty("ApplicationName", "nightshift");
        properties.setProperty("connectTimeout", "10");
        properties.setProperty("options", options(server));
        return DriverManager.getConnection(server.url(database), properties);
    }

    /** What the source's administrators set does not reach it either: only a superuser can see to that, so the role has it. */
    static Connection connectToRead(PostgresServer server, String database) throws SQLException {
        makeReader(server);
        Properties properties = new Properties();
        properties.setProperty("user", READER);
        properties.setProperty("password", server.password());
        properties.setProperty("ApplicationName", "nightshift");
        properties.setProperty("connectTimeout", "10");
        properties.setProperty("options", "-c local_preload_libraries=");
        return DriverManager.getConnection(server.url(database), properties);
    }

    private static void makeReader(PostgresServer server) throws SQLException {
        List<String> statements = new ArrayList<>(List.of(
                "SET LOCAL password_encryption = 'scram-sha-256'",
                "CREATE ROLE " + READER + " LOGIN BYPASSRLS IN ROLE pg_read_all_data PASSWORD "
                        + Identifiers.literal(server.password()),
                "ALTER ROLE " + READER + " SET session_preload_libraries FROM CURRENT"));
        if (server.binaries().version().major() >= 17) {
            statements.add("ALTER ROLE " + READER + " SET event_triggers FROM CURRENT");
        }
        try (Connection connection = connect(server, "template1");
                Statement statement = connection.createStatement()) {
            try (ResultSet there = statement.executeQuery("SELECT FROM pg_roles WHERE rolname = '" + READER + "'")) {
                if (there.next()) {
                    return;
                }
            }
            connection.setAutoCommit(false);
            for (String sql : statements) {
                statement.execute(sql);
            }
            connection.commit();
        } catch (SQLException e) {
            // Another process has made it meanwhile.
            if (!DUPLICATE.contains(String.valueOf(e.getSQLState()))) {
                throw e;
            }
        }
    }

    /**
     * Leaves it running, with the settings of its source that matter to plans, for {@link RestoredCopies#present}; closing it
     * does nothing any more. Older kept copies of the cluster go, unless somebody uses them.
     */
    public KeptCopy keep(
            RestoredCopies copies, KeptCopy.Origin origin, KeptCopy.Reached reached, Instant now, Instant until) {
        PostgresServer running = server();
        BackupDocument source = origin.backup();
        PlanSettings settings = PlanSettings.apply(running, source.source().settings());
        var kept = new KeptCopy(
                KeptCopy.FORMAT_VERSION,
                source.cluster(),
                source.label(),
                origin.run(),
                origin.node(),
                running.dataDirectory().toString(),
                running.port(),
                running.process(),
                running.binaries().version().toString(),
                reached.location(),
                reached.at(),
                now,
                until,
                settings.taken(),
                settings.refused());
        copy.keep(kept.json());
        server = null;
        copies.discardOlder(kept);
        return kept;
    }

    @Override
    public void close() {
        try (copy) {
            if (server != null) {
                server.stop();
            }
        }
    }
}
