package io.nightshift.infra.routing;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.PostgresVersion;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.NodeObservation.Answered;
import io.nightshift.infra.routing.NodeObservation.Life;
import io.nightshift.infra.routing.NodeObservation.Sessions;
import io.nightshift.infra.routing.NodeObservation.Unreachable;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What is kept in mind while nodes are looked at one after the other. */
class ClusterMemoryTest {

    private static final NodeAddress DB1 = new NodeAddress("db1", 5432);
    private static final NodeAddress DB2 = new NodeAddress("db2", 5432);
    private static final SystemIdentifier OURS = new SystemIdentifier(7);
    private static final SystemIdentifier OTHER = new SystemIdentifier(8);

    private final ClusterMemory memory = new ClusterMemory("chanuka", List.of(DB1, DB2));
    private Instant now = Instant.parse("2026-11-27T01:00:00Z");

    private Set<NodeAddress> primary(NodeAddress node, SystemIdentifier system, int timeline) {
        return answer(node, system, timeline, false);
    }

    private Set<NodeAddress> standby(NodeAddress node, SystemIdentifier system, int timeline) {
        return answer(node, system, timeline, true);
    }

    private Set<NodeAddress> answer(NodeAddress node, SystemIdentifier system, int timeline, boolean inRecovery) {
        return seen(new Answered(
                node,
                now,
                new PostgresVersion(180_006),
                system,
                new Life(inRecovery, Instant.EPOCH, Instant.EPOCH),
                new Timeline(timeline),
                new Lsn(1),
                null,
                null,
                new Sessions(1, 97)));
    }

    private Set<NodeAddress> away(NodeAddress node) {
        return seen(new Unreachable(node, now, new NightshiftException(FailureKind.POSTGRES_UNAVAILABLE, "away")));
    }

    private Set<NodeAddress> seen(NodeObservation look) {
        pass(Duration.ofMillis(1));
        return memory.seen(look, now);
    }

    private void pass(Duration time) {
        now = now.plus(time);
    }

    private void twoPrimaries() {
        primary(DB1, OURS, 1);
        primary(DB2, OURS, 2);
        primary(DB1, OURS, 1);
        primary(DB2, OURS, 2);
    }

    @Test
    void what_was_a_promotion_between_two_looks_is_no_conflict() {
        primary(DB1, OURS, 1);

        Set<NodeAddress> doubtful = primary(DB2, OURS, 2);
        away(DB1);
        primary(DB2, OURS, 2);

        assertThat(doubtful).containsExactlyInAnyOrder(DB1, DB2);
        assertThat(memory.standing()).isEmpty();
    }

    @Test
    void what_both_say_again_is_a_conflict_that_one_missed_look_does_not_end() {
        twoPrimaries();

        away(DB1);
        primary(DB2, OURS, 2);

        assertThat(memory.standing())
                .hasValueSatisfying(conflict -> assertThat(conflict.nodes()).containsExactlyInAnyOrder(DB1, DB2));
        standby(DB1, OURS, 2);
        assertThat(memory.standing()).isEmpty();
    }

    @Test
    void a_node_that_is_shut_down_for_a_minute_ends_the_conflict() {
        twoPrimaries();
        pass(ClusterMemory.FORGOTTEN.minusSeconds(1));
        away(DB1);
        boolean before = memory.standing().isPresent();

        pass(Duration.ofSeconds(1));
        away(DB1);

        assertThat(before).isTrue();
        assertThat(memory.standing()).isEmpty();
    }

    @Test
    void a_stranger_is_a_conflict_until_all_nodes_are_of_its_system_whose_timelines_start_afresh() {
        primary(DB1, OURS, 5);
        standby(DB2, OURS, 5);
        away(DB1);
        primary(DB2, OTHER, 1);
        primary(DB2, OTHER, 1);
        String conflict = memory.standing().map(Conflict::fact).orElse("");

        standby(DB1, OTHER, 1);

        assertThat(conflict)
                .isEqualTo("cluster chanuka has another system identifier than before: db2:5432 has 8, but 7 was seen"
                        + " before");
        assertThat(memory.standing()).isEmpty();
        assertThat(memory.with(List.of()).lineage()).isEqualTo(new Lineage(OTHER, new Timeline(1)));
    }

    @Test
    void which_cluster_it_is_is_not_taken_from_the_first_node_that_answers() {
        primary(DB1, OURS, 1);
        primary(DB2, OTHER, 1);

        assertThat(memory.with(List.of()).lineage()).isNull();
    }
}
