package io.nightshift.jobs.backup;

import io.nightshift.infra.server.ServerUser;
import io.nightshift.infra.server.TestPostgres;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.postgresql.PGConnection;

/**
 * What people do to a cluster, in an order that a seed decides: rows, vacuums, truncations, rewrites, indexes, tables,
 * databases, tablespaces, prepared transactions, crashes. What is in the cluster then can be told in one list.
 */
final class RandomWorkload {

    private static final int MOST_TABLES = 12;
    private static final int MOST_DATABASES = 3;

    private final TestPostgres postgres;
    private final Random random;
    private final Path elsewhere;
    private final List<String> tables = new ArrayList<>();
    private final List<String> databases = new ArrayList<>();
    private int made;

    RandomWorkload(TestPostgres postgres, Random random, Path elsewhere) {
        this.postgres = postgres;
        this.random = random;
        this.elsewhere = elsewhere;
    }

    void begin() {
        ServerUser.of(postgres.dataDirectory()).own(elsewhere);
        postgres.execute(
                "postgres",
                "CREATE EXTENSION pg_visibility",
                "CREATE EXTENSION amcheck",
                "CREATE TABLESPACE elsewhere LOCATION '" + elsewhere + "'");
        for (int i = 0; i < 4; i++) {
            create();
        }
    }

    /** Does one thing, and says what. */
    String act() {
        List<Supplier<String>> acts = List.of(
                this::insert,
                this::insert,
                this::copy,
                this::copy,
                this::update,
                this::update,
                this::delete,
                this::delete,
                this::keepFewRows,
                this::keepFewRows,
                () -> execute("VACUUM " + table()),
                () -> execute("VACUUM " + table()),
                () -> execute("VACUUM (FREEZE) " + table()),
                () -> execute("VACUUM (INDEX_CLEANUP off) " + table()),
                () -> execute("VACUUM FULL " + table()),
                () -> execute("TRUNCATE " + table()),
                () -> execute("REINDEX TABLE " + table()),
                () -> execute("ALTER TABLE " + table() + " ALTER filler TYPE varchar"),
                () -> execute("CREATE INDEX ON " + table() + " (filler)"),
                this::move,
                this::create,
                this::drop,
                this::createDatabase,
                this::inDatabase,
                this::moveDatabase,
                this::dropDatabase,
                this::prepared,
                () -> execute("CHECKPOINT"),
                () -> execute("SELECT pg_switch_wal()"),
                this::crash,
                this::promotion);
        return acts.get(random.nextInt(acts.size())).get();
    }

    private String insert() {
        int from = random.nextInt(100_000);
        return execute("INSERT INTO " + table() + " SELECT i, repeat(md5(i::text), " + (1 + random.nextInt(15))
                + ") FROM generate_series(" + from + ", " + (from + random.nextInt(2_000)) + ") i");
    }

