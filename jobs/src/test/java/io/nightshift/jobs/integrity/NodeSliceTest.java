package io.nightshift.jobs.integrity;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.chunk.ChunkBook;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class NodeSliceTest {

    private static final String CLUSTER = "prod";
    private static final String NODE = "db2:5432";
    private static final Instant FIRST = Instant.parse("2026-11-01T01:00:00Z");
    private static final Duration WITHIN = Duration.ofDays(14);

    private final ChunkBook book = ChunkBook.ofThisProcess();

    private static List<Target> tables(int number) {
        return IntStream.range(0, number)
                .mapToObj(table -> new Target(
                        Check.HEAP,
                        "shop",
                        "public.t" + table,
                        "public.t" + table,
                        table,
                        new Target.Size((1L + table % 5) * Piece.BLOCK, 10),
                        true,
                        null,
                        "SELECT '', '', 0::bigint"))
                .toList();
    }

    private Coverage coverage() {
        return Coverage.of(NODE, book, CLUSTER);
    }

    private static Instant night(int number) {
        return FIRST.plus(Duration.ofDays(number));
    }

    private List<Target> look(List<Target> all, Instant at, List<String> wrong) {
        List<Target> slice = NodeSlice.of(all, coverage(), WITHIN, at);
        List<String> sound = new ArrayList<>(slice.stream().map(Target::key).toList());
        sound.removeAll(wrong);
        List<String> found =
                slice.stream().map(Target::key).filter(wrong::contains).toList();
        coverage().keep(all, sound, found, at);
        return slice;
    }

    @Test
    void a_part_each_night_is_all_of_it_within_the_days_over_and_over_again() {
        List<Target> all = tables(100);
        for (int night = 0; night < 14; night++) {
            assertThat(look(all, night(night), List.of())).hasSizeLessThan(20);
        }

        assertThat(coverage().never(all)).isZero();
        for (int night = 14; night < 60; night++) {
            look(all, night(night), List.of());

            assertThat(coverage().overdue(all, WITHIN, night(night))).isEmpty();
        }
    }

    @Test
    void after_nights_without_a_look_the_part_is_as_much_larger() {
        List<Target> all = tables(100);
        look(all, night(0), List.of());

        assertThat(coverage().overdue(all, WITHIN, night(13))).isEmpty();
        assertThat(coverage().overdue(all, WITHIN, night(15))).hasSize(100);
        assertThat(look(all, night(7), List.of()).size()).isBetween(50, 75);
    }

    @Test
    void what_was_wrong_is_looked_at_again_each_night_until_it_is_sound() {
        List<Target> all = tables(100);
        String wrong = look(all, night(0), List.of()).get(3).key();

        look(all, night(14), List.of(wrong));
        assertThat(look(all, night(15), List.of(wrong)).get(0).key()).isEqualTo(wrong);
        assertThat(look(all, night(16), List.of()).get(0).key()).isEqualTo(wrong);
        assertThat(look(all, night(17), List.of())).extracting(Target::key).doesNotContain(wrong);
    }

    @Test
    void what_was_dropped_is_forgotten_and_what_could_not_be_read_is_not() {
        List<Target> all = tables(4);
        coverage().keep(all, List.of(all.get(0).key(), all.get(1).key()), List.of(), night(0));

        coverage().keep(all.subList(1, 3), List.of(), List.of(), night(1));
        assertThat(book.covered(CLUSTER).keySet())
                .containsExactlyInAnyOrder(
                        NODE + " " + all.get(1).key(),
                        NODE + " never " + all.get(2).key());

        coverage().keep(Targets.none("shop", "connection refused"), List.of(), List.of(), night(2));
        assertThat(book.covered(CLUSTER)).hasSize(2);
    }
}
