package io.nightshift.scheduler;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.config.ControlDatabaseUrl;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.config.Secret;
import io.nightshift.infra.migration.MigrationManager;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.run.JobType;
import io.nightshift.infra.server.PostgresBinaries;
import io.nightshift.infra.server.PostgresServer;
import io.nightshift.infra.server.SharedServer;
import io.nightshift.scheduler.ledger.V1__SpringBatchAndQuartz;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Nightshift's own database, open for this process: an embedded server that the processes of this home share, or one of
 * the operator's own. The embedded one stops with the last process that has it open.
 */
public final class ControlDatabase implements AutoCloseable {

    static final String SCHEMA = "nightshift";
    private static final int CONNECTIONS = 12;
    /** How long work that is under way waits for a control database that is away. */
    private static final long PATIENCE_MILLIS = 300_000;

    private static final long START_MILLIS = 30_000;
    private static final Map<String, String> SETTINGS = Map.of(
            "shared_buffers", "32MB",
            "max_connections", "60",
            "max_wal_size", "256MB",
            "wal_level", "replica",
            "max_wal_senders", "10",
            "summarize_wal", "on",
            "log_min_messages", "warning",
            "cluster_name", "nightshift-control");

    private static final String RESTORED =
            "the control database was restored from a backup that was taken while this ran";

    private final @Nullable SharedServer server;
    private final PGSimpleDataSource plain;
    private final @Nullable Path restoredMark;
    private @Nullable HikariDataSource pool;

    private ControlDatabase(@Nullable SharedServer server, PGSimpleDataSource plain, @Nullable Path restoredMark) {
        this.server = server;
        this.plain = plain;
        this.restoredMark = restoredMark;
    }

    public static ControlDatabase open(Home home, @Nullable ControlDatabaseUrl own) {
        if (own != null) {
            return new ControlDatabase(
                    null, source(own.url(), own.username(), own.password().reveal()), null);
        }
        SharedServer shared =
                SharedServer.join(home.controlDatabase(), () -> PostgresBinaries.embedded(home.binaries()), SETTINGS);
        PostgresServer server = shared.server();
        return new ControlDatabase(
                shared, source(server.url("postgres"), server.username(), server.password()), restoredMark(home));
    }

    /** Before the embedded one is restored: who opens it closes what its backup holds as running. */
    public static void markRestored(Home home) {
        Path mark = restoredMark(home);
        try {
            Files.writeString(mark, "");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path restoredMark(Home home) {
        return home.controlDatabase().resolve("restored");
    }

    /** Whether there is anything to read: the embedded server is made by the first launch. */
    public static boolean exists(Home home, @Nullable ControlDatabaseUrl own) {
        return own != null || SharedServer.exists(home.controlDatabase());
    }

    private static PGSimpleDataSource source(String url, String username, String password) {
        PGSimpleDataSource source = new PGSimpleDataSource();
        source.setURL(url);
        source.setUser(username);
        source.setPassword(password);
        source.setCurrentSchema(SCHEMA);
        source.setApplicationName("nightshift control");
        source.setConnectTimeout(10);
        source.setTcpKeepAlive(true);
        return source;
    }

    /** The configuration with the embedded server in it, where a file makes that a cluster to be backed up. */
    public Configuration in(Configuration configuration) {
        ClusterConfig cluster = configuration.clusters().get(JobType.CONTROL_DATABASE);
        if (server == null || cluster == null || !cluster.isEmbeddedControlDatabase()) {
            return configuration;
        }
        PostgresServer running = server.server();
        Map<String, ClusterConfig> clusters = new TreeMap<>(configuration.clusters());
        clusters.put(
                cluster.name(),
                cluster.at(
                        new NodeAddress("127.0.0.1", running.port()),
                        running.username(),
                        new Secret(running.password())));
        return configuration.with(clusters, configuration.storages());
    }

    /** Single connections, for commands that only read. */
    public DataSource connections() {
        return plain;
    }

    /** The one pool that Spring Batch, Quartz and the ledger share. It waits out a restart of the database. */
    public synchronized HikariDataSource pool() {
        if (pool == null) {
            // A connection that was fine half a second ago may not be now: Spring Batch asks only once.
            System.setProperty("com.zaxxer.hikari.aliveBypassWindowMs", "0");
            HikariConfig config = new HikariConfig();
            config.setPoolName("control");
            config.setDataSource(plain);
            config.setMaximumPoolSize(CONNECTIONS);
            config.setMinimumIdle(1);
            config.setConnectionTimeout(PATIENCE_MILLIS);
            // A process that stands still must not keep its locks from the others.
            config.setConnectionInitSql("SET idle_in_transaction_session_timeout = '60s'");
            config.setInitializationFailTimeout(START_MILLIS);
            pool = new HikariDataSource(config);
        }
        return pool;
    }

    /** Starts an embedded server again if it died meanwhile. */
    public void ensureRunning() {
        if (server != null) {
            server.ensureRunning();
        }
    }

    /** Brings the schema to what this version needs. */
    public void migrate() {
        new MigrationManager(pool(), SCHEMA, "db/control", List.of(new V1__SpringBatchAndQuartz())).migrate();
        if (restoredMark != null && Files.exists(restoredMark)) {
            closeWhatRan();
            try {
                Files.deleteIfExists(restoredMark);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** A yes of that day, or a backup that ended since, must not go on now. */
    private void closeWhatRan() {
        JdbcClient ledger = JdbcClient.create(pool());
        new TransactionTemplate(new JdbcTransactionManager(pool())).executeWithoutResult(status -> {
            ledger.sql("UPDATE attempt SET ended_at = clock_timestamp(), outcome = 'stopped', reason = :why"
                            + " WHERE ended_at IS NULL")
                    .param("why", RESTORED)
                    .update();
            ledger.sql("UPDATE run SET state = 'stopped', reason = :why, exit_status = :status,"
                            + " ended_at = clock_timestamp(), followed = true WHERE state IN ('queued', 'running')")
                    .param("why", RESTORED)
                    .param("status", FailureKind.CANCELLED.exitStatus())
                    .update();
            ledger.sql("DELETE FROM lease").update();
        });
    }

    @Override
    public synchronized void close() {
        if (pool != null) {
            pool.close();
        }
        if (server != null) {
            server.close();
        }
    }
}
