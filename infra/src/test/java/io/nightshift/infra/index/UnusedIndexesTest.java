package io.nightshift.infra.index;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.index.IndexAdvice.Kind;
import io.nightshift.infra.index.IndexReview.Unjudged;
import io.nightshift.infra.server.PostgresVersions;
import io.nightshift.infra.server.TestPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Which indexes of a real primary and a real standby are called unused after nights that a test lets pass, and which never. */
class UnusedIndexesTest {

    private static final Instant FIRST = Instant.parse("2026-10-01T04:30:00Z");

    private static final Duration WEEK = Duration.ofDays(7);

    private static final Map<Integer, Pair> PAIRS = new LinkedHashMap<>();

    private record Pair(TestPostgres primary, TestPostgres standby) {

        static Pair start(int major) {
            TestPostgres primary = TestPostgres.start(major, Map.of("autovacuum", "off", "max_connections", "100"));
            try {
                TestPostgres standby = TestPostgres.prepare(
                        major,
                        Map.of(
                                "max_connections",
                                "100",
                                "primary_conninfo",
                                "host=127.0.0.1 port=" + primary.port() + " user=postgres password="
                                        + primary.password()));
                Files.createFile(standby.dataDirectory().resolve("standby.signal"));
                standby.restart();
                return new Pair(primary, standby);
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }

        void catchUp() {
            String now = primary.text("SELECT pg_current_wal_flush_lsn()");
            Awaitility.await()
                    .until(() -> standby.text("SELECT pg_last_wal_replay_lsn() >= '" + now + "'")
                            .equals("t"));
        }

        TestPostgres[] both() {
            return new TestPostgres[] {primary, standby};
        }

        /** A look every third night, which is the least that will do. */
        void nights(IndexHistory history, int from, int to) {
            for (int night = from; night <= to; night += 3) {
                IndexTrial.look(history, night(night), both());
            }
        }

        IndexReview review(IndexHistory history, int night) {
            return IndexTrial.review(
                    primary, IndexTrial.uses(history, night(night), IndexTrial.WINDOW, both()), List.of());
        }

        /** With a window of a week: a test has fewer nights to let pass. */
        IndexReview week(IndexHistory history, int night) {
            return IndexTrial.review(primary, IndexTrial.uses(history, night(night), WEEK, both()), List.of());
        }
    }

    static List<Integer> versions() {
        return PostgresVersions.underTest();
    }

    private static Pair pair(int major) {
        return PAIRS.computeIfAbsent(major, Pair::start);
    }

    @AfterEach
    void forgetSchema() {
        PAIRS.values().forEach(pair -> pair.primary().execute("postgres", "DROP SCHEMA IF EXISTS idle CASCADE"));
    }

    @AfterAll
    static void stop() {
        PAIRS.values().forEach(pair -> {
            pair.standby().close();
            pair.primary().close();
        });
    }

    private static Instant night(int number) {
        return FIRST.plus(number, ChronoUnit.DAYS);
    }

    private static List<String> unused(IndexReview review) {
        return IndexTrial.advice(review, Kind.UNUSED).stream()
                .map(IndexAdvice::object)
                .toList();
    }

    private static List<String> unjudged(IndexReview review) {
        return review.unjudged().stream()
                .map(one -> one.of() + ": " + one.why())
                .toList();
    }

