package io.nightshift.infra.index;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.lease.Lease;
import io.nightshift.infra.routing.SqlWork;
import io.nightshift.infra.server.TestPostgres;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.logging.Logger;
import javax.sql.DataSource;

/**
 * How long index advice takes for 20,000 tables with 60,000 indexes, on one node and without its connections: run with
 * {@code -Xmx300m} in the folder {@code infra}.
 */
final class IndexAdviceBench {

    private static final int TABLES = 20_000;
    /** Tables of one statement: all of a statement's locks are held until its end. */
    private static final int AT_ONCE = 500;

    private static final int NIGHTS = 3;

    private static final NodeAddress NODE = new NodeAddress("db1", 5432);
    private static final IndexHistory.Place PLACE = new IndexHistory.Place("bench", "postgres");
    private static final Lease OWNER = new Lease("run/1", "bench", 1);
    private static final Duration WINDOW = Duration.ofDays(35);

    private IndexAdviceBench() {}

    /** A measured part of the work. */
    @FunctionalInterface
    private interface Part<T> {
        T work() throws SQLException;
    }

    public static void main(String[] arguments) throws IOException, SQLException {
        try (TestPostgres server = TestPostgres.start(
                18, Map.of("max_locks_per_transaction", "2000", "autovacuum", "off", "max_wal_size", "8GB"))) {
            generate(server);
            server.execute(
                    "postgres",
                    "CREATE TABLE lease (name text PRIMARY KEY, owner text, token bigint)",
                    "INSERT INTO lease VALUES ('run/1', 'bench', 1)");
            server.execute(
                    "postgres",
                    Files.readString(Path.of("../scheduler/src/main/resources/db/control/V10__index_snapshots.sql")));
            var history = new StoredIndexHistory(new Server(server));
            Instant first = Instant.parse("2026-10-01T04:30:00Z");
            for (int night = 0; night <= 36; night += NIGHTS) {
                Instant at = first.plus(Duration.ofDays(night));
                IndexSnapshot snapshot = timed(
                        "night " + night + ": snapshot",
                        () -> with(server, session -> IndexSnapshotReader.read(session, NODE, "7 primary", at)));
                timed("night " + night + ": kept", () -> {
                    history.keep(OWNER, PLACE, List.of(snapshot), WINDOW);
                    return true;
                });
                server.execute("postgres", "UPDATE bench.t_7 SET a = a + 1", "SELECT pg_stat_force_next_flush()");
            }
            Instant now = first.plus(Duration.ofDays(36));
            IndexActivity activity = timed("activity", () -> history.activity(PLACE, List.of(NODE), now, WINDOW));
            IndexCatalog catalog = timed("catalog", () -> with(server, IndexCatalogReader::read));
            IndexAdvisor advisor = timed(
                    "judgement",
                    () -> new IndexAdvisor(
                            catalog,
                            new IndexUses(Map.of(NODE, Map.of()), Map.of(), null, activity),
                            new IndexPolicy(List.of(), new DataSize(0), new DataSize(0), 0)));
            Map<Long, IndexFill> fills = timed(
                    "sizes of B-trees",
                    () -> with(
                            server, session -> new HashMap<>(IndexFillReader.estimate(session, advisor.toEstimate()))));
            IndexReview review = timed(
                    "advice",
                    () -> with(
                            server,
                            session -> advisor.review(
                                    IndexCatalogReader.definitions(session, advisor.toDefine()), fills)));
            System.out.println("FIGURE advice " + review.advice().size() + ", control database "
                    + server.text("SELECT pg_size_pretty(sum(pg_total_relation_size(c)))"
                            + " FROM unnest(ARRAY['watched_relation', 'relation_activity']::regclass[]) c")
                    + ", heap limit " + (Runtime.getRuntime().maxMemory() >> 20) + " MB");
        }
    }

    private static void generate(TestPostgres server) {
        server.execute("postgres", "CREATE SCHEMA bench");
        for (int table = 0; table < TABLES; table += AT_ONCE) {
            server.execute("postgres", """
                    DO $$ BEGIN FOR i IN %d..%d LOOP
                        EXECUTE format('CREATE TABLE bench.t_%%s (id integer PRIMARY KEY, a integer, b text)', i);
                        EXECUTE format('CREATE INDEX t_%%s_a ON bench.t_%%s (a)', i, i);
                        EXECUTE format('CREATE INDEX t_%%s_b ON bench.t_%%s (lower(b), a)', i, i);
                    END LOOP; END $$
                    """.formatted(table, table + AT_ONCE - 1));
        }
        server.execute(
                "postgres",
                "INSERT INTO bench.t_7 SELECT n, n, n FROM generate_series(1, 1000) n",
                "ANALYZE pg_class, pg_index, pg_attribute, pg_inherits, pg_depend, pg_constraint, pg_namespace, pg_amop");
    }

    private static <T> T with(TestPostgres server, SqlWork<T> work) throws SQLException {
        try (Connection session = server.connect("postgres");
                Statement statement = session.createStatement()) {
            statement.execute("SET search_path = pg_catalog");
            return work.on(session);
        }
    }

    private static <T> T timed(String what, Part<T> part) throws SQLException {
        long begun = System.nanoTime();
        T made = part.work();
        System.out.println("FIGURE " + what + String.format(Locale.ROOT, " %.2f s", (System.nanoTime() - begun) / 1e9));
        return made;
    }

    /** The server as a control database. */
    private record Server(TestPostgres server) implements DataSource {

        @Override
        public Connection getConnection() throws SQLException {
            return server.connect("postgres");
        }

        @Override
        public Connection getConnection(String username, String password) throws SQLException {
            return getConnection();
        }

        @Override
        public PrintWriter getLogWriter() {
            return null; // it writes none
        }

        @Override
        public void setLogWriter(PrintWriter out) {}

        @Override
        public void setLoginTimeout(int seconds) {}

        @Override
        public int getLoginTimeout() {
            return 0;
        }

        @Override
        public Logger getParentLogger() throws SQLFeatureNotSupportedException {
            throw new SQLFeatureNotSupportedException();
        }

        @Override
        public <T> T unwrap(Class<T> type) throws SQLException {
            throw new SQLException("not a wrapper");
        }

        @Override
        public boolean isWrapperFor(Class<?> type) {
            return false;
        }
    }
}
