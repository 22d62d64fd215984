package io.nightshift.scheduler.cli;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.config.Passwords;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.postgres.ServerNotice;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.Intent;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.schema.Schema;
import io.nightshift.infra.schema.SchemaReader;
import io.nightshift.scheduler.DemoCluster;
import io.nightshift.scheduler.Surroundings;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The schemas that databases have now, read until a signal ends it. */
final class LiveSchemas {

    private static final String PURPOSE = "schema";
    private static final Duration LIMIT = Duration.ofMinutes(2);

    private final NightshiftCommand top;
    private final Surroundings surroundings;
    private final Cancellation cancellation = new Cancellation();

    LiveSchemas(NightshiftCommand top, Surroundings surroundings) {
        this.top = top;
        this.surroundings = surroundings;
    }

    interface ClusterWork<T, E extends Exception> {
        T on(ManagedCluster cluster) throws E;
    }

    /** Opens a cluster for as long as the work takes. */
    <T, E extends Exception> T with(String name, ClusterWork<T, E> work) throws E {
        top.onSignal(() -> cancellation.cancel("stopped by a signal, as Ctrl-C sends it"));
        try (DemoCluster demo = DemoCluster.joinIfPresent(surroundings)) {
            Configuration configuration = demo.in(surroundings.configuration());
            ClusterConfig config = configuration.clusters().get(name);
            if (config == null) {
                throw ClusterConfig.notConfigured(name, configuration.clusters().keySet());
            }
            try (DatabaseOrchestrator clusters = new DatabaseOrchestrator(
                    Map.of(name, config), Passwords.of(surroundings.environment()), surroundings.clock())) {
                return work.on(clusters.cluster(name));
            }
        }
    }

    /** @param database the only one; null for all of them */
    static List<String> databases(ManagedCluster cluster, @Nullable String database) {
        if (database != null) {
            return List.of(database);
        }
        try (Connection session = cluster.direct(Intent.PRIMARY, PURPOSE);
                Statement statement = session.createStatement();
                ResultSet row = statement.executeQuery(
                        "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY 1")) {
            List<String> databases = new ArrayList<>();
            while (row.next()) {
                if (cluster.config().databases().includes(row.getString(1))) {
                    databases.add(row.getString(1));
                }
            }
            return databases;
        } catch (SQLException e) {
            throw SqlStates.failure("databases of cluster " + cluster.name() + " not listed", e);
        }
    }

    static Connection session(ManagedCluster cluster, String database) throws SQLException {
        return cluster.node(Intent.PRIMARY).directToOneOf(database, PURPOSE);
    }

    /** @param known the fingerprint that it may have; null if none is known */
    Schema read(ManagedCluster cluster, String database, @Nullable String known) throws SQLException {
        try (Connection session = session(cluster, database)) {
            return SchemaReader.readTwice(session, LIMIT, known, cancellation);
        }
    }

    Cancellation cancellation() {
        return cancellation;
    }

    /**
     * Why a database is not evaluated, so that the others are.
     *
     * @param isOnly whether it is the only one that was asked for: then it must be there, and let us in
     */
    String reason(Throwable failed, boolean isOnly) {
        top.checkSignal();
        cancellation.check();
        if (failed instanceof SQLException refused) {
            return ServerNotice.of(refused).text();
        }
        NightshiftException known = NightshiftException.of(failed);
        if (known.kind() == FailureKind.POSTGRES_UNAVAILABLE || (isOnly && known.kind() == FailureKind.CONFIGURATION)) {
            throw known;
        }
        return known.explained();
    }
}
