package io.nightshift.infra.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.PostgresServer;
import io.nightshift.infra.server.Seed;
import io.nightshift.infra.server.TestPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The WAL of real servers, told by themselves (pg_walinspect, pg_xact_commit_timestamp) and by us. */
class WalEventsTest {

    private static final Timeline FIRST = new Timeline(1);
    private static final int SEGMENT = 16 << 20;
    private static final int SMALL_SEGMENT = 1 << 20;
    private static final String VERSIONS = "io.nightshift.infra.server.PostgresVersions#underTest";
    private static final String NEWEST = "io.nightshift.infra.server.PostgresVersions#newestOrAll";
    private static final Map<String, String> SETTINGS = Map.of(
            "fsync", "off",
            "wal_level", "logical",
            "track_commit_timestamp", "on",
            "max_prepared_transactions", "5",
            "autovacuum", "off",
            "wal_keep_size", "2GB",
            "max_wal_size", "4GB",
            "checkpoint_timeout", "1h");

    private static final Map<Integer, Story> STORIES = new TreeMap<>();
    private static Path smallDirectory;
    private static WalFiles small;

    @AfterAll
    static void clean() throws IOException {
        STORIES.values().forEach(Story::close);
        if (smallDirectory != null) {
            FileTree.delete(smallDirectory);
        }
    }

    private static Story story(int major) {
        return STORIES.computeIfAbsent(major, Story::new);
    }

    /** What happened on a server, and where its WAL ended. */
    private static final class Story implements AutoCloseable {

        private final TestPostgres postgres;
        private final Map<Long, Boolean> transactions = new LinkedHashMap<>();
        private final Map<String, Lsn> restorePoints = new LinkedHashMap<>();

        /** As the server prints them. */
        private final List<String> records = new ArrayList<>();

        private final Map<Lsn, Instant> times = new LinkedHashMap<>();
        private final Lsn begin;
        private final Lsn end;

        /** Its commit time is kept as the one of its origin. */
        private long replicated;

