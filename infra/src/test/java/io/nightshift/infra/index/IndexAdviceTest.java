package io.nightshift.infra.index;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.index.IndexAdvice.Kind;
import io.nightshift.infra.server.PostgresVersions;
import io.nightshift.infra.server.TestPostgres;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is said of real indexes, and that doing it and taking it back does what it says. */
class IndexAdviceTest {

    private static final Map<Integer, TestPostgres> SERVERS = new LinkedHashMap<>();

    /** Queries that the needless indexes of traps.sql were good for. */
    private static final List<String> QUERIES = List.of(
            "SELECT a FROM trap.things WHERE a = 3",
            "SELECT a, b FROM trap.things WHERE a = 3 AND b > 5 ORDER BY b",
            "SELECT d FROM trap.things ORDER BY d DESC LIMIT 3",
            "SELECT c, d FROM trap.things WHERE c = 3",
            "SELECT id FROM trap.things WHERE h = 3",
            "SELECT id FROM trap.things WHERE lower(note) = 'note 3'",
            "SELECT m FROM trap.things WHERE n < 100 ORDER BY m",
            "SELECT id FROM trap.things WHERE span && int4range(20, 30)",
            "SELECT x FROM trap.copies WHERE x = 1",
            "SELECT \"from\" FROM \"select\".\"Or\"\"der.s\" WHERE \"from\" = 1 AND \"to\" > 5",
            "SELECT at FROM trap.events WHERE at = 500",
            "SELECT at FROM trap.events WHERE at = 1500 AND kind = 1");

    /** What traps.sql promises, and the SQLSTATE of who breaks it. */
    private static final Map<String, String> BROKEN_PROMISES = Map.of(
            "INSERT INTO trap.things (id, n) VALUES (9001, 5)", "23505",
            "INSERT INTO trap.things (id, n, span) VALUES (9002, 9002, '[12,13)')", "23P01",
            "INSERT INTO trap.pointers VALUES ('nowhere', 1)", "23503",
            "INSERT INTO trap.identified VALUES (1, 1), (1, 2)", "23505",
            "INSERT INTO trap.distinctly VALUES (NULL, 1), (NULL, 2)", "23505",
            "INSERT INTO trap.twice VALUES (1), (1)", "23505");

    static List<Integer> versions() {
        return PostgresVersions.underTest();
    }

    private static TestPostgres server(int major) {
        return SERVERS.computeIfAbsent(
                major,
                first -> TestPostgres.start(first, Map.of("autovacuum", "off", "max_prepared_transactions", "2")));
    }

    @AfterAll
    static void stop() {
        SERVERS.values().forEach(TestPostgres::close);
    }