    @ParameterizedTest
    @MethodSource("versions")
    void what_no_query_uses_on_any_node_goes_and_the_rest_is_as_good_without_it(int major) {
        Pair pair = pair(major);
        IndexTrial.play(pair.primary(), "unused.sql");
        if (major >= 18) {
            pair.primary()
                    .execute(
                            "postgres",
                            "CREATE TABLE idle.eras (r int4range, s int4range, PRIMARY KEY (r, s WITHOUT OVERLAPS))",
                            "CREATE TABLE idle.times (r int4range, s int4range,"
                                    + " FOREIGN KEY (r, PERIOD s) REFERENCES idle.eras (r, PERIOD s))",
                            "CREATE INDEX times_r_s ON idle.times USING gist (r, s)");
        }
        pair.catchUp();
        IndexHistory history = IndexHistory.ofThisProcess();
        pair.nights(history, 0, 3);
        IndexTrial.use(pair.primary(), "SELECT * FROM idle.things WHERE d = 7");
        pair.nights(history, 6, 21);
        IndexTrial.use(pair.primary(), "SELECT * FROM idle.things WHERE b = 7");
        IndexTrial.use(pair.standby(), "SELECT * FROM idle.things WHERE c = 7");
        IndexTrial.use(pair.standby(), "SELECT * FROM idle.events WHERE at = 700");
        pair.nights(history, 24, 33);
        assertThat(unused(pair.review(history, 33))).isEmpty();
        assertThat(unjudged(pair.review(history, 33)))
                .containsExactly("postgres: "
                        + Stream.of(pair.both())
                                .map(UnusedIndexesTest::gap)
                                .sorted()
                                .collect(Collectors.joining("; ")));
        IndexTrial.look(history, night(35), pair.both());

        IndexReview review = pair.review(history, 35);

        Map<String, String> before = IndexTrial.definitions(pair.primary());
        assertThat(unused(review))
                .containsExactlyElementsOf(before.keySet().stream()
                        .filter(name -> name.startsWith("idle.") && name.endsWith("_needless"))
                        .toList());
        assertThat(review.unjudged()).isEmpty();
        Map<String, String> kept = new TreeMap<>();
        review.kept().forEach(one -> kept.put(one.index().name(), one.because() + " | " + one.why()));
        String because = "was used by no query in 35 nights on any of 2 nodes | ";
        Map<String, String> temporal = Map.of(
                "eras_pkey", because + "is the primary key",
                "times_r_s", because + "supports foreign key times_r_s_fkey");
        temporal.forEach((index, why) -> assertThat(kept.remove(index)).isEqualTo(major >= 18 ? why : null));
        assertThat(kept)
                .isEqualTo(Map.ofEntries(
                        Map.entry("applied_1_x", because + "may find the rows that logical replication changes"),
                        Map.entry("counts_b", because + "keeps its values unique"),
                        Map.entry("events_1_parent", because + "supports foreign key events_parent_fkey"),
                        Map.entry("events_2_a_parent", because + "supports foreign key events_parent_fkey"),
                        Map.entry("lines_ord_s", because + "supports foreign key lines_tenant_ord_fkey"),
                        Map.entry("notes_ord", because + "supports foreign key notes_tenant_ord AND_fkey"),
                        Map.entry("orders_pkey", because + "is the primary key"),
                        Map.entry("parents_pkey", because + "is the primary key"),
                        Map.entry("subscribed_x", because + "may find the rows that logical replication changes"),
                        Map.entry("things_e_unique", because + "keeps its values unique"),
                        Map.entry("things_parent", because + "supports foreign key things_parent_fkey"),
                        Map.entry("things_parent_too_other", because + "supports foreign key things_parent_too_fkey"),
                        Map.entry("things_pkey", because + "is the primary key"),
                        Map.entry("things_span_excl", because + "keeps an exclusion constraint")));
        IndexAdvice words = IndexTrial.advice(review, Kind.UNUSED).stream()
                .filter(one -> one.object().equals("idle.things_g_needless"))
                .findFirst()
                .orElseThrow();
        assertThat(words.reason())
                .isEqualTo(
                        "was used by no query in 35 nights on any of 2 nodes; it takes 56.0 kB, and is kept up to date with"
                                + " each of 0 rows written to idle.things meanwhile");
        assertThat(words.statements().todo())
                .containsExactly(
                        "CREATE STATISTICS idle.things_upper_g_stat ON (upper(g)) FROM idle.things",
                        "ALTER STATISTICS idle.things_upper_g_stat SET STATISTICS 700",
                        "CREATE STATISTICS idle.things_f_1_stat ON (((f + 1))) FROM idle.things",
                        "ANALYZE idle.things",
                        "DROP INDEX CONCURRENTLY idle.things_g_needless");

        long estimate = estimate(pair.primary());
        List<IndexAdvice> unsupported = IndexTrial.advice(review, Kind.FOREIGN_KEY);
        IndexTrial.advice(review, Kind.UNUSED)
                .forEach(one -> IndexTrial.run(pair.primary(), one.statements().todo()));

        assertThat(estimate(pair.primary())).isEqualTo(estimate).isBetween(40L, 60L);
        assertThat(IndexTrial.advice(IndexTrial.review(pair.primary()), Kind.FOREIGN_KEY))
                .isEqualTo(unsupported)
                .extracting(IndexAdvice::object)
                .containsExactly("idle.lines(tenant, ord)");
        assertThat(IndexTrial.definitions(pair.primary()).keySet()).noneMatch(name -> name.contains("needless"));

        IndexTrial.advice(review, Kind.UNUSED)
                .forEach(one -> IndexTrial.run(pair.primary(), one.statements().undo()));

        assertThat(IndexTrial.definitions(pair.primary())).isEqualTo(before);
        assertThat(pair.primary().number("SELECT count(*) FROM pg_statistic_ext"))
                .isZero();
    }

