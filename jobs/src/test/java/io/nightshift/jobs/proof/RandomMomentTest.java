package io.nightshift.jobs.proof;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.restore.Restorability.Window;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RandomMomentTest {

    private static final Instant BEGIN = Instant.parse("2026-11-22T01:00:00Z");

    private static Window window(int from, int until) {
        return new Window(
                new Timeline(1),
                Lsn.parse("0/3000000"),
                BEGIN.plusSeconds(from),
                Lsn.parse("0/9000000"),
                BEGIN.plusSeconds(until));
    }

    @Test
    void the_same_seed_draws_the_same_moment_in_some_window() {
        List<Window> windows = List.of(window(0, 10), window(20, 20), window(30, 60));

        var drawn = new RandomMoment(windows, new Random(7)).next();
        var again = new RandomMoment(windows, new Random(7)).next();

        assertThat(drawn).isEqualTo(again).hasValueSatisfying(moment -> {
            assertThat(moment.at()).isAfter(moment.window().since());
            assertThat(moment.at()).isBeforeOrEqualTo(moment.window().until());
        });
    }

    @Test
    void what_was_too_late_is_not_drawn_again() {
        var moments = new RandomMoment(List.of(window(0, 10)), new Random(7));
        Instant before = BEGIN.plusSeconds(11);

        for (var drawn = moments.next(); drawn.isPresent(); drawn = moments.next()) {
            assertThat(drawn.get().at()).isBefore(before);
            before = drawn.get().at();
            moments.tooLate(drawn.get());
        }

        assertThat(before).isAfter(BEGIN);
    }

    @Test
    void there_is_none_where_only_ends_of_backups_can_be_reached() {
        assertThat(new RandomMoment(List.of(window(0, 0), window(5, 5)), new Random(7)).next())
                .isEmpty();
    }
}
