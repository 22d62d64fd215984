package io.nightshift.infra.incremental;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.incremental.RelationFork.Fork;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.replication.WalRange;
import io.nightshift.infra.resilience.NightshiftException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TruncationGuardTest {

    private static final RelationFork TABLE = new RelationFork(1663, 5, 16384, Fork.MAIN);
    private static final RelationFork CUT = new RelationFork(1663, 5, 16390, Fork.MAIN);

    private final BlockChanges changes = new BlockChanges();
    private final TruncationGuard guard = new TruncationGuard(changes);

    private static IncrementalHeader header(int length, int... blocks) {
        var set = new BitSet();
        Arrays.stream(blocks).forEach(set::set);
        return new IncrementalHeader(set, length);
    }

    @Test
    void a_path_tells_whose_file_it_is() {
        assertThat(RelationSegment.of("base/5/16384")).contains(new RelationSegment(TABLE, 0));
        assertThat(RelationSegment.of("base/5/INCREMENTAL.16384.3")).contains(new RelationSegment(TABLE, 3));
        assertThat(RelationSegment.of("global/1260_vm"))
                .contains(new RelationSegment(new RelationFork(1664, 0, 1260, Fork.VISIBILITY_MAP), 0));
        assertThat(RelationSegment.of("pg_tblspc/16500/PG_18_202506291/5/16384_init"))
                .contains(new RelationSegment(new RelationFork(16500, 5, 16384, Fork.INIT), 0));
        assertThat(RelationSegment.of("base/5/PG_VERSION")).isEmpty();
        assertThat(RelationSegment.of("pg_xact/0000")).isEmpty();
        assertThat(RelationSegment.of("base/5/016384")).isEmpty();
        assertThat(RelationSegment.of("base/5/16384.0")).isEmpty();
        assertThat(RelationSegment.of("base/5/16384.01")).isEmpty();
        assertThat(RelationSegment.isIncremental("base/5/INCREMENTAL.conf")).isFalse();
        assertThat(RelationSegment.wholePath("base/5/INCREMENTAL.16384_fsm")).isEqualTo("base/5/16384_fsm");
        assertThat(RelationSegment.incrementalPath("base/5/16384_fsm")).isEqualTo("base/5/INCREMENTAL.16384_fsm");
    }

    @Test
    void shows_neither_maps_nor_any_file_of_what_was_truncated() {
        changes.truncated(CUT, 14);

        assertThat(guard.mayShow("base/5/16384")).isTrue();
        assertThat(guard.mayShow("base/5/16384.7")).isTrue();
        assertThat(guard.mayShow("base/5/16390")).isFalse();
        assertThat(guard.mayShow("base/5/16390.7")).isFalse();
        assertThat(guard.mayShow("base/5/INCREMENTAL.16390")).isFalse();
        assertThat(guard.mayShow("base/5/16384_fsm")).isFalse();
        assertThat(guard.mayShow("base/5/16384_vm")).isFalse();
        assertThat(guard.mayShow("base/6/16390")).isTrue();
        assertThat(guard.mayShow("PG_VERSION")).isTrue();
    }

    @Test
    void a_truncation_takes_back_what_was_said_before_it_and_not_after() {
        changes.changed(TABLE, 20);
        changes.changed(TABLE, 3);
        changes.changed(TABLE, 131_072 + 9);
        changes.truncated(TABLE, 14);
        changes.changed(TABLE, 15);

        assertThat(changes.in(new RelationSegment(TABLE, 0)).stream()).containsExactly(3, 15);
        assertThat(changes.in(new RelationSegment(TABLE, 1)).isEmpty()).isTrue();
        assertThat(changes.isTruncated(TABLE)).isTrue();
    }

    @Test
    void misses_each_block_that_has_changed_and_was_not_sent() {
        changes.changed(TABLE, 3);
        changes.changed(TABLE, 8);
        changes.changed(TABLE, 131_072 + 9);

        assertThat(guard.objection(Map.of("base/5/INCREMENTAL.16384", header(10, 3, 5, 8))))
                .isEmpty();
        assertThat(guard.objection(Map.of("base/5/INCREMENTAL.16384", header(8, 3))))
                .isEmpty();
        assertThat(guard.objection(Map.of("base/5/INCREMENTAL.16384", header(10, 3))))
                .contains("file base/5/INCREMENTAL.16384 lacks 1 blocks that have changed since the parent,"
                        + " block 8 is the first");
        assertThat(guard.objection(Map.of("base/5/INCREMENTAL.16384.1", header(10))))
                .hasValueSatisfying(fact -> assertThat(fact).contains("lacks 1 blocks", "block 9 "));
    }

    @Test
    void objects_to_changed_blocks_of_what_must_be_sent_whole() {
        changes.truncated(CUT, 14);

        assertThat(guard.objection(Map.of("base/5/INCREMENTAL.16390", header(82, 1))))
                .hasValueSatisfying(fact -> assertThat(fact).contains("was truncated since the parent"));
        assertThat(guard.objection(Map.of("base/5/INCREMENTAL.16384_vm", header(1))))
                .hasValueSatisfying(fact -> assertThat(fact).contains("it is a visibility map"));
        assertThat(guard.objection(Map.of("base/5/INCREMENTAL.16384_fsm", header(1))))
                .hasValueSatisfying(fact -> assertThat(fact).contains("a free space map"));
    }

    @Test
    void shows_nothing_of_a_database_that_was_created_since() {
        changes.truncated(new RelationFork(16500, 5, 0, Fork.MAIN), 0);

        assertThat(guard.mayShow("pg_tblspc/16500/PG_18_202506291/5/16384")).isFalse();
        assertThat(guard.mayShow("pg_tblspc/16500/PG_18_202506291/6/16384")).isTrue();
        assertThat(guard.mayShow("base/5/16384")).isTrue();
        assertThat(guard.objection(Map.of("pg_tblspc/16500/PG_18_202506291/5/INCREMENTAL.16384", header(10))))
                .hasValueSatisfying(fact -> assertThat(fact).contains("was truncated since the parent"));
    }

    @Test
    void summaries_are_taken_in_the_order_of_the_WAL_and_must_leave_no_hole() {
        WalRange first = range(1, "0/1000", "0/2000");
        WalRange second = range(1, "0/2000", "0/3000");
        WalRange third = range(1, "0/3000", "0/4000");
        WalRange behind = range(1, "0/4000", "0/9000");
        WalRange after = range(2, "0/3800", "0/5000");

        assertThat(WalSummaries.covering(
                        List.of(behind, third, first, after, second),
                        List.of(range(1, "0/1800", "0/3800"), range(2, "0/3800", "0/4200"))))
                .containsExactly(first, second, third, after);
        assertThatThrownBy(() -> WalSummaries.covering(List.of(first, third), List.of(range(1, "0/1800", "0/3800"))))
                .isInstanceOf(NightshiftException.class)
                .hasMessage("the server has no WAL summaries of timeline 1 from 0/2000 on, up to 0/3800");
        assertThatThrownBy(() -> WalSummaries.covering(List.of(first), List.of(range(1, "0/1800", "0/3800"))))
                .hasMessageContaining("from 0/2000 on");
        assertThatThrownBy(() -> WalSummaries.covering(List.of(), List.of(range(1, "0/1800", "0/3800"))))
                .hasMessageContaining("from 0/1800 on");
    }

    private static WalRange range(int timeline, String from, String to) {
        return new WalRange(new Timeline(timeline), Lsn.parse(from), Lsn.parse(to));
    }
}
