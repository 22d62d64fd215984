package io.nightshift.infra.wal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.replication.WalRange;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class WalLineageTest {

    private static final Timeline FIRST = new Timeline(1);
    private static final Timeline SECOND = new Timeline(2);
    private static final Timeline FOURTH = new Timeline(4);

    /** Timeline 3 was another branch. */
    private static final WalLineage LINEAGE = WalLineage.of(FOURTH, """
            1\t0/5000100\tno recovery target specified

            2\t0/8000000\tbefore 2026-11-27 02:00:00+00
            """.getBytes(UTF_8));

    private static WalRange range(Timeline timeline, String from, String to) {
        return new WalRange(timeline, Lsn.parse(from), Lsn.parse(to));
    }

    private static WalCoverage archived(WalRange... ranges) {
        return new WalCoverage(List.of(ranges), List.of());
    }

    @Test
    void reads_a_history_file() {
        assertThat(LINEAGE.branches())
                .containsExactly(
                        new WalLineage.Branch(FIRST, Lsn.INVALID, Lsn.parse("0/5000100")),
                        new WalLineage.Branch(SECOND, Lsn.parse("0/5000100"), Lsn.parse("0/8000000")),
                        new WalLineage.Branch(FOURTH, Lsn.parse("0/8000000"), null));
        assertThat(LINEAGE.present()).isEqualTo(FOURTH);
    }

    @Test
    void refuses_what_is_no_history_with_the_line() {
        assertThatThrownBy(() -> WalLineage.of(SECOND, "1\t0/5000100\tok\nnonsense\n".getBytes(UTF_8)))
                .isInstanceOfSatisfying(
                        NightshiftException.class, e -> assertThat(e.kind()).isEqualTo(FailureKind.DATA_DAMAGED))
                .hasMessage("history of timeline 2 not understood: \"nonsense\"");
    }

    @Test
    void an_archive_ends_where_it_is_furthest_on_the_way_and_not_on_a_branch_that_was_given_up() {
        var deadEnd = range(FIRST, "0/3000000", "0/A000000");
        var otherBranch = range(new Timeline(3), "0/3000000", "0/F000000");
        var second = range(SECOND, "0/5000000", "0/6000000");

        assertThat(LINEAGE.end(archived(), List.of())).isEmpty();
        assertThat(LINEAGE.end(archived(deadEnd), List.of())).contains(Lsn.parse("0/5000100"));
        assertThat(LINEAGE.end(archived(deadEnd, otherBranch), List.of())).contains(Lsn.parse("0/5000100"));
        assertThat(LINEAGE.end(archived(deadEnd, second), List.of())).contains(Lsn.parse("0/6000000"));
    }

    @Test
    void an_archive_goes_on_behind_its_last_gap() {
        var gap = new WalGap(SECOND, Lsn.parse("0/5500000"), Lsn.parse("0/7000000"), "removed", Instant.EPOCH, true);

        assertThat(LINEAGE.end(archived(range(FIRST, "0/3000000", "0/5000100")), List.of(gap)))
                .contains(Lsn.parse("0/7000000"));
    }

    @Test
    void the_timeline_that_goes_on_at_a_switch_is_the_next_one() {
        assertThat(LINEAGE.goingOnAt(Lsn.parse("0/50000FF"))).isEqualTo(FIRST);
        assertThat(LINEAGE.goingOnAt(Lsn.parse("0/5000100"))).isEqualTo(SECOND);
        assertThat(LINEAGE.goingOnAt(Lsn.parse("0/8000000"))).isEqualTo(FOURTH);
    }

    @Test
    void a_stretch_is_divided_by_timelines() {
        assertThat(LINEAGE.between(Lsn.parse("0/4000000"), Lsn.parse("0/9000000")))
                .containsExactly(
                        range(FIRST, "0/4000000", "0/5000100"),
                        range(SECOND, "0/5000100", "0/8000000"),
                        range(FOURTH, "0/8000000", "0/9000000"));
        assertThat(LINEAGE.between(Lsn.parse("0/6000000"), Lsn.parse("0/7000000")))
                .containsExactly(range(SECOND, "0/6000000", "0/7000000"));
    }
}