        Story(int major) {
            postgres = TestPostgres.start(major, SETTINGS);
            try (Connection connection = postgres.connect("postgres");
                    Statement sql = connection.createStatement()) {
                sql.execute("CREATE EXTENSION pg_walinspect");
                sql.execute("CREATE TABLE bill (id int PRIMARY KEY, t text)");
                sql.execute("SELECT pg_switch_wal()");
                begin = WalSegment.at(FIRST, lsn(sql, "SELECT pg_current_wal_insert_lsn()"), SEGMENT)
                        .start();
                tell(sql);
                sql.execute("BEGIN");
                sql.execute("INSERT INTO bill VALUES (9000, 'never committed')");
                postgres.kill();
            } catch (SQLException killed) {
                throw new IllegalStateException(killed);
            }
            postgres.restart();
            try (Connection connection = postgres.connect("postgres");
                    Statement sql = connection.createStatement()) {
                commit(sql, "INSERT INTO bill VALUES (9001, 'after the crash')");
                restorePoint(sql, "after the crash");
                commit(sql, "INSERT INTO bill VALUES (9002, 'last')");
                end = lsn(sql, "SELECT pg_current_wal_flush_lsn()");
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }

        private void tell(Statement sql) throws SQLException {
            commit(sql, "INSERT INTO bill SELECT i, repeat('x', 300) FROM generate_series(1, 3000) i");
            abort(sql, "UPDATE bill SET t = t || 'y'");
            restorePoint(sql, "mzuri");
            commit(
                    sql,
                    "SAVEPOINT a",
                    "INSERT INTO bill VALUES (4001)",
                    "RELEASE SAVEPOINT a",
                    "SAVEPOINT b",
                    "INSERT INTO bill VALUES (4002)",
                    "ROLLBACK TO SAVEPOINT b");
            commit(
                    sql,
                    "DO $$ BEGIN FOR i IN 5001 .. 5500 LOOP BEGIN INSERT INTO bill VALUES (i);"
                            + " EXCEPTION WHEN unique_violation THEN NULL; END; END LOOP; END $$");
            commit(sql, "CREATE TABLE one AS SELECT 1 AS n", "CREATE TABLE two AS SELECT 2 AS n");
            prepared(sql, "COMMIT", "DROP TABLE one", "SAVEPOINT s", "INSERT INTO bill VALUES (6001)");
            prepared(sql, "ROLLBACK", "DROP TABLE two", "SAVEPOINT s", "INSERT INTO bill VALUES (6002)");
            sql.execute("SELECT pg_logical_emit_message(false, 'big', repeat('x', 100000))");
            restorePoint(sql, "é".repeat(31));
            sql.execute("SELECT pg_switch_wal()");
            sql.execute("SELECT pg_logical_emit_message(false, 'huge', repeat('x', 18000000))");
            sql.execute("SELECT pg_replication_origin_create('elsewhere')");
            sql.execute("SELECT pg_replication_origin_session_setup('elsewhere')");
            replicated = begun(sql, "INSERT INTO bill VALUES (7001)");
            transactions.put(replicated, true);
            sql.execute("COMMIT");
            sql.execute("SELECT pg_replication_origin_session_reset()");
            restorePoint(sql, "r".repeat(63));
            sql.execute("SELECT pg_switch_wal()");
            commit(sql, "INSERT INTO bill VALUES (8001)");
            sql.execute("SELECT pg_switch_wal()");
        }

        List<String> records() throws SQLException {
            ask();
            return records;
        }

        Map<Lsn, Instant> times() throws SQLException {
            ask();
            return times;
        }

        /** Once for all tests: the server describes the huge record byte for byte, which takes it seconds. */
        private void ask() throws SQLException {
            if (!records.isEmpty()) {
                return;
            }
            try (Connection connection = postgres.connect("postgres");
                    Statement sql = connection.createStatement()) {
                sql.execute("SET timezone = 'UTC'");
                take(sql.executeQuery("""
                        SELECT start_lsn, end_lsn, xid,
                               CASE WHEN resource_manager = 'Transaction' AND record_type ~ '^(COMMIT|ABORT)' THEN
                                 substring(description,
                                           '([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:.]+(?:[+]00| UTC))')::timestamptz
                               END
                          FROM pg_get_wal_records_info('%s', '%s')
                         ORDER BY 1
                        """.formatted(begin, end)));
            }
        }

        private void take(ResultSet row) throws SQLException {
            while (row.next()) {
                records.add(row.getString(1) + " " + row.getString(2) + " " + row.getString(3));
                OffsetDateTime ended = row.getObject(4, OffsetDateTime.class);
                if (ended != null) {
                    times.put(Lsn.parse(row.getString(1)), ended.toInstant());
                }
            }
        }

        private void commit(Statement sql, String... work) throws SQLException {
            transactions.put(begun(sql, work), true);
            sql.execute("COMMIT");
        }

        private void abort(Statement sql, String... work) throws SQLException {
            transactions.put(begun(sql, work), false);
            sql.execute("ROLLBACK");
        }

        private void prepared(Statement sql, String end, String... work) throws SQLException {
            transactions.put(begun(sql, work), end.equals("COMMIT"));
            sql.execute("PREPARE TRANSACTION 'p'");
            sql.execute(end + " PREPARED 'p'");
        }

        private static long begun(Statement sql, String... work) throws SQLException {
            sql.execute("BEGIN");
            for (String each : work) {
                sql.execute(each);
            }
            try (ResultSet row = sql.executeQuery("SELECT pg_current_xact_id()::text")) {
                row.next();
                return Long.parseLong(row.getString(1));
            }
        }

        private void restorePoint(Statement sql, String name) throws SQLException {
            restorePoints.put(name, lsn(sql, "SELECT pg_create_restore_point('" + name + "')"));
        }

        WalEvents events(int major) {
            return new WalEvents(
                    WalFiles.in(postgres.dataDirectory().resolve("pg_wal")), major, SEGMENT, any -> FIRST, begin);
        }

        @Override
        public void close() {
            postgres.close();
        }
    }

    private static Lsn lsn(Statement sql, String query) throws SQLException {
        try (ResultSet row = sql.executeQuery(query)) {
            row.next();
            return Lsn.parse(row.getString(1));
        }
    }

