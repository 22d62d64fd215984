package io.nightshift.infra.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.server.TestPostgres;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Two segments of a real server, the second one not full. */
class WalSearchTest {

    private static final Timeline FIRST = new Timeline(1);
    private static final int SEGMENT = 16 << 20;

    private static final List<Long> XIDS = new ArrayList<>();
    private static final List<Instant> TIMES = new ArrayList<>();
    private static WalFiles files;
    private static Lsn begin;
    private static Lsn point;
    private static Lsn end;

    @BeforeAll
    static void write() throws Exception {
        try (var postgres = TestPostgres.start(18, Map.of("track_commit_timestamp", "on", "wal_keep_size", "1GB"));
                Connection connection = postgres.connect("postgres");
                Statement sql = connection.createStatement()) {
            sql.execute("CREATE TABLE bill (id int)");
            sql.execute("SELECT pg_switch_wal()");
            sql.execute("SET allow_in_place_tablespaces = on");
            sql.execute("CREATE TABLESPACE young LOCATION ''");
            begin = WalSegment.at(FIRST, lsn(sql, "SELECT pg_switch_wal()"), SEGMENT)
                    .end();
            for (int i = 0; i < 6; i++) {
                if (i == 3) {
                    point = lsn(sql, "SELECT pg_create_restore_point('the point')");
                    sql.execute("SELECT pg_create_restore_point('the point')");
                    sql.execute("SELECT pg_switch_wal()");
                }
                transaction(sql);
            }
            sql.execute("SELECT pg_create_restore_point('after all')");
            sql.execute("CHECKPOINT");
            end = lsn(sql, "SELECT pg_current_wal_flush_lsn()");
            Path wal = postgres.dataDirectory().resolve("pg_wal");
            files = WalFiles.read(wal, FIRST, begin.plus(-SEGMENT), SEGMENT).upTo(end);
        }
    }

    private static void transaction(Statement sql) throws SQLException {
        try (ResultSet row =
                sql.executeQuery("WITH written AS (INSERT INTO bill VALUES (1)) SELECT pg_current_xact_id()::text")) {
            row.next();
            XIDS.add(Long.parseLong(row.getString(1)));
        }
        try (ResultSet row =
                sql.executeQuery("SELECT pg_xact_commit_timestamp('" + XIDS.get(XIDS.size() - 1) + "'::xid)")) {
            row.next();
            TIMES.add(row.getObject(1, OffsetDateTime.class).toInstant());
        }
    }

    private static Lsn lsn(Statement sql, String query) throws SQLException {
        try (ResultSet row = sql.executeQuery(query)) {
            row.next();
            return Lsn.parse(row.getString(1));
        }
    }

    private static WalSearch search(WalSegments source) {
        return new WalSearch(source, 18, SEGMENT, any -> FIRST, begin, end);
    }

    private static long xid(WalSearch.Result result) {
        return ((WalEvent.TransactionEnd) result.found().orElseThrow()).xid();
    }

    @Test
    void finds_the_first_transaction_that_is_later_than_a_time() throws Exception {
        WalSearch search = search(files);

        assertThat(xid(search.firstLaterThan(Instant.EPOCH))).isEqualTo(XIDS.get(0));
        for (int i = 0; i < 5; i++) {
            WalSearch.Result result = search.firstLaterThan(TIMES.get(i));
            assertThat(xid(result)).as("later than %s", TIMES.get(i)).isEqualTo(XIDS.get(i + 1));
            assertThat(xid(search.firstLaterThan(TIMES.get(i + 1).minusNanos(1000))))
                    .isEqualTo(XIDS.get(i + 1));
            assertThat(result.newest().orElseThrow().at()).isEqualTo(TIMES.get(i));
            assertThat(result.lastRecord())
                    .isEqualTo(result.found().orElseThrow().start());
        }
        assertThat(search.firstLaterThan(TIMES.get(5)).found()).isEmpty();
    }

    @Test
    void finds_the_first_restore_point_of_a_name_and_the_end_of_a_transaction() throws Exception {
        WalSearch search = search(files);

        assertThat(search.restorePoint("the point").end()).isEqualTo(point);
        assertThat(search.restorePoint("another").found()).isEmpty();
        assertThat(xid(search.endOf(XIDS.get(4)))).isEqualTo(XIDS.get(4));
        assertThat(search.endOf(XIDS.get(5) + 1).found()).isEmpty();
    }

    @Test
    void says_how_far_recovery_can_go() throws Exception {
        WalSearch.Result furthest = search(files).furthest();
        Lsn middle = search(files).endOf(XIDS.get(2)).lastRecord();
        WalSearch.Result shorter = new WalSearch(files, 18, SEGMENT, any -> FIRST, begin, middle.plus(1)).furthest();

        assertThat(furthest.found()).isEmpty();
        assertThat(furthest.end()).isEqualTo(end);
        assertThat(furthest.newest().orElseThrow().xid()).isEqualTo(XIDS.get(5));
        assertThat(shorter.lastRecord()).isEqualTo(middle);
    }

    @Test
    void says_up_to_when_it_is_known_what_happened_and_what_is_made_on_the_way() throws Exception {
        WalSearch.Passed passed = new WalSearch(files, 18, SEGMENT, any -> FIRST, begin.plus(-SEGMENT), end)
                .furthest()
                .passed();

        assertThat(passed.newest().orElseThrow().at()).isEqualTo(TIMES.get(5));
        assertThat(passed.latest().orElseThrow()).isAfter(TIMES.get(5));
        assertThat(passed.tablespaces())
                .singleElement()
                .extracting(WalEvent.TablespaceCreation::location)
                .isEqualTo("");
    }

    @Test
    void does_not_take_missing_or_damaged_wal_for_the_end() throws Exception {
        Lsn second = begin.plus(SEGMENT);
        WalSegment last = WalSegment.at(FIRST, second, SEGMENT);
        byte[] damaged = files.bytes(last);
        Lsn record = search(files).furthest().lastRecord();
        damaged[(int) record.minus(second) + 30] ^= 1;

        assertThatThrownBy(() -> search(files.upTo(end.plus(-8))).furthest())
                .isInstanceOf(IOException.class)
                .hasMessage("the WAL from " + end.plus(-8) + " on is missing; it is to reach up to " + end);
        assertThatThrownBy(() -> search(files.without(last)).furthest())
                .hasMessage("the WAL from " + second + " on is missing; it is to reach up to " + end);
        assertThatThrownBy(() -> search(files.with(last, damaged)).furthest())
                .hasMessage("the WAL is damaged at " + record
                        + ": the checksum of the record is wrong; it is to reach up to " + end);
    }

    @Test
    void does_not_look_behind_the_end() throws Exception {
        WalSegment last = WalSegment.at(FIRST, end, SEGMENT);
        byte[] longer = Arrays.copyOf(files.bytes(last), SEGMENT);

        assertThat(search(files.with(last, longer)).furthest())
                .isEqualTo(search(files).furthest());
    }
}
