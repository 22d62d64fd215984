package io.nightshift.jobs.integrity;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.chunk.Chunk;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.JobReport;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.jobs.RememberedRun;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class IntegrityReportTest {

    private final List<Chunk> chunks = new ArrayList<>();

    private Target target(Check check, String object, String table) {
        return new Target(
                check,
                "shop",
                object,
                table,
                1,
                new Target.Size(3 * Piece.BLOCK, 30),
                true,
                null,
                "SELECT '', '', 0::bigint");
    }

    /** Three pieces of one block each, with these outcomes; null for one that was not reached. */
    private void judged(Target target, @Nullable Outcome... outcomes) {
        List<Piece> pieces = Piece.of(target, 1);
        for (int i = 0; i < pieces.size(); i++) {
            chunks.add(new Chunk(chunks.size(), pieces.get(i).json(), outcomes[i] == null ? null : outcomes[i].json()));
        }
    }

    private static Outcome hits(int count) {
        List<Outcome.Hit> hits = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            hits.add(new Outcome.Hit("id " + i, "no parent"));
        }
        return new Outcome(count, hits, false, null);
    }

    private JobReport report() {
        RememberedRun run = RememberedRun.first("integrity-validation", "prod", IntegritySettings.defaults(), false);
        IntegrityReport.of(chunks).write(run, "standby db2:5432", "db2:5432", Duration.ofHours(1));
        return run.report();
    }

    @Test
    void the_hits_of_all_pieces_are_one_finding_of_their_target() {
        judged(target(Check.FOREIGN_KEY, "public.orders.fk", "public.orders"), hits(2), Outcome.PASS, hits(4));

        assertThat(report().findings()).singleElement().satisfies(finding -> {
            assertThat(finding.key()).isEqualTo("integrity/foreign-key/shop.public.orders.fk");
            assertThat(finding.detail())
                    .isEqualTo("6 found: id 1: no parent; id 2: no parent; id 1: no parent; id 2: no parent;"
                            + " id 3: no parent; and 1 more (standby db2:5432)");
        });
    }

    @Test
    void what_was_not_reached_is_not_evaluated_not_covered_and_resolves_nothing() {
        judged(target(Check.NOT_NULL, "public.orders", "public.orders"), Outcome.PASS, Outcome.PASS, null);
        judged(target(Check.NOT_NULL, "public.items", "public.items"), Outcome.PASS, Outcome.PASS, Outcome.PASS);

        JobReport report = report();

        assertThat(report.notEvaluated())
                .extracting(NotEvaluated::reason)
                .containsExactly("more than is looked at within time-limit 1h; it comes first next time");
        assertThat(report.hasLookedFor("integrity/not-null/shop.public.orders")).isFalse();
        assertThat(report.hasLookedFor("integrity/not-null/shop.public.items")).isTrue();
        assertThat(report.exitStatus()).isEqualTo(6);
        assertThat(IntegrityReport.of(chunks).sound()).containsExactly("integrity/not-null/shop.public.items");
    }

    @Test
    void damage_of_a_table_is_told_once_and_not_by_what_stumbles_over_it() {
        Outcome broken = Outcome.damage("could not open file \"base/5/1\"");
        judged(target(Check.HEAP, "public.orders", "public.orders"), Outcome.PASS, broken, Outcome.PASS);
        judged(target(Check.BTREE, "public.orders_pkey", "public.orders"), broken);
        judged(target(Check.FOREIGN_KEY, "public.items.fk", "public.items"), broken, Outcome.PASS, Outcome.PASS);

        JobReport report = report();

        assertThat(report.findings().stream().map(Finding::key))
                .containsExactly("integrity/node/db2:5432/heap/shop.public.orders");
        assertThat(report.findings().get(0).remedy())
                .endsWith(
                        "; nightshift bisect-damage 'integrity/node/db2:5432/heap/shop.public.orders' says which backup is clean of it");
        assertThat(report.notEvaluated().stream().map(NotEvaluated::subject))
                .containsExactly("shop.public.orders", "shop.public.items");
    }

    @Test
    void a_server_that_fails_on_damage_that_nobody_else_has_seen_is_believed() {
        judged(
                target(Check.FOREIGN_KEY, "public.items.fk", "public.items"),
                Outcome.damage("invalid page in block 7"),
                Outcome.PASS,
                Outcome.PASS);

        assertThat(report().findings().stream().map(Finding::key))
                .containsExactly("integrity/foreign-key/shop.public.items.fk");
    }
}