    @ParameterizedTest
    @MethodSource("versions")
    void needless_indexes_are_found_and_no_other_and_the_schema_is_as_good_without_them(int major) throws SQLException {
        TestPostgres server = server(major);
        IndexTrial.play(server, "traps.sql");
        Map<String, String> before = IndexTrial.definitions(server);
        List<String> plans = plans(server);

        IndexReview review = IndexTrial.review(server);

        List<IndexAdvice> redundant = IndexTrial.advice(review, Kind.REDUNDANT);
        assertThat(redundant).extracting(IndexAdvice::object).containsExactlyElementsOf(needless(before));
        assertThat(redundant).allSatisfy(one -> assertThat(one.notNow()).isNull());
        Map<String, String> kept = new TreeMap<>();
        review.kept().forEach(one -> kept.put(one.index().name(), one.why()));
        assertThat(kept)
                .isEqualTo(Map.ofEntries(
                        Map.entry("applied_x", "may find the rows that logical replication changes"),
                        Map.entry("clustered_x", "gives CLUSTER its order"),
                        Map.entry("events_kind", "its part trap.events_1_kind_idx gives CLUSTER its order"),
                        Map.entry("identified_id", "keeps its values unique"),
                        Map.entry("owned_x", "belongs to an extension"),
                        Map.entry("things_code_n_target", "is needed by foreign key pointers_code_n_fkey"),
                        Map.entry("things_n_unique", "keeps its values unique"),
                        Map.entry(
                                "things_upper_closely",
                                "lets ANALYZE look at upper(note) more closely (statistics 900) than"
                                        + " trap.things_upper_code does"),
                        Map.entry("twice_id_key", "is needed by constraint twice_id_key")));
        assertThat(reasons(redundant))
                .containsEntry(
                        "trap.things_a_needless",
                        "has the keys (a), with which trap.things_a_b_c (a, b, c) begins, so that one answers the same"
                                + " queries; this one takes 32.0 kB, and every new row of trap.things is written into both")
                .containsEntry(
                        "trap.copies_b_needless",
                        "does the same as trap.copies_first, so that one answers the same queries; this one takes 8.00"
                                + " kB, and every new row of trap.copies is written into both");

        redundant.forEach(one -> IndexTrial.run(server, one.statements().todo()));

        assertThat(IndexTrial.definitions(server).keySet()).noneMatch(name -> name.contains("needless"));
        assertThat(plans(server)).isEqualTo(plans);
        BROKEN_PROMISES.forEach((statement, state) -> assertThatThrownBy(() -> refused(server, statement))
                .asInstanceOf(InstanceOfAssertFactories.type(SQLException.class))
                .extracting(SQLException::getSQLState)
                .isEqualTo(state));
        assertThat(IndexTrial.advice(IndexTrial.review(server), Kind.REDUNDANT)).isEmpty();

        redundant.forEach(one -> IndexTrial.run(server, one.statements().undo()));

        assertThat(IndexTrial.definitions(server)).isEqualTo(before);
        server.execute(
                "postgres",
                "ALTER EXTENSION plpgsql DROP TABLE trap.owned",
                "DROP SCHEMA trap, \"select\" CASCADE",
                "DROP TABLESPACE \"Fast Disk\"");
    }

    @ParameterizedTest
    @MethodSource("versions")
    void after_nights_without_any_query_all_that_is_advised_to_go_at_once_breaks_no_promise(int major) {
        TestPostgres server = server(major);
        IndexTrial.play(server, "traps.sql");
        Map<String, String> before = IndexTrial.definitions(server);
        IndexHistory history = IndexHistory.ofThisProcess();
        Instant first = Instant.parse("2026-11-01T04:30:00Z");
        for (int night : List.of(0, 3, 6, 7)) {
            IndexTrial.look(history, first.plus(night, ChronoUnit.DAYS), server);
        }
        IndexUses uses = IndexTrial.uses(history, first.plus(7, ChronoUnit.DAYS), Duration.ofDays(7), server);

        IndexReview review = IndexTrial.review(server, uses, List.of());

        List<IndexAdvice> going = Stream.of(Kind.UNUSED, Kind.REDUNDANT)
                .flatMap(kind -> IndexTrial.advice(review, kind).stream())
                .toList();
        assertThat(going)
                .extracting(IndexAdvice::object)
                .doesNotHaveDuplicates()
                .containsAll(needless(before))
                .contains("trap.things_c1", "trap.things_words", "trap.things_plus", "trap.events_v")
                .doesNotContain(
                        "trap.applied_x",
                        "trap.clustered_x",
                        "trap.events_kind",
                        "trap.owned_x",
                        "trap.halfway_x_y",
                        "trap.pointers_code_n",
                        "trap.things_span_excl",
                        "trap.things_a_b_c",
                        "trap.identified_id");
        going.forEach(one -> IndexTrial.run(server, one.statements().todo()));

        BROKEN_PROMISES.forEach((statement, state) -> assertThatThrownBy(() -> refused(server, statement))
                .asInstanceOf(InstanceOfAssertFactories.type(SQLException.class))
                .extracting(SQLException::getSQLState)
                .isEqualTo(state));
        assertThat(IndexTrial.advice(IndexTrial.review(server), Kind.FOREIGN_KEY))
                .isEmpty();

        going.forEach(one -> IndexTrial.run(server, one.statements().undo()));

        assertThat(IndexTrial.definitions(server)).isEqualTo(before);
        server.execute(
                "postgres",
                "ALTER EXTENSION plpgsql DROP TABLE trap.owned",
                "DROP SCHEMA trap, \"select\" CASCADE",
                "DROP TABLESPACE \"Fast Disk\"");
    }

