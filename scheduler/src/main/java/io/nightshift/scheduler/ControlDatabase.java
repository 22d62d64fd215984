package io.nightshift.scheduler;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.nightshift.infra.config.ControlDatabaseUrl;
import io.nightshift.infra.migration.MigrationManager;
import io.nightshift.infra.server.PostgresBinaries;
import io.nightshift.infra.server.PostgresServer;
import io.nightshift.infra.server.SharedServer;
import io.nightshift.scheduler.ledger.V1__SpringBatchAndQuartz;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;

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
            "log_min_messages", "warning",
            "cluster_name", "nightshift-control");

    private final @Nullable SharedServer server;
    private final PGSimpleDataSource plain;
    private @Nullable HikariDataSource pool;

    private ControlDatabase(@Nullable SharedServer server, PGSimpleDataSource plain) {
        this.server = server;
        this.plain = plain;
    }

    public static ControlDatabase open(Home home, @Nullable ControlDatabaseUrl own) {
        if (own != null) {
            return new ControlDatabase(
                    null, source(own.url(), own.username(), own.password().reveal()));
        }
        SharedServer shared =
                SharedServer.join(home.controlDatabase(), () -> PostgresBinaries.embedded(home.binaries()), SETTINGS);
        PostgresServer server = shared.server();
        return new ControlDatabase(shared, source(server.url("postgres"), server.username(), server.password()));
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
