package io.nightshift.infra.index;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.lease.Lease;
import io.nightshift.infra.server.TestPostgres;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A schema of odd indexes on a real server, and what is said of it. */
final class IndexTrial {

    static final IndexUses NO_USES = new IndexUses(Map.of(), Map.of());

    static final Duration WINDOW = Duration.ofDays(35);

    private static final IndexHistory.Place PLACE = new IndexHistory.Place("chanuka", "postgres");
    private static final Lease OWNER = new Lease("run/1", "test", 1);

    private IndexTrial() {}

    /** Each statement ends a line. */
    static void play(TestPostgres server, String script) {
        try (InputStream file = IndexTrial.class.getResourceAsStream(script)) {
            server.execute("postgres", new String(file.readAllBytes(), StandardCharsets.UTF_8).split(";\n"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static IndexCatalog catalog(TestPostgres server) {
        try (Connection session = server.connect("postgres")) {
            ready(session);
            return IndexCatalogReader.read(session);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void ready(Connection session) throws SQLException {
        try (Statement statement = session.createStatement()) {
            statement.execute("SET search_path = pg_catalog");
            statement.execute("SET lock_timeout = '2s'");
        }
    }

    static IndexReview review(TestPostgres server) {
        return review(server, NO_USES, List.of());
    }

    static IndexReview review(TestPostgres server, IndexUses uses, List<String> keep) {
        var advisor =
                new IndexAdvisor(catalog(server), uses, new IndexPolicy(keep, new DataSize(0), new DataSize(0), 0));
        try (Connection session = server.connect("postgres")) {
            ready(session);
            return advisor.review(IndexCatalogReader.definitions(session, advisor.toDefine()));
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Keeps what these servers have counted up to a moment, each as a node of its own. */
    static void look(IndexHistory history, Instant at, TestPostgres... servers) {
        history.keep(
                OWNER,
                PLACE,
                Arrays.stream(servers).map(server -> snapshot(server, at)).toList(),
                WINDOW);
    }

    private static IndexSnapshot snapshot(TestPostgres server, Instant at) {
        boolean isStandby = server.text("SELECT pg_is_in_recovery()").equals("t");
        try (Connection session = server.connect("postgres")) {
            ready(session);
            return IndexSnapshotReader.read(session, node(server), isStandby ? "7 standby" : "7 primary", at);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    static NodeAddress node(TestPostgres server) {
        return new NodeAddress("127.0.0.1", server.port());
    }

    /** What these servers, all of the cluster, have used their indexes for. */
    static IndexUses uses(IndexHistory history, Instant now, Duration window, TestPostgres... servers) {
        Map<NodeAddress, Map<Long, Long>> scans = new HashMap<>();
        Arrays.stream(servers).forEach(server -> scans.put(node(server), Map.of()));
        return new IndexUses(scans, Map.of(), null, history.activity(PLACE, scans.keySet(), now, window));
    }

    /** Uses indexes where it can, and is counted when it is done. */
    static void use(TestPostgres server, String query) {
        server.execute(
                "postgres",
                "SET enable_seqscan = off",
                "SET enable_sort = off",
                query,
                "SELECT pg_stat_force_next_flush()");
    }

    static List<IndexAdvice> advice(IndexReview review, IndexAdvice.Kind kind) {
        return review.advice().stream().filter(one -> one.kind() == kind).toList();
    }

    static void run(TestPostgres server, List<String> statements) {
        server.execute("postgres", statements.toArray(String[]::new));
    }

    /** How every index of our schemas is made, where it lies, what it is part of, and what is said of it. */
    static Map<String, String> definitions(TestPostgres server) {
        Map<String, String> definitions = new TreeMap<>();
        try (Connection session = server.connect("postgres");
                Statement statement = session.createStatement();
                ResultSet row = statement.executeQuery("""
                    SELECT c.oid::regclass::text, concat_ws(' | ', pg_get_indexdef(c.oid), s.spcname, h.inhparent::regclass,
                           obj_description(c.oid, 'pg_class'), x.indisvalid, a.attstattarget)
                      FROM pg_class c JOIN pg_index x ON x.indexrelid = c.oid
                      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = 1
                      LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace LEFT JOIN pg_inherits h ON h.inhrelid = c.oid
                     WHERE c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('trap', 'keys', 'select', 'torn', 'idle'))
                    """)) {
            while (row.next()) {
                definitions.put(row.getString(1), row.getString(2));
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        return definitions;
    }
}