    private static List<String> needless(Map<String, String> definitions) {
        return definitions.keySet().stream()
                .filter(name -> name.contains("needless"))
                .filter(name -> !name.matches("trap\\.events_(1|2|2_a|2_b)_.*"))
                .map(name -> name.replace("\"", ""))
                .sorted()
                .toList();
    }

    private static Map<String, String> reasons(List<IndexAdvice> advice) {
        Map<String, String> reasons = new TreeMap<>();
        advice.forEach(one -> reasons.put(one.object(), one.reason()));
        return reasons;
    }

    /** Without the names of indexes; tables are too small for an index to pay. */
    private static List<String> plans(TestPostgres server) throws SQLException {
        List<String> plans = new ArrayList<>();
        try (Connection session = server.connect("postgres");
                Statement statement = session.createStatement()) {
            statement.execute("SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off");
            for (String query : QUERIES) {
                try (ResultSet row = statement.executeQuery("EXPLAIN (COSTS OFF) " + query)) {
                    while (row.next()) {
                        plans.add(row.getString(1)
                                .replaceAll("using (\"[^\"]*\"|\\S+) on", "using … on")
                                .replace("Scan Backward", "Scan"));
                    }
                }
            }
        }
        assertThat(plans).noneMatch(line -> line.contains("Seq Scan") || line.contains("Sort"));
        return plans;
    }

    private static void refused(TestPostgres server, String sql) throws SQLException {
        try (Connection session = server.connect("postgres");
                Statement statement = session.createStatement()) {
            statement.execute(sql);
        }
    }

    @ParameterizedTest
    @MethodSource("versions")
    void foreign_keys_without_support_get_one_index_each_and_those_with_support_none(int major) {
        TestPostgres server = server(major);
        IndexTrial.play(server, "keys.sql");
        if (major >= 18) {
            server.execute(
                    "postgres",
                    "CREATE TABLE keys.idle (a integer REFERENCES keys.parent NOT ENFORCED)",
                    "CREATE TABLE keys.eras (r int4range, s int4range, PRIMARY KEY (r, s WITHOUT OVERLAPS))",
                    "CREATE TABLE keys.times (r int4range, s int4range,"
                            + " CONSTRAINT times_fkey FOREIGN KEY (r, PERIOD s) REFERENCES keys.eras (r, PERIOD s))");
        }
        Map<String, String> before = IndexTrial.definitions(server);

        List<IndexAdvice> missing = IndexTrial.advice(IndexTrial.review(server), Kind.FOREIGN_KEY);

        assertThat(missing)
                .extracting(IndexAdvice::object)
                .containsExactly(
                        "keys.Order_bare(parent)",
                        "keys.apart_bare(a, b)",
                        "keys.collated_bare(t)",
                        "keys.included_bare(a, b)",
                        "keys.nested_bare(a, b)",
                        "keys.none_bare(a)",
                        "keys.parted_bare(a)",
                        "keys.partial_bare(a)",
                        "keys.second_bare(a)");
        assertThat(IndexTrial.catalog(server).temporalKeys())
                .isEqualTo(major >= 18 ? List.of("times_fkey") : List.of());
        assertThat(reasons(missing).get("keys.none_bare(a)"))
                .isEqualTo("no index finds the rows that refer to one of keys.parent: each delete of one reads all of"
                        + " keys.none_bare (0 rows, 0 B)");

        missing.forEach(one -> IndexTrial.run(server, one.statements().todo()));

        IndexReview after = IndexTrial.review(server);
        assertThat(IndexTrial.advice(after, Kind.FOREIGN_KEY)).isEmpty();
        assertThat(IndexTrial.definitions(server))
                .containsEntry(
                        "keys.nested_bare_a_b_idx",
                        "CREATE INDEX nested_bare_a_b_idx ON keys.nested_bare USING btree (a, b) | t"
                                + (major < 17 ? " | -1" : ""))
                .containsEntry(
                        "keys.parted_bare_a_idx",
                        "CREATE INDEX parted_bare_a_idx ON ONLY keys.parted_bare USING btree (a) | t"
                                + (major < 17 ? " | -1" : ""));

        missing.forEach(one -> IndexTrial.run(server, one.statements().undo()));

        assertThat(IndexTrial.definitions(server)).isEqualTo(before);
        server.execute("postgres", "DROP SCHEMA keys CASCADE");
    }