    private static String gap(TestPostgres server) {
        return "node 127.0.0.1:" + server.port()
                + " needs 2 more nights: what it uses is known since 2026-10-01T04:30:00Z, that was the first look";
    }

    /** Rows with one of twenty words; without statistics the planner says 5. */
    private static long estimate(TestPostgres server) {
        return Long.parseLong(server.text("EXPLAIN SELECT * FROM idle.things WHERE upper(g) = 'WORD 7'")
                .replaceAll(".* rows=(\\d+) .*", "$1"));
    }

    @ParameterizedTest
    @MethodSource("versions")
    void what_a_server_forgets_begins_the_window_anew_and_an_orderly_restart_does_not(int major) {
        Pair pair = pair(major);
        pair.primary()
                .execute(
                        "postgres",
                        "CREATE SCHEMA idle",
                        "CREATE TABLE idle.t AS SELECT n AS a, n AS b FROM generate_series(1, 1000) n",
                        "CREATE INDEX t_a ON idle.t (a)",
                        "CREATE INDEX t_b ON idle.t (b)");
        pair.catchUp();
        IndexHistory history = IndexHistory.ofThisProcess();
        pair.nights(history, 0, 6);
        pair.primary().restart();
        pair.standby().restart();
        IndexTrial.look(history, night(7), pair.both());

        assertThat(unused(pair.week(history, 7))).containsExactly("idle.t_a", "idle.t_b");

        IndexTrial.use(pair.standby(), "SELECT * FROM idle.t WHERE b = 7");
        pair.standby().kill();
        pair.standby().restart();
        IndexTrial.look(history, night(8), pair.both());
        assertThat(unjudged(pair.week(history, 8)))
                .containsExactly("postgres: node 127.0.0.1:" + pair.standby().port()
                        + " needs 7 more nights: what it uses is known since 2026-10-09T04:30:00Z, its server lost its"
                        + " statistics, as in a crash");

        pair.nights(history, 11, 17);
        assertThat(unused(pair.week(history, 17))).containsExactly("idle.t_a", "idle.t_b");

        pair.primary().execute("postgres", "SELECT pg_stat_reset()");
        IndexTrial.look(history, night(18), pair.both());
        assertThat(unjudged(pair.week(history, 18)))
                .containsExactly("postgres: node 127.0.0.1:" + pair.primary().port()
                        + " needs 7 more nights: what it uses is known since 2026-10-19T04:30:00Z, its statistics were"
                        + " reset");

        pair.nights(history, 21, 24);
        IndexTrial.look(history, night(25), pair.primary());
        assertThat(unjudged(pair.week(history, 25)))
                .containsExactly("postgres: node 127.0.0.1:" + pair.standby().port()
                        + " was last asked at 2026-10-25T04:30:00Z");
        IndexTrial.look(history, night(28), pair.both());
        assertThat(unjudged(pair.week(history, 28)))
                .containsExactly("postgres: node 127.0.0.1:" + pair.standby().port()
                        + " needs 7 more nights: what it uses is known since 2026-10-29T04:30:00Z, before that nobody looked"
                        + " for 4 days");
    }