    /** In bulk, which extends a table by more pages than it fills. */
    private String copy() {
        String table = table();
        int rows = random.nextInt(1_500);
        var lines = new StringBuilder();
        for (int i = 0; i < rows; i++) {
            lines.append(random.nextInt(100_000))
                    .append('\t')
                    .append("c".repeat(300))
                    .append('\n');
        }
        try (Connection connection = postgres.connect("postgres")) {
            connection
                    .unwrap(PGConnection.class)
                    .getCopyAPI()
                    .copyIn("COPY " + table + " FROM STDIN", new StringReader(lines.toString()));
            return "COPY " + rows + " rows INTO " + table;
        } catch (SQLException | IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private String update() {
        return execute("UPDATE " + table() + " SET filler = 'u' || id WHERE id % " + (2 + random.nextInt(20)) + " = 1");
    }

    private String delete() {
        int from = random.nextInt(100_000);
        return execute("DELETE FROM " + table() + " WHERE id BETWEEN " + from + " AND " + (from + 30_000));
    }

    /** So that the next vacuum cuts the file. */
    private String keepFewRows() {
        return execute("DELETE FROM " + table() + " WHERE ctid > '(" + random.nextInt(20) + ",0)'");
    }

    private String create() {
        if (tables.size() >= MOST_TABLES) {
            return drop();
        }
        String table = "t" + ++made;
        tables.add(table);
        String where = random.nextInt(4) == 0 ? " TABLESPACE elsewhere" : "";
        String kind = random.nextInt(6) == 0 ? "UNLOGGED " : "";
        execute("CREATE " + kind + "TABLE " + table + " (id int, filler text)" + where);
        execute("INSERT INTO " + table + " SELECT i, repeat('x', 400) FROM generate_series(1, 1500) i");
        return execute("CREATE INDEX ON " + table + " (id)" + where);
    }

    private String drop() {
        if (tables.size() < 3) {
            return create();
        }
        return execute("DROP TABLE " + tables.remove(random.nextInt(tables.size())));
    }

    private String move() {
        return execute(
                "ALTER TABLE " + table() + " SET TABLESPACE " + (random.nextBoolean() ? "elsewhere" : "pg_default"));
    }

    private String createDatabase() {
        if (databases.size() >= MOST_DATABASES) {
            return dropDatabase();
        }
        String name = "d" + ++made;
        databases.add(name);
        String created =
                execute("CREATE DATABASE " + name + " STRATEGY " + (random.nextBoolean() ? "wal_log" : "file_copy"));
        postgres.execute(
                name,
                "CREATE TABLE t (id int, filler text)",
                "INSERT INTO t SELECT i, repeat('d', 200) FROM generate_series(1, 500) i",
                "CREATE INDEX ON t (id)");
        return created;
    }

    private String inDatabase() {
        if (databases.isEmpty()) {
            return createDatabase();
        }
        String name = databases.get(random.nextInt(databases.size()));
        String sql = random.nextBoolean()
                ? "INSERT INTO t SELECT i, 'more' FROM generate_series(1, 700) i"
                : "DELETE FROM t WHERE ctid > '(2,0)'";
        postgres.execute(name, sql, "VACUUM t");
        return name + ": " + sql;
    }

    /** There and back under the same numbers, and no relation says so in the WAL. */
    private String moveDatabase() {
        if (databases.isEmpty()) {
            return createDatabase();
        }
        return execute("ALTER DATABASE " + databases.get(random.nextInt(databases.size())) + " SET TABLESPACE "
                + (random.nextBoolean() ? "elsewhere" : "pg_default"));
    }

    private String dropDatabase() {
        return databases.isEmpty()
                ? createDatabase()
                : execute("DROP DATABASE " + databases.remove(random.nextInt(databases.size())));
    }

    private String prepared() {
        String table = table();
        try (Connection connection = postgres.connect("postgres");
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("INSERT INTO " + table + " SELECT i, 'prepared' FROM generate_series(1, 50) i");
            statement.execute("PREPARE TRANSACTION 'p'");
            connection.setAutoCommit(true);
            statement.execute((random.nextBoolean() ? "COMMIT" : "ROLLBACK") + " PREPARED 'p'");
            return "prepared transaction on " + table;
        } catch (SQLException e) {
            // An unlogged table takes part as well.
            throw new IllegalStateException(e);
        }
    }

    private String crash() {
        postgres.kill();
        postgres.restart();
        return "crash";
    }

    /** To a new timeline, as the standby does that takes over. */
    private String promotion() {
        if (random.nextBoolean()) {
            postgres.kill();
        } else {
            postgres.stop();
        }
        try {
            Path signal = Files.createFile(postgres.dataDirectory().resolve("standby.signal"));
            ServerUser.of(postgres.dataDirectory()).own(signal);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        postgres.restart();
        postgres.execute("postgres", "SELECT pg_promote(true, 120)");
        return "promotion";
    }

    private String table() {
        return tables.get(random.nextInt(tables.size()));
    }

    private String execute(String sql) {
        postgres.execute("postgres", sql);
        return sql;
    }

    /**
     * Rows that come and go while a backup is taken: nobody knows which of them it has, but it must be at one with itself
     * about them. Closing ends it.
     */
    static final class Noise implements AutoCloseable {

        static final String TABLE = "noise";

        /** The backup needs the processor as well. */
        private static final long PAUSE_MILLIS = 80;

        private final CountDownLatch over = new CountDownLatch(1);
        private final CompletableFuture<Void> made;

        Noise(TestPostgres postgres) {
            postgres.execute(
                    "postgres",
                    "CREATE TABLE IF NOT EXISTS " + TABLE + " (id int, filler text)",
                    "CREATE INDEX IF NOT EXISTS noise_id ON " + TABLE + " (id)");
            made = CompletableFuture.runAsync(() -> {
                do {
                    postgres.execute(
                            "postgres",
                            "INSERT INTO noise SELECT i, repeat('n', 300) FROM generate_series(1, 500) i",
                            "UPDATE noise SET filler = 'u' WHERE id % 7 = 3",
                            "DELETE FROM noise WHERE ctid > '(3,0)'",
                            "VACUUM noise");
                } while (!isOver());
            });
        }

        private boolean isOver() {
            try {
                return over.await(PAUSE_MILLIS, TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void close() {
            over.countDown();
            made.join();
        }
    }

    /**
     * Everything that is there: by database and table the rows as they are read one after the other, and as an index alone
     * counts them. What is unlogged is empty in a backup and left out.
     */
    static List<String> state(Connections connections) throws SQLException {
        List<String> state = new ArrayList<>();
        for (String database :
                texts(connections, "postgres", "SELECT datname FROM pg_database WHERE datallowconn ORDER BY 1")) {
            try (Connection connection = connections.to(database);
                    Statement session = connection.createStatement()) {
                for (String table : texts(
                        session,
                        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relpersistence = 'p'"
                                + " AND relnamespace = 'public'::regnamespace AND relname <> 'noise' ORDER BY 1")) {
                    state.add(database + " " + table + " " + rows(session, table));
                }
            }
        }
        return state;
    }

    private static List<String> rows(Statement session, String table) throws SQLException {
        return texts(
                session,
                "RESET ALL",
                "SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off",
                "SELECT count(*) || ' ' || coalesce(sum(hashtext(t::text)::bigint), 0) FROM " + table + " t",
                "SET enable_seqscan = off; SET enable_indexonlyscan = on",
                "SELECT count(*) || ' ' || coalesce(sum(id), 0) FROM " + table + " WHERE id >= 0");
    }

    /** Whether an index alone counts the rows of the noise that are there. */
    private static final String NOISE_IS_WHOLE = """
            SELECT 'noise: ' || read || ' rows read, ' || counted || ' counted' FROM (
                SELECT (SELECT count(*) FROM noise WHERE filler IS NOT NULL) AS read,
                       (SELECT count(*) FROM noise WHERE id >= 0) AS counted) AS counts
             WHERE read <> counted
            """;

    /** What is wrong inside, although all rows may be right. */
    static List<String> damage(Connections connections) throws SQLException {
        return texts(
                        connections,
                        "postgres",
                        "SELECT c.relname || ' ' || v.t_ctid FROM pg_class c, LATERAL pg_check_visible(c.oid) v"
                                + " WHERE relkind = 'r' AND relpersistence = 'p'",
                        "SELECT c.relname || ' ' || v.msg FROM pg_class c, LATERAL verify_heapam(c.oid) v"
                                + " WHERE relkind = 'r' AND relpersistence = 'p'",
                        "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_indexscan = off",
                        NOISE_IS_WHOLE,
                        // Fails where an index does not hold exactly what its table does.
                        "SELECT bt_index_check(oid, true)::text FROM pg_class WHERE relkind = 'i' AND relam = 403"
                                + " AND relpersistence = 'p'")
                .stream()
                .filter(found -> !found.isEmpty())
                .toList();
    }

    /** Where to ask. */
    @FunctionalInterface
    interface Connections {
        Connection to(String database) throws SQLException;
    }

    private static List<String> texts(Connections connections, String database, String... statements)
            throws SQLException {
        try (Connection connection = connections.to(database);
                Statement session = connection.createStatement()) {
            return texts(session, statements);
        }
    }

    private static List<String> texts(Statement session, String... statements) throws SQLException {
        List<String> texts = new ArrayList<>();
        for (String sql : statements) {
            if (session.execute(sql)) {
                try (ResultSet rows = session.getResultSet()) {
                    while (rows.next()) {
                        texts.add(rows.getString(1));
                    }
                }
            }
        }
        return texts;
    }
}
