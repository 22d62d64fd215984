package io.nightshift.infra.wal;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.replication.WalRange;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WalCoverageTest {

    private static final long SIZE = 16 << 20;
    private static final Timeline FIRST = new Timeline(1);
    private static final Timeline SECOND = new Timeline(2);

    private static WalObject segment(Timeline timeline, long number) {
        return new WalObject.Segment(new WalSegment(timeline, number, SIZE));
    }

    private static WalObject partial(Timeline timeline, long number, long bytes) {
        var segment = new WalSegment(timeline, number, SIZE);
        return new WalObject.Partial(segment, segment.start().plus(bytes));
    }

    private static WalRange range(Timeline timeline, long from, long to) {
        return new WalRange(timeline, new Lsn(from), new Lsn(to));
    }

    @Test
    void joins_segments_that_follow_each_other_and_tells_what_lies_between_the_others() {
        var coverage = WalCoverage.of(
                List.of(segment(FIRST, 7), segment(FIRST, 3), segment(FIRST, 2), segment(FIRST, 4), segment(FIRST, 8)));

        assertThat(coverage.ranges())
                .containsExactly(range(FIRST, 2 * SIZE, 5 * SIZE), range(FIRST, 7 * SIZE, 9 * SIZE));
        assertThat(coverage.gaps()).containsExactly(range(FIRST, 5 * SIZE, 7 * SIZE));
        assertThat(coverage.covers(range(FIRST, 3 * SIZE + 1, 5 * SIZE))).isTrue();
        assertThat(coverage.covers(range(FIRST, 4 * SIZE, 7 * SIZE + 1))).isFalse();
    }

    @Test
    void ends_with_the_longest_partial_and_not_beyond_it() {
        var coverage = WalCoverage.of(
                List.of(segment(FIRST, 2), partial(FIRST, 3, 900), partial(FIRST, 3, 100), partial(FIRST, 3, 500)));

        assertThat(coverage.end(FIRST)).contains(new Lsn(3 * SIZE + 900));
        assertThat(coverage.ranges()).containsExactly(range(FIRST, 2 * SIZE, 3 * SIZE + 900));
        assertThat(coverage.gaps()).isEmpty();
    }

    @Test
    void takes_a_whole_segment_for_its_partials_and_leaves_a_gap_behind_a_partial_that_nothing_completed() {
        var completed = WalCoverage.of(List.of(partial(FIRST, 2, 900), segment(FIRST, 2), segment(FIRST, 3)));
        var cut = WalCoverage.of(List.of(partial(FIRST, 2, 900), segment(FIRST, 3)));

        assertThat(completed.ranges()).containsExactly(range(FIRST, 2 * SIZE, 4 * SIZE));
        assertThat(cut.gaps()).containsExactly(range(FIRST, 2 * SIZE + 900, 3 * SIZE));
    }

    @Test
    void keeps_timelines_apart() {
        var coverage = WalCoverage.of(
                List.of(segment(FIRST, 2), segment(SECOND, 3), new WalObject.History(SECOND), partial(FIRST, 3, 20)));

        assertThat(coverage.ranges())
                .containsExactly(range(FIRST, 2 * SIZE, 3 * SIZE + 20), range(SECOND, 3 * SIZE, 4 * SIZE));
        assertThat(coverage.histories()).containsExactly(SECOND);
        assertThat(coverage.gaps()).isEmpty();
        assertThat(coverage.end(new Timeline(3))).isEmpty();
    }

    @Test
    void has_names_that_read_back_to_the_same_objects() {
        for (WalObject object :
                List.of(segment(SECOND, 0x1_0A), partial(FIRST, 0x2_FF, 1), new WalObject.History(new Timeline(-1)))) {
            assertThat(WalObject.parse(object.name(), SIZE)).isEqualTo(Optional.of(object));
        }
        assertThat(segment(SECOND, 0x1_0A).name()).isEqualTo("00000002/00000001/00000002000000010000000A.zst");
        assertThat(partial(FIRST, 0x2_FF, 1).name())
                .isEqualTo("00000001/00000002/0000000100000002000000FF.partial-00000002FF000001.zst");
        assertThat(new WalObject.History(SECOND).name()).isEqualTo("00000002.history");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "00000001/00000000/00000001000000000000000A",
                "00000002/00000000/00000001000000000000000A.zst",
                "00000001/00000001/00000001000000000000000A.zst",
                "00000001/00000000/00000001000000000000000A.partial-000000000A000000.zst",
                "00000001/00000000/00000001000000000000000A.partial-000000000B000000.zst",
                "00000001/00000000/000000010000000000000100.zst",
                "00000000.history",
                "gaps/20261122T010000Z.json"
            })
    void does_not_read_other_names(String name) {
        assertThat(WalObject.parse(name, SIZE)).isEmpty();
    }
}