    @ParameterizedTest
    @MethodSource("versions")
    void an_index_that_is_new_or_has_to_do_the_work_of_one_that_went_is_not_judged_yet(int major) {
        Pair pair = pair(major);
        pair.primary()
                .execute(
                        "postgres",
                        "CREATE SCHEMA idle",
                        "CREATE TABLE idle.t AS SELECT n AS a, n AS b, n AS c FROM generate_series(1, 1000) n",
                        "CREATE INDEX t_a ON idle.t (a)",
                        "CREATE INDEX t_c ON idle.t (c)",
                        "CREATE INDEX t_c_abs_needed ON idle.t (abs(c))",
                        "CREATE TABLE idle.u AS SELECT n AS a FROM generate_series(1, 1000) n",
                        "CREATE INDEX u_a ON idle.u (a)",
                        "CREATE INDEX u_a_abs ON idle.u (abs(a))");
        pair.catchUp();
        IndexHistory history = IndexHistory.ofThisProcess();
        IndexTrial.look(history, night(0), pair.both());
        IndexTrial.use(pair.primary(), "SELECT * FROM idle.t WHERE abs(c) = 7");
        IndexTrial.use(pair.primary(), "SELECT * FROM idle.u WHERE abs(a) = 7");
        pair.nights(history, 3, 6);
        pair.primary()
                .execute(
                        "postgres",
                        "DROP INDEX idle.t_c_abs_needed",
                        "REINDEX INDEX CONCURRENTLY idle.u_a",
                        "REINDEX INDEX CONCURRENTLY idle.u_a_abs",
                        "TRUNCATE idle.u",
                        "CREATE INDEX t_b ON idle.t (b)");
        pair.catchUp();
        pair.nights(history, 7, 7);

        IndexReview review = pair.week(history, 7);

        assertThat(unused(review)).isEmpty();
        String work = "another index of its table has gone, whose queries it may have to answer: needs 7 more nights";
        assertThat(unjudged(review))
                .containsExactly(
                        "postgres.idle.t_a: " + work,
                        "postgres.idle.t_b: it is new: needs 7 more nights",
                        "postgres.idle.t_c: " + work,
                        "postgres.idle.u_a: it is new: needs 7 more nights");
        assertThat(review.unjudged()).extracting(Unjudged::keys).contains("index/unused/postgres.idle.t_b");
        pair.nights(history, 10, 13);
        assertThat(unused(pair.week(history, 13))).isEmpty();
        IndexTrial.look(history, night(14), pair.both());
        assertThat(unused(pair.week(history, 14)))
                .containsExactly("idle.t_a", "idle.t_b", "idle.t_c", "idle.u_a", "idle.u_a_abs");
    }

    @ParameterizedTest
    @MethodSource("versions")
    void a_standby_that_is_no_node_makes_every_drop_wait(int major) throws SQLException {
        Pair pair = pair(major);
        WalStreams primary = streams(pair.primary());
        WalStreams standby = streams(pair.standby());
        String unlisted = WalStreams.unlisted(List.of(primary)).orElseThrow();
        pair.primary()
                .execute(
                        "postgres",
                        "CREATE SCHEMA idle",
                        "CREATE TABLE idle.t (a integer, b integer)",
                        "CREATE INDEX t_a ON idle.t (a)",
                        "CREATE INDEX t_a_b ON idle.t (a, b)");

        IndexReview review = IndexTrial.review(
                pair.primary(), new IndexUses(Map.of(), Map.of(), unlisted, IndexActivity.NONE), List.of());

        assertThat(WalStreams.unlisted(List.of(primary, standby))).isEmpty();
        assertThat(review.advice())
                .extracting(one -> one.object() + " not now: " + one.notNow())
                .containsExactly(
                        "idle.t_a not now: standbys take WAL from these nodes (walreceiver at 127.0.0.1), of which 0 are"
                                + " among nodes: what the others use is not known\n"
                                + "HINT: name every standby in nodes of the cluster's file");
    }

    private static WalStreams streams(TestPostgres server) throws SQLException {
        try (Connection session = server.connect("postgres")) {
            return WalStreams.read(session);
        }
    }

    @ParameterizedTest
    @MethodSource("versions")
    void a_promotion_begins_the_window_anew(int major) {
        Pair pair = pair(major);
        PAIRS.remove(major); // nobody can use it after this
        try (TestPostgres primary = pair.primary();
                TestPostgres promoted = pair.standby()) {
            promote(pair, primary, promoted);
        }
    }

    private static void promote(Pair pair, TestPostgres primary, TestPostgres promoted) {
        primary.execute(
                "postgres",
                "CREATE SCHEMA idle",
                "CREATE TABLE idle.t AS SELECT n AS a FROM generate_series(1, 1000) n",
                "CREATE INDEX t_a ON idle.t (a)");
        pair.catchUp();
        IndexHistory history = IndexHistory.ofThisProcess();
        pair.nights(history, 0, 6);
        promoted.execute("postgres", "SELECT pg_promote(true, 60)");
        IndexTrial.look(history, night(7), promoted);

        IndexReview review = IndexTrial.review(promoted, IndexTrial.uses(history, night(7), WEEK, promoted), List.of());

        assertThat(unused(review)).isEmpty();
        assertThat(unjudged(review))
                .containsExactly("postgres: node 127.0.0.1:" + promoted.port()
                        + " needs 7 more nights: what it uses is known since 2026-10-08T04:30:00Z, then it was seen as 7"
                        + " primary");
    }
}