    @ParameterizedTest
    @MethodSource("versions")
    void what_a_failed_statement_left_behind_is_dropped_or_rebuilt(int major) {
        TestPostgres server = server(major);
        server.execute(
                "postgres",
                "CREATE SCHEMA torn",
                "CREATE TABLE torn.t (id integer, v integer, w integer, CONSTRAINT t_pkey PRIMARY KEY (id))",
                "INSERT INTO torn.t SELECT i, i / 2, i FROM generate_series(1, 1000) i",
                "CREATE INDEX t_w ON torn.t (w)",
                "CREATE TABLE torn.p (id integer, at integer) PARTITION BY RANGE (at)",
                "CREATE TABLE torn.p_1 PARTITION OF torn.p FOR VALUES FROM (0) TO (10)",
                "CREATE TABLE torn.p_2 PARTITION OF torn.p FOR VALUES FROM (10) TO (20)",
                "CREATE INDEX p_at ON ONLY torn.p USING btree (at DESC)",
                "CREATE INDEX p_1_at ON torn.p_1 (at DESC)",
                "ALTER INDEX torn.p_at ATTACH PARTITION torn.p_1_at");
        fails(server, "CREATE UNIQUE INDEX CONCURRENTLY t_v_key ON torn.t (v)");
        fails(server, "REINDEX INDEX CONCURRENTLY torn.t_v_key");
        fails(server, "CREATE UNIQUE INDEX CONCURRENTLY t_v_w_key ON torn.t ((v + w / 2000))");
        server.execute(
                "postgres",
                "DELETE FROM torn.t WHERE id % 2 = 0 OR v = 0",
                "CREATE UNIQUE INDEX t_v_twin ON torn.t ((v + w / 2000))",
                "CREATE UNIQUE INDEX t_id_twin ON torn.t (id)",
                "UPDATE pg_index SET indisvalid = false, indisready = false, indislive = false"
                        + " WHERE indexrelid = 'torn.t_w'::regclass",
                "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'torn.t_pkey'::regclass");

        IndexReview review = IndexTrial.review(server);

        assertThat(IndexTrial.advice(review, Kind.LEFT_OVER))
                .extracting(one -> one.object() + " " + one.statements().todo())
                .containsExactly(
                        "torn.t_v_key_ccnew [DROP INDEX CONCURRENTLY torn.t_v_key_ccnew]",
                        "torn.t_v_w_key [DROP INDEX CONCURRENTLY torn.t_v_w_key]",
                        "torn.t_w [DROP INDEX CONCURRENTLY torn.t_w]");
        assertThat(IndexTrial.advice(review, Kind.INVALID))
                .extracting(one -> one.object() + " " + one.statements().todo())
                .containsExactly(
                        "torn.p_at [CREATE INDEX CONCURRENTLY p_2_at_idx ON torn.p_2 USING btree (at DESC),"
                                + " ALTER INDEX torn.p_at ATTACH PARTITION torn.p_2_at_idx]",
                        "torn.t_pkey [REINDEX INDEX CONCURRENTLY torn.t_pkey]",
                        "torn.t_v_key [REINDEX INDEX CONCURRENTLY torn.t_v_key]");
        assertThat(reasons(review.advice()))
                .hasEntrySatisfying(
                        "torn.t_v_key_ccnew",
                        reason -> assertThat(reason).endsWith("a REINDEX CONCURRENTLY has failed and left it behind"))
                .hasEntrySatisfying(
                        "torn.t_v_w_key", reason -> assertThat(reason).endsWith("and torn.t_v_twin does its work"))
                .hasEntrySatisfying(
                        "torn.t_pkey",
                        reason -> assertThat(reason)
                                .matches(
                                        "no query uses it, yet every write to torn.t keeps its \\S+ kB up to date: .*"));

        review.advice().forEach(one -> IndexTrial.run(server, one.statements().todo()));

        assertThat(IndexTrial.review(server).advice()).isEmpty();
        assertThat(IndexTrial.definitions(server).values()).allMatch(definition -> definition.contains(" | t"));
        server.execute("postgres", "DROP SCHEMA torn CASCADE");
    }