    private static List<WalEvent> all(WalEvents events) throws IOException {
        List<WalEvent> all = new ArrayList<>();
        try (events) {
            for (var event = events.next(); event.isPresent(); event = events.next()) {
                all.add(event.get());
            }
        }
        return all;
    }

    private static List<WalEvent> transactions(WalEvents events) throws IOException {
        return all(events).stream()
                .filter(event -> event instanceof WalEvent.TransactionEnd)
                .toList();
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void reads_the_same_records_as_the_server(int major) throws Exception {
        Story story = story(major);
        List<String> ours = new ArrayList<>();

        var pages = new WalPages(
                WalFiles.in(story.postgres.dataDirectory().resolve("pg_wal")), major, SEGMENT, any -> FIRST);
        try (var records = new WalRecords(pages, SEGMENT, story.begin)) {
            while (records.next(story.end)) {
                ours.add(records.start() + " " + records.end() + " " + records.xid());
            }
        }

        assertThat(ours).isEqualTo(story.records()).hasSizeGreaterThan(1000);
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void tells_of_every_transaction_how_and_when_it_ended(int major) throws Exception {
        Story story = story(major);

        Map<Long, WalEvent.TransactionEnd> ends = new LinkedHashMap<>();
        for (WalEvent event : all(story.events(major))) {
            if (event instanceof WalEvent.TransactionEnd end) {
                assertThat(ends.put(end.xid(), end)).as("second end of %s", end).isNull();
            }
        }

        story.transactions.forEach((xid, committed) ->
                assertThat(ends.get(xid).committed()).as("transaction %s", xid).isEqualTo(committed));
        assertThat(ends.values().stream().filter(end -> !story.transactions.containsKey(end.xid())))
                .as("the savepoint, and statements of their own")
                .hasSizeBetween(2, 5);
        Map<Lsn, Instant> times = new LinkedHashMap<>();
        ends.values().forEach(end -> times.put(end.start(), end.at()));
        try (Connection connection = story.postgres.connect("postgres");
                Statement sql = connection.createStatement()) {
            assertThat(times).isEqualTo(story.times());
            for (WalEvent.TransactionEnd end : ends.values()) {
                Optional<Instant> kept = end.committed() && end.xid() != story.replicated
                        ? Optional.of(end.at())
                        : keptTime(sql, end.xid()).filter(any -> end.committed());
                assertThat(keptTime(sql, end.xid())).as("transaction %s", end).isEqualTo(kept);
            }
        }
    }

    private static Optional<Instant> keptTime(Statement sql, long xid) throws SQLException {
        try (ResultSet row = sql.executeQuery("SELECT pg_xact_commit_timestamp('" + xid + "'::xid)")) {
            row.next();
            return Optional.ofNullable(row.getObject(1, OffsetDateTime.class)).map(OffsetDateTime::toInstant);
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void tells_restore_points_where_and_how_the_server_made_them(int major) throws Exception {
        Story story = story(major);

        Map<String, Lsn> points = new LinkedHashMap<>();
        for (WalEvent event : all(story.events(major))) {
            if (event instanceof WalEvent.RestorePoint point) {
                points.put(point.name(), point.end());
            }
        }

        assertThat(points).isEqualTo(story.restorePoints);
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void tells_of_the_last_checkpoint_what_the_server_says(int major) throws Exception {
        Story story = story(major);

        List<WalEvent> checkpoints = all(story.events(major)).stream()
                .filter(event -> event instanceof WalEvent.Checkpoint)
                .toList();

        WalEvent.Checkpoint last = (WalEvent.Checkpoint) checkpoints.get(checkpoints.size() - 1);
        try (Connection connection = story.postgres.connect("postgres");
                Statement sql = connection.createStatement();
                ResultSet row =
                        sql.executeQuery("SELECT checkpoint_lsn, checkpoint_time FROM pg_control_checkpoint()")) {
            row.next();
            assertThat(last.start()).isEqualTo(Lsn.parse(row.getString(1)));
            assertThat(last.at())
                    .isEqualTo(row.getObject(2, OffsetDateTime.class).toInstant());
        }
    }

    @Test
    void ends_where_the_server_has_written_nothing_yet_and_begins_at_any_record() throws Exception {
        Story story = story(18);
        WalEvents events = story.events(18);
        List<WalEvent> all = all(events);

        assertThat(events.position()).isEqualTo(story.end);
        assertThat(events.lastRecord()).isEqualTo(all.get(all.size() - 1).start());
        assertThat(events.ending()).contains(new WalEvents.Ending(story.end, "no record has 0 bytes"));
        for (int i = 0; i < all.size(); i += 3) {
            var later = new WalEvents(
                    WalFiles.in(story.postgres.dataDirectory().resolve("pg_wal")),
                    18,
                    SEGMENT,
                    any -> FIRST,
                    all.get(i).start());
            assertThat(all(later)).isEqualTo(all.subList(i, all.size()));
        }
    }

    @ParameterizedTest
    @MethodSource(NEWEST)
    void passes_over_a_record_whose_rest_a_crash_took(int major) throws Exception {
        try (var postgres = TestPostgres.start(major, SETTINGS)) {
            Lsn begin;
            try (Connection connection = postgres.connect("postgres");
                    Statement sql = connection.createStatement()) {
                sql.execute("CREATE TABLE bill (id int)");
                sql.execute("SELECT pg_switch_wal()");
                sql.execute("CHECKPOINT");
                begin = WalSegment.at(FIRST, lsn(sql, "SELECT pg_current_wal_insert_lsn()"), SEGMENT)
                        .start();
                sql.execute("INSERT INTO bill VALUES (1)");
                sql.execute("SELECT pg_logical_emit_message(true, 'torn', repeat('x', 20000000))");
            }
            postgres.kill();
            Path wal = postgres.dataDirectory().resolve("pg_wal");
            Files.delete(wal.resolve(WalSegment.at(FIRST, begin, SEGMENT).next().name()));
            var torn = new WalEvents(WalFiles.in(wal), major, SEGMENT, any -> FIRST, begin);
            List<WalEvent> before = transactions(torn);
            postgres.restart();
            postgres.execute("postgres", "INSERT INTO bill VALUES (2)");

            List<WalEvent> after = transactions(new WalEvents(WalFiles.in(wal), major, SEGMENT, any -> FIRST, begin));

            assertThat(torn.ending()).contains(new WalEvents.Ending(begin.plus(SEGMENT), ""));
            assertThat(before).hasSize(1);
            assertThat(after).startsWith(before.get(0)).hasSize(2);
            assertThat(after.get(1).start()).isGreaterThan(begin.plus(SEGMENT));
        }
    }

    @ParameterizedTest
    @MethodSource(NEWEST)
    void follows_a_promotion_onto_the_new_timeline(int major) throws Exception {
        try (var postgres = TestPostgres.start(major, SETTINGS)) {
            Lsn begin;
            try (Connection connection = postgres.connect("postgres");
                    Statement sql = connection.createStatement()) {
                begin = WalSegment.at(FIRST, lsn(sql, "SELECT pg_switch_wal()"), SEGMENT)
                        .end();
                sql.execute("CREATE TABLE bill (id int)");
            }
            postgres.stop();
            Files.createFile(postgres.dataDirectory().resolve("standby.signal"));
            postgres.restart();
            postgres.execute("postgres", "SELECT pg_promote()", "INSERT INTO bill VALUES (1)");
            Path wal = postgres.dataDirectory().resolve("pg_wal");
            var second = new Timeline(2);
            Lsn fork =
                    Lsn.parse(Files.readString(wal.resolve("00000002.history")).split("\t", -1)[1]);
            Lsn forked = WalSegment.at(second, fork, SEGMENT).start();

            List<WalEvent> old = transactions(new WalEvents(WalFiles.in(wal), major, SEGMENT, any -> FIRST, begin));
            var events = new WalEvents(
                    WalFiles.in(wal), major, SEGMENT, location -> location.isBefore(forked) ? FIRST : second, begin);
            List<WalEvent> both = transactions(events);

            assertThat(old).hasSize(1);
            assertThat(both).startsWith(old.get(0)).hasSize(2);
            assertThat(both.get(1).start()).isGreaterThan(fork);
        }
    }

    /** Some three megabytes in segments of one, which end inside the last one. */
    private static WalFiles small() throws Exception {
        if (small == null) {
            smallDirectory = TestPostgres.temporaryDirectory("wal-events-");
            var server = PostgresServer.initialise(
                    smallDirectory.resolve("data"), TestPostgres.binaries(18), "--no-sync", "--wal-segsize=1");
            server.start(SETTINGS);
            Lsn begin;
            Lsn end;
            try (Connection connection = server.connect("postgres");
                    Statement sql = connection.createStatement()) {
                sql.execute("CREATE TABLE bill (id int, t text)");
                begin = WalSegment.at(FIRST, lsn(sql, "SELECT pg_switch_wal()"), SMALL_SEGMENT)
                        .end();
                for (int i = 0; i < 4; i++) {
                    sql.execute("INSERT INTO bill SELECT i, repeat('x', 100) FROM generate_series(1, 500) i");
                    sql.execute("SELECT pg_create_restore_point('point " + i + "')");
                    sql.execute("SELECT pg_logical_emit_message(true, 'big', repeat('x', 30000))");
                }
                sql.execute("SELECT pg_logical_emit_message(false, 'huge', repeat('x', 2200000))");
                sql.execute("SELECT pg_switch_wal()");
                sql.execute("INSERT INTO bill SELECT i, repeat('x', 100) FROM generate_series(1, 500) i");
                end = lsn(sql, "SELECT pg_current_wal_flush_lsn()");
            }
            server.stop();
            small = WalFiles.read(smallDirectory.resolve("data/pg_wal"), FIRST, begin, SMALL_SEGMENT)
                    .upTo(end);
        }
        return small;
    }

    private static WalEvents events(WalSegments source) throws Exception {
        return new WalEvents(
                source, 18, SMALL_SEGMENT, any -> FIRST, small().names().get(0).start());
    }

    @Test
    void reads_records_larger_than_segments() throws Exception {
        WalEvents events = events(small());

        List<WalEvent> all = all(events);

        assertThat(small().names()).hasSizeGreaterThanOrEqualTo(4);
        assertThat(all).hasSize(13);
        assertThat(events.ending()).isPresent();
        assertThat(events.ending().orElseThrow().wrong()).isEmpty();
        assertThat(events.position()).isEqualTo(events.ending().orElseThrow().at());
    }

    @Test
    void finds_the_first_record_of_a_segment_that_begins_inside_another_one() throws Exception {
        List<WalEvent> all = all(events(small()));

        for (WalSegment segment : small().names()) {
            List<WalEvent> later = all(new WalEvents(small(), 18, SMALL_SEGMENT, any -> FIRST, segment.start()));
            assertThat(later)
                    .isEqualTo(all.stream()
                            .filter(event -> !event.start().isBefore(segment.start()))
                            .toList());
        }
    }

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.Seed#underTest")
    void ends_in_order_wherever_the_wal_is_cut(Seed seed) throws Exception {
        List<WalEvent> all = all(events(small()));
        List<WalSegment> names = small().names();
        Lsn begin = names.get(0).start();
        long length = names.get(names.size() - 1).end().minus(begin);
        Random random = seed.random();

        for (int round = Effort.of(60, 2000); round > 0; round--) {
            Lsn cut = begin.plus(random.nextLong(length));
            WalEvents events = events(small().upTo(cut));
            List<WalEvent> found = all(events);

            assertThat(found)
                    .as("cut at %s", cut)
                    .isEqualTo(all.stream()
                            .filter(event -> event.end().compareTo(cut) <= 0)
                            .toList());
            assertThat(events.ending().orElseThrow().wrong()).isEmpty();
        }
    }

    @Test
    void names_a_hole() throws Exception {
        WalSegment lost = small().names().get(1);
        byte[] bytes = small().bytes(lost);

        assertThatThrownBy(() -> all(events(small().without(lost))))
                .isInstanceOf(IOException.class)
                .hasMessage("the WAL from " + lost.start() + " on is missing, but there is WAL at " + lost.end());
        assertThatThrownBy(() -> all(events(small().with(lost, Arrays.copyOf(bytes, 20_000)))))
                .isInstanceOf(IOException.class)
                .hasMessage("the WAL from " + lost.start().plus(20_000) + " on is missing, but there is WAL at "
                        + lost.end());
    }

    @Test
    void reads_on_in_a_segment_that_has_grown_meanwhile() throws Exception {
        List<WalEvent> all = all(events(small()));
        WalFiles shorter = small().with(
                        small().names().get(1),
                        Arrays.copyOf(small().bytes(small().names().get(1)), 20_001));
        WalFiles whole = small();
        List<WalSegment> opened = new ArrayList<>();
        WalSegments growing = segment -> {
            boolean again = opened.contains(segment);
            opened.add(segment);
            return (again ? whole : shorter).open(segment);
        };

        assertThat(all(events(growing))).isEqualTo(all);
    }

    @Test
    void takes_an_old_segment_under_a_new_name_for_the_end() throws Exception {
        WalSegment last = small().names().get(2);
        WalFiles recycled = small().upTo(last.start())
                .with(last, small().bytes(small().names().get(0)));

        WalEvents events = events(recycled);

        assertThat(all(events)).isEqualTo(all(events(small().upTo(last.start()))));
        assertThat(events.ending().orElseThrow().wrong())
                .isEqualTo("the page at " + last.start() + " says that it belongs to "
                        + small().names().get(0).start());
    }

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.Seed#underTest")
    void reports_nothing_that_is_not_there_in_damaged_wal(Seed seed) throws Exception {
        List<WalEvent> all = all(events(small()));
        List<WalSegment> names = small().names();
        Random random = seed.random();
        int noticed = 0;

        int rounds = Effort.of(100, 4000);
        for (int round = 0; round < rounds; round++) {
            WalSegment segment = names.get(random.nextInt(names.size()));
            byte[] bytes = small().bytes(segment);
            int at = random.nextInt(bytes.length);
            bytes[at] ^= (byte) (1 << random.nextInt(8));
            List<WalEvent> found = new ArrayList<>();
            try (WalEvents events = events(small().with(segment, bytes))) {
                for (var event = events.next(); event.isPresent(); event = events.next()) {
                    found.add(event.get());
                }
                noticed += events.ending().orElseThrow().wrong().isEmpty() ? 0 : 1;
            } catch (IOException damaged) {
                assertThat(damaged).hasMessageContaining("the WAL is damaged at ");
                noticed++;
            }

            assertThat(found).as("bit flipped in byte %s of %s", at, segment).isEqualTo(all.subList(0, found.size()));
        }
        // What nobody sees lies in the rest of a switched segment, and in the gaps between records.
        assertThat(noticed).isGreaterThan(rounds / 2);
    }

    @Test
    void names_the_damaged_record_when_there_is_wal_after_it() throws Exception {
        List<WalEvent> all = all(events(small()));
        WalEvent damaged = all.get(2);
        WalSegment segment = WalSegment.at(FIRST, damaged.start(), SMALL_SEGMENT);
        byte[] bytes = small().bytes(segment);
        bytes[(int) damaged.start().minus(segment.start()) + 30] ^= 1;

        assertThatThrownBy(() -> all(events(small().with(segment, bytes))))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("the WAL is damaged at " + damaged.start()
                        + ": the checksum of the record is wrong, but there is WAL at ");
    }

    @Test
    void does_not_take_the_wal_of_another_version_for_its_own() throws Exception {
        Lsn begin = small().names().get(0).start();
        var events = new WalEvents(small(), 17, SMALL_SEGMENT, any -> FIRST, begin);

        assertThat(events.next()).isEmpty();
        assertThat(events.ending())
                .contains(new WalEvents.Ending(
                        begin, "the page at " + begin + " has the magic number D118, PostgreSQL 17 writes D116"));
        assertThatThrownBy(() -> new WalEvents(small(), 19, SMALL_SEGMENT, any -> FIRST, begin))
                .hasMessage("the WAL of PostgreSQL 19 cannot be read: 15 to 18 are known");
    }
}
