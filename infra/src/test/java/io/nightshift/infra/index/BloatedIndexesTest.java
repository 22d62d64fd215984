package io.nightshift.infra.index;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.index.IndexAdvice.Confidence;
import io.nightshift.infra.index.IndexAdvice.Kind;
import io.nightshift.infra.server.PostgresVersions;
import io.nightshift.infra.server.TestPostgres;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** How large real indexes are held to be, and which of them are mostly empty. */
class BloatedIndexesTest {

    private static final IndexPolicy POLICY = new IndexPolicy(List.of(), new DataSize(0), new DataSize(200 << 10), 0);

    static List<Integer> versions() {
        return PostgresVersions.underTest();
    }

    @ParameterizedTest
    @MethodSource("versions")
    void the_size_of_new_indexes_is_expected_and_of_emptied_ones_those_are_told_that_a_rebuild_helps(int major)
            throws SQLException {
        try (TestPostgres server = TestPostgres.start(major, Map.of("autovacuum", "off"))) {
            server.execute(
                    "postgres",
                    "CREATE EXTENSION pgstattuple",
                    "CREATE SCHEMA full_ones",
                    "CREATE TABLE full_ones.t AS SELECT n AS id, n % 20 AS few, n / 3 AS thrice, (n * 7919) % 9000 AS many,"
                            + " CASE WHEN n % 3 = 0 THEN n END AS seldom, md5(n::text) AS hash, 'word ' || n % 50 AS word,"
                            + " n::numeric AS amount, int4range(n, n + 1) AS span FROM generate_series(1, 40000) n",
                    "CREATE UNIQUE INDEX t_id ON full_ones.t (id)",
                    "CREATE INDEX t_few ON full_ones.t (few)",
                    "CREATE INDEX t_thrice ON full_ones.t (thrice)",
                    "CREATE INDEX t_many ON full_ones.t (many)",
                    "CREATE INDEX t_hash ON full_ones.t (hash)",
                    "CREATE INDEX t_word ON full_ones.t (upper(word))",
                    "CREATE INDEX t_amount ON full_ones.t (amount)",
                    "CREATE INDEX t_loose ON full_ones.t (id) WITH (fillfactor = 50)",
                    "CREATE INDEX t_plain ON full_ones.t (few) WITH (deduplicate_items = off)",
                    "CREATE INDEX t_included ON full_ones.t (few) INCLUDE (id)",
                    "CREATE INDEX t_two ON full_ones.t (few, word)",
                    "CREATE INDEX t_part ON full_ones.t (id) WHERE few < 10",
                    "CREATE INDEX t_brin ON full_ones.t USING brin (id)",
                    "CREATE INDEX t_gist ON full_ones.t USING gist (span)",
                    "ALTER TABLE full_ones.t ADD CONSTRAINT t_excl EXCLUDE USING btree (thrice WITH =, id WITH =)",
                    "CREATE TABLE full_ones.small AS SELECT n AS id FROM generate_series(1, 3000) n",
                    "CREATE INDEX small_id ON full_ones.small (id)",
                    "VACUUM ANALYZE");

            Map<String, Double> errors = new HashMap<>();
            Map<String, Double> measured = new HashMap<>();
            try (Connection session = server.connect("postgres")) {
                for (Index index : IndexTrial.catalog(server).indexes()) {
                    if (index.shape().method().equals(IndexShape.BTREE)) {
                        Long expected = IndexFillReader.estimate(session, List.of(index.oid()))
                                .get(index.oid())
                                .estimated();
                        errors.put(index.name().name(), 100.0 * expected / index.bytes() - 100);
                        measured.put(
                                index.name().name(),
                                100.0 * IndexFillReader.measured(session, "public", index.oid()) / index.bytes() - 100);
                    }
                }
            }
            assertThat(errors)
                    .hasSize(14)
                    .allSatisfy((name, error) -> assertThat(error).as(name).isCloseTo(0, within(11.0)));
            assertThat(measured)
                    .allSatisfy((name, error) -> assertThat(error).as(name).isBetween(-11.0, 5.0));
            assertThat(bloated(server, false)).isEmpty();

            server.execute(
                    "postgres",
                    "DELETE FROM full_ones.t WHERE id % 10 <> 0",
                    "DELETE FROM full_ones.small WHERE id % 10 <> 0",
                    "VACUUM ANALYZE");

            List<IndexAdvice> estimated = bloated(server, false);
            List<IndexAdvice> looked = bloated(server, true);
            assertThat(estimated)
                    .extracting(IndexAdvice::object)
                    .contains("full_ones.t_id", "full_ones.t_many", "full_ones.t_hash", "full_ones.t_part")
                    .doesNotContain("full_ones.t_excl", "full_ones.t_brin", "full_ones.t_gist", "full_ones.small_id");
            assertThat(looked)
                    .extracting(IndexAdvice::object)
                    .containsExactlyElementsOf(
                            estimated.stream().map(IndexAdvice::object).toList());
            assertThat(looked).extracting(IndexAdvice::confidence).containsOnly(Confidence.OBSERVED);
            IndexAdvice first = estimated.get(0);
            assertThat(first.confidence()).isEqualTo(Confidence.ESTIMATED);
            assertThat(first.statements().todo()).containsExactly("REINDEX INDEX CONCURRENTLY " + first.object());
            assertThat(first.reason())
                    .matches("takes \\S+ [kM]B, of which a new one would need \\S+ kB by the statistics of its columns:"
                            + " rebuilding it wins \\S+ [kM]B");
            assertThat(first.risk().why()).contains("kB more disk space until it is done");

            long promised = estimated.stream().mapToLong(IndexAdvice::bytes).sum();
            estimated.forEach(one -> IndexTrial.run(server, one.statements().todo()));

            assertThat(bloated(server, true)).isEmpty();
            long left = estimated.stream()
                    .mapToLong(one -> server.number("SELECT pg_relation_size('" + one.object() + "')"))
                    .sum();
            assertThat(left).isLessThan(promised / 2).isCloseTo(promised / 10, Percentage.withPercentage(40));
        }
    }

    private static List<IndexAdvice> bloated(TestPostgres server, boolean looksInside) throws SQLException {
        var advisor = new IndexAdvisor(IndexTrial.catalog(server), IndexTrial.NO_USES, POLICY);
        try (Connection session = server.connect("postgres")) {
            Map<Long, IndexFill> fills = IndexFillReader.estimate(session, advisor.toEstimate());
            if (looksInside) {
                String schema = IndexFillReader.extensionSchema(session).orElseThrow();
                for (long oid : advisor.toEstimate()) {
                    fills.put(oid, IndexFill.UNKNOWN.with(IndexFillReader.measured(session, schema, oid)));
                }
            }
            Map<Long, IndexDefinition> definitions = IndexCatalogReader.definitions(session, advisor.toDefine());
            return IndexTrial.advice(advisor.review(definitions, fills), Kind.BLOATED);
        }
    }
}
