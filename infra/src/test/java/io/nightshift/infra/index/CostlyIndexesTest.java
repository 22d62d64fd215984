package io.nightshift.infra.index;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.index.IndexAdvice.Kind;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What is said of indexes that cost more than they may be worth, and when nothing is. */
class CostlyIndexesTest {

    private static final Instant NOW = Instant.parse("2026-11-28T04:30:00Z");
    private static final NodeAddress NODE = new NodeAddress("db1", 5432);
    private static final long TABLE = 1;
    private static final long AT = 11;
    private static final long STATUS = 12;

    private static final long MEGABYTE = 1L << 20;

    private static Index index(long oid, String column) {
        return new Index(
                oid,
                new RelationName("public", "t_" + column, "public.t_" + column),
                TABLE,
                null,
                false,
                new IndexShape(
                        "btree",
                        List.of(new IndexKey(column, true, 1978, 1976, "", 0, 0, -1)),
                        List.of(),
                        null,
                        false,
                        false,
                        List.of()),
                new Index.State(true, true, true, false),
                Index.Duties.NONE,
                true,
                100 * MEGABYTE);
    }

    private static List<String> advice(RelationCounts table, RelationCounts at, RelationCounts status, int nights) {
        Table t = new Table(
                TABLE,
                new RelationName("public", "t", "public.t"),
                false,
                null,
                new Table.Extent(900 * MEGABYTE, 10_000_000),
                0,
                false,
                false,
                null,
                null);
        var catalog =
                new IndexCatalog("shop", List.of(t), List.of(index(AT, "at"), index(STATUS, "status")), List.of());
        Instant first = NOW.minus(Duration.ofDays(nights));
        var activity = new IndexActivity(
                NOW,
                Duration.ofDays(35),
                Map.of(NODE, new IndexActivity.Node(TrustWindow.first(first), NOW)),
                Map.of(
                        TABLE, new IndexActivity.Relation(table, first, null, 1),
                        AT, new IndexActivity.Relation(at, first, null, 1),
                        STATUS, new IndexActivity.Relation(status, first, null, 1)));
        var advisor = new IndexAdvisor(
                catalog,
                new IndexUses(Map.of(NODE, Map.of()), Map.of(), null, activity),
                new IndexPolicy(List.of(), new DataSize(0), new DataSize(10 * MEGABYTE), 1000));
        Set<Kind> kinds = Set.of(Kind.WRITE_HEAVY, Kind.HOT_BREAKING, Kind.BRIN);
        return advisor
                .review(Map.of(), Map.of(AT, new IndexFill(null, null, 0.999), STATUS, new IndexFill(null, null, 0.1)))
                .advice()
                .stream()
                .filter(one -> kinds.contains(one.kind()))
                .map(one -> one.kind() + " " + one.object() + ": " + one.reason() + " "
                        + one.statements().todo())
                .toList();
    }

    private static RelationCounts scans(long scans, long read) {
        return new RelationCounts(scans, read, 0, 0, 0, 0, 0);
    }

    @Test
    void an_index_that_is_written_far_more_often_than_read_is_told_of() {
        var table = new RelationCounts(0, 0, 3_500_000, 0, 0, 0, 1_000_000);

        assertThat(advice(table, scans(90_000, 90_000_000), scans(12, 340), 35))
                .containsExactly(
                        "write-heavy public.t_status: in 35 nights 3,500,000 rows were written into it, but it was"
                                + " scanned only 12 times, for 340 rows; see whether those queries are worth it []");
        assertThat(advice(table, scans(90_000, 90_000_000), scans(12, 4_000_000), 35))
                .isEmpty();
        assertThat(advice(table, scans(90_000, 90_000_000), scans(12, 340), 34)).isEmpty();
    }

    @Test
    void updates_that_change_indexed_columns_are_told_with_the_indexes_that_may_be_the_reason() {
        var changed = new RelationCounts(0, 0, 0, 1_000_000, 100_000, 150_000, 0);
        var moved = new RelationCounts(0, 0, 0, 1_000_000, 100_000, 850_000, 0);

        assertThat(advice(changed, scans(90_000, 90_000), scans(90_000, 90_000), 35))
                .containsExactly(
                        "hot-breaking public.t: in 35 nights 750,000 of 1,000,000 updates were written into all of"
                                + " its indexes (which PostgreSQL spares an update of other columns while there is room on"
                                + " the page, \"HOT\"), as they changed an indexed column; columns that no other index has are in"
                                + " public.t_at (at), public.t_status (status) []");
        assertThat(advice(moved, scans(90_000, 90_000), scans(90_000, 90_000), 35))
                .isEmpty();
    }

    @Test
    void a_large_index_in_the_order_of_a_table_that_only_grows_may_be_a_brin_one() {
        var grown = new RelationCounts(0, 0, 1_000_000, 0, 0, 0, 0);
        var changed = new RelationCounts(0, 0, 1_000_000, 20_000, 20_000, 0, 0);

        assertThat(advice(grown, scans(20_000, 90_000_000), scans(90_000, 900_000_000), 35))
                .containsExactly("brin public.t_at: takes 100 MB, though rows only come, in the order of its values"
                        + " (correlation 1.00; 1 is exactly so), and its 20,000 scans read 4,500 rows each: a BRIN index,"
                        + " which keeps only the range of values of each 128 pages, may do for a thousandth of the space [CREATE INDEX CONCURRENTLY t_at_brin_idx ON public.t USING brin"
                        + " (\"at\")]");
        assertThat(advice(changed, scans(20_000, 90_000_000), scans(90_000, 90_000), 35))
                .isEmpty();
        assertThat(advice(grown, scans(90_000, 90_000), scans(90_000, 90_000), 35))
                .isEmpty();
    }
}