    private static void fails(TestPostgres server, String statement) {
        assertThatThrownBy(() -> server.execute("postgres", statement))
                .hasMessageContaining("could not create unique index");
    }

    @ParameterizedTest
    @MethodSource("versions")
    void an_index_that_is_being_built_is_left_alone_and_a_locked_table_is_not_waited_for(int major) throws Exception {
        TestPostgres server = server(major);
        server.execute(
                "postgres",
                "CREATE SCHEMA busy",
                "CREATE TABLE busy.t (id integer, v integer)",
                "CREATE INDEX t_id ON busy.t (id)",
                "CREATE INDEX t_id_v ON busy.t (id, v)",
                "CREATE TABLE busy.locked (id integer, v integer)",
                "CREATE INDEX locked_id ON busy.locked (id)",
                "CREATE INDEX locked_id_v ON busy.locked (id, v)",
                "CREATE INDEX locked_plus ON busy.locked ((id + 1))",
                "CREATE INDEX locked_plus_v ON busy.locked ((id + 1), v)");
        try (Connection holder = server.connect("postgres");
                Statement held = holder.createStatement()) {
            holder.setAutoCommit(false);
            held.execute("LOCK TABLE busy.locked IN ACCESS EXCLUSIVE MODE");
            held.execute("INSERT INTO busy.t VALUES (1, 1)");
            CompletableFuture<Void> building = CompletableFuture.runAsync(
                    () -> server.execute("postgres", "SELECT 1", "CREATE INDEX CONCURRENTLY t_v ON busy.t (v)"));
            Awaitility.await()
                    .until(() -> read(
                                    server,
                                    "SELECT count(*) FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting%'")
                            .equals("1"));

            IndexReview review = IndexTrial.review(server);

            assertThat(review.inWork()).extracting(RelationName::name).containsExactly("t_v");
            assertThat(review.advice())
                    .extracting(one -> one.object() + ": " + one.notNow().replaceAll("\\d+", "N"))
                    .containsExactly(
                            "busy.locked_id: busy.locked: process N holds AccessExclusiveLock",
                            "busy.t_id: busy.t: process N holds ShareUpdateExclusiveLock");
            assertThat(IndexTrial.catalog(server).illegible())
                    .extracting(index -> index.name().name())
                    .containsExactly("locked_plus", "locked_plus_v");
            holder.rollback();
            building.get();
        }
        assertThat(IndexTrial.advice(IndexTrial.review(server), Kind.REDUNDANT))
                .extracting(IndexAdvice::object)
                .containsExactly("busy.locked_id", "busy.locked_plus", "busy.t_id");
        server.execute("postgres", "DROP SCHEMA busy CASCADE");
    }

