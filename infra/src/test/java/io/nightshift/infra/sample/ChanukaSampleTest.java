package io.nightshift.infra.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.PostgresVersions;
import io.nightshift.infra.server.TestPostgres;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChanukaSampleTest {

    private static final double SMALL = 0.02 * Effort.of(1, 5);
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int NEWEST = 18;

    private static final Map<Integer, TestPostgres> SERVERS = new LinkedHashMap<>();

    private final ChanukaSample sample = new ChanukaSample();

    @BeforeAll
    static void start() throws SQLException {
        for (int major : PostgresVersions.underTest()) {
            TestPostgres server = TestPostgres.start(major);
            SERVERS.put(major, server);
            try (Connection connection = newDatabase(server, "chanuka")) {
                new ChanukaSample().create(connection, SMALL, new Progress());
            }
        }
    }

    @AfterAll
    static void stop() {
        SERVERS.values().forEach(TestPostgres::close);
    }

    @Test
    void gives_the_same_rows_on_every_version() throws SQLException {
        List<ChanukaFingerprint> fingerprints = new ArrayList<>();

        for (TestPostgres server : SERVERS.values()) {
            try (Connection connection = server.connect("chanuka")) {
                fingerprints.add(sample.fingerprint(connection));
            }
        }

        assertThat(fingerprints).hasSizeGreaterThan(1).allMatch(fingerprints.get(0)::equals);
        assertThat(fingerprints.get(0).tables())
                .filteredOn(table -> table.rows() == 0)
                .extracting(ChanukaFingerprint.Table::name)
                .containsExactly("commit_log");
    }

    @Test
    void gives_other_rows_for_another_seed() throws SQLException {
        try (Connection one = newest().connect("chanuka");
                Connection other = newDatabase(newest(), "other")) {
            new ChanukaSample(2).create(other, SMALL, new Progress());

            var ofOne = sample.fingerprint(one);
            var ofOther = sample.fingerprint(other);

            assertThat(ofOne.tables())
                    .filteredOn(ofOther.tables()::contains)
                    .extracting(ChanukaFingerprint.Table::name)
                    .containsExactly("commit_log", "tags");
        }
    }

    @Test
    void fingerprint_notices_one_changed_row() throws SQLException {
        newest().execute("postgres", "CREATE DATABASE changed TEMPLATE chanuka");
        try (Connection connection = newest().connect("changed")) {
            var before = sample.fingerprint(connection);

            execute(connection, """
                    UPDATE chanuka.votes SET choice = 'abstain'
                     WHERE id = (SELECT min(id) FROM chanuka.votes WHERE choice = 'aye')""");

            assertThat(sample.fingerprint(connection).tables())
                    .filteredOn(table -> !before.tables().contains(table))
                    .extracting(ChanukaFingerprint.Table::name)
                    .containsExactly("votes");
        }
    }

    @Test
    void is_present_only_where_it_was_created_and_refuses_to_be_created_again() throws SQLException {
        try (Connection bare = newest().connect("postgres");
                Connection created = newest().connect("chanuka")) {

            assertThat(sample.isPresent(bare)).isFalse();
            assertThat(sample.isPresent(created)).isTrue();
            assertThatThrownBy(() -> sample.create(created, SMALL, new Progress()))
                    .hasMessage("database chanuka has a schema chanuka already")
                    .asInstanceOf(type(NightshiftException.class))
                    .extracting(NightshiftException::kind)
                    .isEqualTo(FailureKind.REFUSED);
            assertThat(created.getAutoCommit()).isTrue();
        }
    }

    @Test
    void of_two_creations_at_once_one_is_refused_and_the_other_whole() throws SQLException {
        try (Connection one = newDatabase(newest(), "rivals");
                Connection other = newest().connect("rivals")) {
            List<CompletableFuture<Void>> rivals = List.of(
                    CompletableFuture.runAsync(() -> sample.create(one, SMALL, new Progress())),
                    CompletableFuture.runAsync(() -> sample.create(other, SMALL, new Progress())));

            List<Throwable> failures = rivals.stream()
                    .map(rival -> rival.handle((done, failure) -> failure).join())
                    .filter(failure -> failure != null)
                    .toList();

            assertThat(failures)
                    .singleElement()
                    .asInstanceOf(type(CompletionException.class))
                    .extracting(Throwable::getCause)
                    .asInstanceOf(type(NightshiftException.class))
                    .extracting(NightshiftException::kind)
                    .isEqualTo(FailureKind.REFUSED);
            assertThat(sample.isPresent(one)).isTrue();
        }
    }

    @Test
    void a_creation_whose_server_was_killed_leaves_nothing_and_can_begin_again() throws SQLException {
        try (TestPostgres server = TestPostgres.start(NEWEST);
                Connection doomed = newDatabase(server, "killed");
                Connection gate = server.connect("killed")) {
            execute(gate, """
                    SELECT pg_advisory_lock(1);
                    CREATE FUNCTION wait_at_gate() RETURNS event_trigger LANGUAGE plpgsql
                        AS 'BEGIN PERFORM pg_advisory_xact_lock(1); END';
                    CREATE EVENT TRIGGER gate ON ddl_command_start WHEN TAG IN ('CREATE TRIGGER')
                        EXECUTE FUNCTION wait_at_gate()""");
            var progress = new Progress();
            var creation = CompletableFuture.runAsync(() -> sample.create(doomed, SMALL, progress));
            await().atMost(PATIENCE).until(() -> progress.snapshot().step().equals("create trigger and views"));

            server.kill();

            assertThatThrownBy(creation::join)
                    .cause()
                    .asInstanceOf(type(NightshiftException.class))
                    .extracting(NightshiftException::kind)
                    .isEqualTo(FailureKind.POSTGRES_UNAVAILABLE);
            server.restart();
            try (Connection connection = server.connect("killed")) {
                assertThat(sample.isPresent(connection)).isFalse();
                sample.create(connection, SMALL, new Progress());
                assertThat(sample.isPresent(connection)).isTrue();
            }
        }
    }

    @Test
    void is_found_through_the_search_path_and_has_statistics() throws SQLException {
        try (Connection connection = newest().connect("chanuka")) {

            assertThat(number(connection, "SELECT count(*) FROM bills")).isEqualTo(Math.round(20_000 * SMALL));
            assertThat(strings(connection, """
                    SELECT relname FROM pg_class
                     WHERE relnamespace = 'chanuka'::regnamespace AND relkind IN ('r', 'p', 'm') AND reltuples < 0""")).isEmpty();
        }
    }

    @Test
    void is_skewed_and_correlated() throws SQLException {
        try (Connection connection = newest().connect("chanuka")) {
            long events = number(connection, "SELECT count(*) FROM engagement_events");
            long hottest = number(connection, """
                    SELECT sum(events)
                      FROM (SELECT count(*) AS events FROM chanuka.engagement_events
                             GROUP BY bill_id ORDER BY 1 DESC LIMIT greatest(1, (SELECT count(*) FROM chanuka.bills) / 100)) AS hot""");
            long repliesElsewhere = number(connection, """
                    SELECT count(*) FROM chanuka.comments AS reply JOIN chanuka.comments AS comment ON comment.id = reply.parent_id
                     WHERE comment.bill_id <> reply.bill_id OR comment.created_at > reply.created_at + interval '10 hours'""");
            long lastStatusWrong = number(connection, """
                    SELECT count(*) FROM chanuka.bills AS bill
                     WHERE status <> (SELECT to_status FROM chanuka.bill_status_history
                                       WHERE bill_id = bill.id ORDER BY changed_at DESC LIMIT 1)""");
            assertThat(hottest).isGreaterThan(events / 3);
            assertThat(repliesElsewhere).isZero();
            assertThat(lastStatusWrong).isZero();
        }
    }

    @Test
    void has_only_the_flaws_that_are_documented() throws SQLException {
        try (Connection connection = newest().connect("chanuka")) {
            assertThat(strings(connection, """
                    SELECT relname || '.' || attname
                      FROM pg_constraint
                      JOIN pg_class AS class ON class.oid = conrelid
                      JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
                     WHERE contype = 'f' AND conparentid = 0 AND connamespace = 'chanuka'::regnamespace
                       AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = conrelid AND indkey[0] = conkey[1])"""))
                    .containsExactlyInAnyOrder(
                            "bills.sponsor_id",
                            "bill_tags.tag_id",
                            "votes.legislator_id",
                            "comments.user_id",
                            "notifications.bill_id",
                            "engagement_events.user_id");
            assertThat(strings(connection, """
                    SELECT narrow.indexrelid::regclass::text
                      FROM pg_index AS narrow
                      JOIN pg_index AS wide USING (indrelid)
                     WHERE narrow.indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'chanuka'::regnamespace)
                       AND narrow.indpred IS NULL AND wide.indpred IS NULL
                       AND wide.indnatts > narrow.indnatts AND wide.indkey::text LIKE narrow.indkey::text || ' %'""")).containsExactly("votes_bill_id_idx");
            assertThat(strings(connection, "SELECT conname FROM pg_constraint WHERE NOT convalidated"))
                    .isEmpty();
            assertThat(strings(connection, "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"))
                    .isEmpty();
        }
    }

    @Test
    void a_reader_with_nothing_but_select_can_take_the_fingerprint() throws SQLException {
        newest().execute("postgres", "CREATE DATABASE readable TEMPLATE chanuka");
        try (Connection owner = newest().connect("readable")) {
            execute(owner, "CREATE ROLE reader LOGIN PASSWORD 'only for this test'");
            try (Connection stranger = connectAs(newest(), "readable")) {
                assertThat(sample.isPresent(stranger)).isTrue();
                assertThatThrownBy(() -> sample.fingerprint(stranger))
                        .hasMessageContaining("permission denied for schema chanuka")
                        .asInstanceOf(type(NightshiftException.class))
                        .extracting(NightshiftException::kind)
                        .isEqualTo(FailureKind.CONFIGURATION);
            }

            execute(
                    owner,
                    "GRANT USAGE ON SCHEMA chanuka TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA chanuka TO reader");

            try (Connection reader = connectAs(newest(), "readable")) {
                assertThat(sample.fingerprint(reader)).isEqualTo(sample.fingerprint(owner));
            }
        }
    }

    @Test
    void a_database_without_the_sample_has_no_fingerprint() throws SQLException {
        try (Connection connection = newest().connect("postgres")) {

            assertThatThrownBy(() -> sample.fingerprint(connection))
                    .hasMessage("there is no schema chanuka in database postgres");
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, -1, Double.NaN, Double.POSITIVE_INFINITY, 1001})
    void refuses_a_scale_that_makes_no_sense(double scale) throws SQLException {
        try (Connection connection = newest().connect("postgres")) {

            assertThatThrownBy(() -> sample.create(connection, scale, new Progress()))
                    .hasMessage("scale " + scale + " of the Chanuka sample is not above 0 and up to 1000.0");
        }
    }

    @Test
    void is_created_at_a_tiny_scale_too() throws SQLException {
        try (Connection connection = newDatabase(newest(), "tiny")) {

            sample.create(connection, 0.00001, new Progress());

            assertThat(sample.isPresent(connection)).isTrue();
        }
    }

    private static TestPostgres newest() {
        return SERVERS.get(NEWEST);
    }

    private static Connection newDatabase(TestPostgres server, String name) throws SQLException {
        server.execute("postgres", "CREATE DATABASE " + name);
        return server.connect(name);
    }

    private static Connection connectAs(TestPostgres server, String database) throws SQLException {
        return DriverManager.getConnection(server.url(database), "reader", "only for this test");
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static long number(Connection connection, String sql) throws SQLException {
        return Long.parseLong(strings(connection, sql).get(0));
    }

    private static List<String> strings(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            List<String> strings = new ArrayList<>();
            while (rows.next()) {
                strings.add(rows.getString(1));
            }
            return strings;
        }
    }
}
