package io.nightshift.infra.index;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.index.IndexAdvice.Confidence;
import io.nightshift.infra.index.IndexAdvice.Risk;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What the use of indexes on all nodes, and the settings, change of what their definitions say. */
class IndexUsesTest {

    private static final NodeAddress PRIMARY = new NodeAddress("db1", 5432);
    private static final NodeAddress STANDBY = new NodeAddress("db2", 5432);

    private static final long TABLE = 1;
    private static final long SHORT = 11;
    private static final long LONG = 12;
    private static final long COPY = 13;

    private static Index index(long oid, String name, long bytes, String... columns) {
        return new Index(
                oid,
                new RelationName("public", name, "public." + name),
                TABLE,
                null,
                false,
                new IndexShape(
                        "btree",
                        List.of(columns).stream()
                                .map(column -> new IndexKey(column, true, 1978, 1976, "", 0, 0, -1))
                                .toList(),
                        List.of(),
                        null,
                        false,
                        false,
                        List.of()),
                new Index.State(true, true, true, false),
                Index.Duties.NONE,
                true,
                bytes);
    }

    private static IndexReview review(IndexUses uses, List<String> keep, DataSize smallest, Index... indexes) {
        Table table = new Table(
                TABLE,
                new RelationName("public", "t", "public.t"),
                false,
                null,
                new Table.Extent(1 << 20, 1000),
                0,
                false,
                false,
                null,
                null);
        var catalog = new IndexCatalog("shop", List.of(table), List.of(indexes), List.of());
        var advisor = new IndexAdvisor(catalog, uses, new IndexPolicy(keep, smallest, new DataSize(0), 0));
        Map<Long, IndexDefinition> definitions = Map.of(
                SHORT,
                        new IndexDefinition(
                                "public.t_a",
                                "t_a",
                                "CREATE INDEX t_a ON public.t USING btree (a)",
                                null,
                                null,
                                null,
                                List.of()),
                COPY,
                        new IndexDefinition(
                                "public.t_c",
                                "t_c",
                                "CREATE INDEX t_c ON public.t USING btree (a)",
                                null,
                                null,
                                null,
                                List.of()));
        return advisor.review(definitions);
    }

    private static IndexReview review(IndexUses uses) {
        return review(
                uses,
                List.of(),
                new DataSize(0),
                index(SHORT, "t_a", 4000, "a"),
                index(LONG, "t_a_b", 10_000, "a", "b"));
    }

    private static IndexUses scanned(NodeAddress node, long shortScans, long longScans) {
        return new IndexUses(
                Map.of(PRIMARY, Map.of(LONG, 1L), node, Map.of(SHORT, shortScans, LONG, longScans)), Map.of());
    }

    @Test
    void an_index_much_smaller_than_what_covers_it_is_to_be_tried_first_when_some_node_prefers_it() {
        IndexAdvice preferred = review(scanned(STANDBY, 200, 800)).advice().get(0);

        assertThat(preferred.risk().level()).isEqualTo(Risk.Level.MEDIUM);
        assertThat(preferred.confidence()).isEqualTo(Confidence.ESTIMATED);
        assertThat(preferred.reason())
                .endsWith("; but it is much smaller than the other (9.77 kB), and was used 200 times");
        assertThat(review(scanned(STANDBY, 20, 800)).advice().get(0).risk().level())
                .isEqualTo(Risk.Level.LOW);
        assertThat(review(IndexTrial.NO_USES).advice().get(0).confidence()).isEqualTo(Confidence.CERTAIN);
    }

    @Test
    void nothing_is_to_be_dropped_while_a_node_was_not_asked() {
        IndexAdvice advice = review(new IndexUses(Map.of(), Map.of(STANDBY, "it does not answer")))
                .advice()
                .get(0);

        assertThat(advice.key()).isEqualTo("index/redundant/shop.public.t_a");
        assertThat(advice.notNow()).isEqualTo("node db2:5432 was not asked: it does not answer");
    }

    @Test
    void what_the_settings_keep_stays_and_its_copy_goes() {
        IndexReview review = review(
                IndexTrial.NO_USES,
                List.of("shop.*.t_c"),
                new DataSize(0),
                index(SHORT, "t_a", 4000, "a"),
                index(COPY, "t_c", 4000, "a"));

        assertThat(review.advice()).extracting(IndexAdvice::object).containsExactly("public.t_a");
        assertThat(review.kept()).isEmpty();
        assertThat(review(
                                IndexTrial.NO_USES,
                                List.of("shop.public.t_?"),
                                new DataSize(0),
                                index(SHORT, "t_a", 4000, "a"),
                                index(LONG, "t_a_b", 4000, "a", "b"))
                        .kept())
                .extracting(KeptIndex::why)
                .containsExactly("is to be kept by the settings");
    }

    @Test
    void of_copies_the_one_that_more_nodes_use_stays() {
        IndexUses uses =
                new IndexUses(Map.of(PRIMARY, Map.of(SHORT, 900L, COPY, 1L), STANDBY, Map.of(COPY, 1L)), Map.of());

        IndexReview review =
                review(uses, List.of(), new DataSize(0), index(SHORT, "t_a", 4000, "a"), index(COPY, "t_c", 4000, "a"));

        assertThat(review.advice()).extracting(IndexAdvice::object).containsExactly("public.t_a");
    }

    @Test
    void of_small_tables_it_is_only_counted() {
        IndexReview review = review(
                IndexTrial.NO_USES,
                List.of(),
                new DataSize((1 << 20) + 1),
                index(SHORT, "t_a", 4000, "a"),
                index(LONG, "t_a_b", 4000, "a", "b"));

        assertThat(review.advice()).isEmpty();
        assertThat(review.passedOver()).isEqualTo(1);
    }
}