    @ParameterizedTest
    @MethodSource("versions")
    void what_a_prepared_transaction_uses_is_not_waited_for(int major) {
        TestPostgres server = server(major);
        server.execute(
                "postgres",
                "CREATE SCHEMA busy",
                "CREATE TABLE busy.seen (id integer, v integer)",
                "CREATE INDEX seen_id ON busy.seen (id)",
                "CREATE INDEX seen_id_v ON busy.seen (id, v)",
                "CREATE TABLE busy.locked (id integer, v integer)",
                "CREATE INDEX locked_id ON busy.locked (id)",
                "CREATE INDEX locked_id_v ON busy.locked (id, v)",
                "CREATE INDEX locked_plus ON busy.locked ((id + 1))",
                "BEGIN",
                "SELECT FROM busy.seen",
                "LOCK TABLE busy.locked IN ACCESS EXCLUSIVE MODE",
                "PREPARE TRANSACTION 'left behind'");
        try {
            IndexReview review = IndexTrial.review(server);

            assertThat(review.advice())
                    .extracting(one -> one.object() + ": " + one.notNow())
                    .containsExactly(
                            "busy.locked_id: busy.locked: a prepared transaction holds AccessExclusiveLock",
                            "busy.seen_id: busy.seen: a prepared transaction has used it: see pg_prepared_xacts");
            assertThat(IndexTrial.catalog(server).illegible())
                    .extracting(index -> index.name().name())
                    .containsExactly("locked_plus");
        } finally {
            server.execute("postgres", "COMMIT PREPARED 'left behind'", "DROP SCHEMA busy CASCADE");
        }
    }

    @ParameterizedTest
    @MethodSource("versions")
    void names_that_look_like_statements_stay_names(int major) {
        TestPostgres server = server(major);
        String plain = "\"x ON torn.p USING btree (at); DROP TABLE torn.t; --\"";
        String unique = "\"x\"\" ON ONLY torn.p USING btree (at)\n; DROP TABLE torn.t; --\"";
        String needless = "\"x ON torn.p_1 USING hash (id); DROP TABLE torn.t; --\"";
        server.execute(
                "postgres",
                "CREATE SCHEMA torn",
                "CREATE TABLE torn.t (id integer)",
                "CREATE TABLE torn.p (id integer, at integer) PARTITION BY RANGE (at)",
                "CREATE TABLE torn.p_1 PARTITION OF torn.p FOR VALUES FROM (0) TO (10)",
                "CREATE INDEX " + plain + " ON ONLY torn.p ((id + 1))",
                "CREATE UNIQUE INDEX " + unique + " ON ONLY torn.p (at, id)",
                "CREATE INDEX " + needless + " ON torn.p_1 (id)",
                "CREATE INDEX p_1_id_at ON torn.p_1 (id, at)");

        IndexReview review = IndexTrial.review(server);

        assertThat(review.advice())
                .extracting(one -> one.statements().todo())
                .containsExactly(
                        List.of("DROP INDEX CONCURRENTLY torn." + needless),
                        List.of(
                                "CREATE INDEX CONCURRENTLY p_1_id_1_idx ON torn.p_1 USING btree (((id + 1)))",
                                "ALTER INDEX torn." + plain + " ATTACH PARTITION torn.p_1_id_1_idx"),
                        List.of(
                                "CREATE UNIQUE INDEX CONCURRENTLY p_1_at_id_idx ON torn.p_1 USING btree (at, id)",
                                "ALTER INDEX torn." + unique + " ATTACH PARTITION torn.p_1_at_id_idx"));
        review.advice().forEach(one -> IndexTrial.run(server, one.statements().todo()));
        assertThat(IndexTrial.review(server).advice()).isEmpty();
        review.advice().get(0).statements().undo().forEach(statement -> server.execute("postgres", statement));
        assertThat(server.text("SELECT pg_get_indexdef('torn." + needless + "'::regclass)"))
                .isEqualTo("CREATE INDEX " + needless + " ON torn.p_1 USING btree (id)");
        server.execute("postgres", "SELECT FROM torn.t", "DROP SCHEMA torn CASCADE");
    }

    /** In a session of its own: the one that is kept is busy. */
    private static String read(TestPostgres server, String sql) throws SQLException {
        try (Connection session = server.connect("postgres");
                Statement statement = session.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }
}
