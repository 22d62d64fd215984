package io.nightshift.scheduler;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.config.DatabaseSelection;
import io.nightshift.infra.config.DirectoryStorageConfig;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.config.Secret;
import io.nightshift.infra.config.SslMode;
import io.nightshift.infra.config.StorageConfig;
import io.nightshift.infra.config.StorageDuty;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.sample.ChanukaSample;
import io.nightshift.infra.server.PostgresBinaries;
import io.nightshift.infra.server.PostgresServer;
import io.nightshift.infra.server.SharedServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.springframework.util.FileSystemUtils;

/**
 * The cluster {@code demo} of this home: an embedded server with sample data that no file configures. It runs while some
 * process of this home needs it. A configured cluster of that name comes first.
 */
public final class DemoCluster implements AutoCloseable {

    public static final String NAME = "demo";
    public static final String DATABASE = "chanuka";

    private static final String AMCHECK = "CREATE EXTENSION IF NOT EXISTS amcheck";
    private static final String STATEMENTS = "CREATE EXTENSION IF NOT EXISTS pg_stat_statements";

    private static final Map<String, String> SETTINGS = Map.of(
            "shared_buffers", "128MB",
            "wal_level", "replica",
            "max_wal_senders", "10",
            "summarize_wal", "on",
            "shared_preload_libraries", "pg_stat_statements",
            "cluster_name", NAME);

    /** What it is while it does not run: nobody can know its port. */
    private static final ClusterConfig ASLEEP = cluster(new NodeAddress("127.0.0.1", NodeAddress.DEFAULT_PORT), null);

    private final Home home;
    private final @Nullable SharedServer server;

    private DemoCluster(Home home, @Nullable SharedServer server) {
        this.home = home;
        this.server = server;
    }

    /** Starts it, and makes it first if need be. */
    public static DemoCluster join(Surroundings surroundings) {
        Home home = surroundings.home();
        return new DemoCluster(
                home,
                SharedServer.join(home.demoCluster(), () -> PostgresBinaries.embedded(home.binaries()), SETTINGS));
    }

    /** Starts it where an earlier {@code demo} has left one; otherwise there is none. */
    public static DemoCluster joinIfPresent(Surroundings surroundings) {
        return SharedServer.exists(surroundings.home().demoCluster())
                ? join(surroundings)
                : new DemoCluster(surroundings.home(), null);
    }

    public PostgresServer server() {
        return Objects.requireNonNull(server).server();
    }

    /** Starts the server again if it died meanwhile. */
    public void ensureRunning() {
        if (server != null) {
            server.ensureRunning();
        }
    }

    /** Makes the sample database if it is not there yet. */
    public void fill(double scale, Progress progress) {
        try {
            administer(statement -> {
                if (!exists(statement)) {
                    statement.execute("CREATE DATABASE " + DATABASE);
                }
                statement.execute(AMCHECK);
                statement.execute(STATEMENTS);
            });
            try (Connection connection = connect();
                    Statement statement = connection.createStatement()) {
                statement.execute(AMCHECK);
                ChanukaSample sample = new ChanukaSample();
                if (!sample.isPresent(connection)) {
                    sample.create(connection, scale, progress);
                }
            }
        } catch (SQLException e) {
            throw SqlStates.failure("sample data of cluster " + NAME + " not made", e);
        }
    }

    /** Whether the sample data is there, all of it. */
    public boolean isFilled() throws SQLException {
        var found = new AtomicBoolean();
        administer(statement -> found.set(exists(statement)));
        if (!found.get()) {
            return false;
        }
        try (Connection connection = connect()) {
            return new ChanukaSample().isPresent(connection);
        }
    }

    /** Throws the sample data and the backups away. */
    public void empty() {
        try {
            administer(statement -> {
                statement.execute("DROP DATABASE IF EXISTS " + DATABASE + " WITH (FORCE)");
                // The archive that it was for goes too.
                statement.execute(
                        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active");
            });
            home.knownStorages().forget(NAME);
            FileSystemUtils.deleteRecursively(storage(home));
        } catch (SQLException e) {
            throw SqlStates.failure("sample data of cluster " + NAME + " not removed", e);
        } catch (IOException e) {
            throw new NightshiftException(
                    FailureKind.STORAGE_UNAVAILABLE,
                    "storage " + storage(home) + " not removed: " + e.getMessage(),
                    null,
                    e);
        }
    }

    @FunctionalInterface
    private interface Administration {
        void on(Statement statement) throws SQLException;
    }

    private void administer(Administration work) throws SQLException {
        try (Connection connection = server().connect("postgres");
                Statement statement = connection.createStatement()) {
            work.on(statement);
        }
    }

    private static boolean exists(Statement statement) throws SQLException {
        try (ResultSet found = statement.executeQuery("SELECT FROM pg_database WHERE datname = '" + DATABASE + "'")) {
            return found.next();
        }
    }

    /** A server on a restored copy of this cluster, which knows the same password. */
    public PostgresServer serverOn(Path dataDirectory) throws IOException {
        Path password =
                server().dataDirectory().resolveSibling(server().dataDirectory().getFileName() + ".password");
        Files.copy(password, dataDirectory.resolveSibling(dataDirectory.getFileName() + ".password"));
        return PostgresServer.open(dataDirectory, server().binaries());
    }

    /** A session in the sample database. */
    public Connection connect() throws SQLException {
        return server().connect(DATABASE);
    }

    /** Where a restored copy of it may lie for a while. */
    public Path restored() {
        return server().dataDirectory().resolveSibling("demo-restored");
    }

    private static Path storage(Home home) {
        return home.path().resolve("demo-storage");
    }

    /** The configuration with this cluster and its storage in it. */
    public Configuration in(Configuration configuration) {
        return server == null
                ? configuration
                : with(
                        configuration,
                        home,
                        cluster(
                                new NodeAddress("127.0.0.1", server.server().port()),
                                new Secret(server.server().password())));
    }

    /** The same for commands that look at its storage only and need not start it. */
    public static Configuration storagesIn(Configuration configuration, Home home) {
        return SharedServer.exists(home.demoCluster()) ? with(configuration, home, ASLEEP) : configuration;
    }

    /** For jobs that name it, where there is one. */
    static Map<String, ClusterConfig> known(Home home) {
        return SharedServer.exists(home.demoCluster()) ? Map.of(NAME, ASLEEP) : Map.of();
    }

    private static Configuration with(Configuration configuration, Home home, ClusterConfig cluster) {
        if (!configuration.clusters().getOrDefault(NAME, ASLEEP).equals(ASLEEP)) {
            return configuration;
        }
        Map<String, ClusterConfig> clusters = new TreeMap<>(configuration.clusters());
        clusters.put(NAME, cluster);
        Map<String, StorageConfig> storages = new TreeMap<>(configuration.storages());
        storages.put(NAME, new DirectoryStorageConfig(NAME, storage(home)));
        return configuration.with(clusters, storages);
    }

    private static ClusterConfig cluster(NodeAddress node, @Nullable Secret password) {
        return new ClusterConfig(
                NAME,
                List.of(node),
                PostgresServer.USERNAME,
                password,
                SslMode.PREFER,
                null,
                null,
                null,
                false,
                "postgres",
                DatabaseSelection.ALL,
                Map.of(NAME, StorageDuty.REQUIRED),
                1,
                Map.of("environment", NAME));
    }

    @Override
    public void close() {
        if (server != null) {
            server.close();
        }
    }
}
