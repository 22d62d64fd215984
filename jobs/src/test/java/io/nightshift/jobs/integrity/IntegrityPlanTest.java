package io.nightshift.jobs.integrity;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.run.Progress;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class IntegrityPlanTest {

    private static final Instant MONDAY = Instant.parse("2026-11-23T01:00:00Z");
    private static final Instant TUESDAY = Instant.parse("2026-11-24T01:00:00Z");

    private static Target target(Check check, String table, int blocks) {
        return new Target(
                check,
                "shop",
                table,
                table,
                1,
                new Target.Size((long) blocks * Piece.BLOCK, blocks * 10L),
                true,
                null,
                "SELECT '', '', 0::bigint");
    }

    @Test
    void what_was_never_covered_comes_first_and_then_what_was_covered_longest_ago() {
        Target never = target(Check.HEAP, "never", 9);
        Target monday = target(Check.HEAP, "monday", 2);
        Target tuesday = target(Check.HEAP, "tuesday", 1);

        List<Piece> plan = IntegrityPlan.of(
                List.of(tuesday, monday, never),
                Map.of(monday.key(), MONDAY, tuesday.key(), TUESDAY, "integrity/heap/shop.dropped", MONDAY),
                100);

        assertThat(plan.stream().map(Piece::target)).containsExactly(never, monday, tuesday);
    }

    @Test
    void of_what_waits_equally_long_the_largest_and_the_smallest_come_in_turn() {
        List<Piece> plan = IntegrityPlan.of(
                List.of(
                        target(Check.BTREE, "small", 1),
                        target(Check.BTREE, "large", 5),
                        target(Check.BTREE, "larger", 6),
                        target(Check.BTREE, "smaller", 0),
                        target(Check.BTREE, "middle", 4),
                        target(Check.HEAP, "heap", 3)),
                Map.of(),
                100);

        assertThat(plan.stream().map(piece -> piece.target().object()))
                .containsExactly("heap", "larger", "smaller", "small", "middle", "large");
    }

    @Test
    void pieces_cover_every_block_once_and_the_last_one_whatever_is_behind_it() {
        List<Piece> plan = IntegrityPlan.of(List.of(target(Check.FOREIGN_KEY, "orders", 25)), Map.of(), 10);

        assertThat(plan.stream().map(Piece::parameters))
                .containsExactly("('(0,0)', '(9,0)')", "('(9,0)', '(18,0)')", "('(18,0)', '(4294967295,0)')");
        assertThat(plan.stream().mapToLong(Piece::blocks).sum()).isEqualTo(25);
    }

    @Test
    void amcheck_takes_the_last_block_not_the_one_behind_it() {
        List<Piece> plan = IntegrityPlan.of(List.of(target(Check.HEAP, "orders", 25)), Map.of(), 20);

        assertThat(plan.stream().map(Piece::parameters)).containsExactly("(0, 12)", "(13, NULL)");
    }

    @Test
    void an_index_is_not_cut() {
        List<Piece> plan = IntegrityPlan.of(List.of(target(Check.BTREE, "orders_pkey", 25)), Map.of(), 10);

        assertThat(plan).singleElement().satisfies(piece -> {
            assertThat(piece.blocks()).isEqualTo(25);
            assertThat(piece.halves()).isEmpty();
        });
    }

    @Test
    void halves_are_what_the_whole_was() {
        Piece last = Piece.of(target(Check.NOT_NULL, "orders", 25), 10).get(2);

        assertThat(last.halves().orElseThrow().stream().map(Piece::parameters))
                .containsExactly("('(18,0)', '(21,0)')", "('(21,0)', '(4294967295,0)')");
        assertThat(Piece.of(target(Check.NOT_NULL, "tiny", 1), 10).get(0).halves())
                .isEmpty();
    }

    @Test
    void a_piece_has_its_share_of_the_rows_and_all_have_all() {
        Target target = target(Check.NOT_NULL, "cut", 25);
        List<Piece> pieces = Piece.of(target, 10);
        Progress progress = new Progress();

        Piece.begin(progress, "check", pieces);
        pieces.get(0).isDone(progress);
        Progress.Snapshot first = progress.snapshot();
        pieces.subList(1, 3).forEach(piece -> piece.isDone(progress));

        assertThat(first.done()).isEqualTo(9L * Piece.BLOCK);
        assertThat(first.rows()).isEqualTo(new Progress.Rows(90, 250));
        assertThat(progress.snapshot().rows()).isEqualTo(new Progress.Rows(250, 250));
        assertThat(progress.snapshot().done()).isEqualTo(progress.snapshot().total());
    }

    @Test
    void a_piece_and_an_outcome_are_read_as_they_were_written() {
        Piece piece = Piece.of(target(Check.NOT_NULL, "odd \"✓ 'name", 25), 10).get(2);
        Outcome outcome = new Outcome(7, List.of(new Outcome.Hit("row at (0,1)", "v null")), false, null);

        assertThat(Piece.parse(piece.json())).isEqualTo(piece);
        assertThat(Outcome.parse(outcome.json())).isEqualTo(outcome);
    }
}
