package io.nightshift.infra.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** When a node is left alone, and when it is tried again. */
class NodeBreakersTest {

    private static final NodeAddress DB1 = new NodeAddress("db1", 5432);
    private static final NodeAddress DB2 = new NodeAddress("db2", 5432);

    private final NodeBreakers breakers = new NodeBreakers("chanuka");

    private void fail(NodeAddress node, FailureKind kind, int times) {
        for (int i = 0; i < times; i++) {
            assertThatThrownBy(() -> breakers.call(node, () -> {
                        throw new NightshiftException(kind, "as it was told");
                    }))
                    .hasMessage("as it was told");
        }
    }

    private static Answered answer(NodeAddress node) {
        return new Answered(
                node,
                Instant.EPOCH,
                new PostgresVersion(180_006),
                new SystemIdentifier(7),
                new Life(false, Instant.EPOCH, Instant.EPOCH),
                new Timeline(1),
                new Lsn(1),
                null,
                null,
                new Sessions(1, 97));
    }

    @Test
    void leaves_a_node_alone_that_was_not_available_five_times_and_no_other() {
        fail(DB1, FailureKind.POSTGRES_UNAVAILABLE, 5);

        assertThatThrownBy(() -> breakers.call(DB1, () -> "an answer"))
                .hasMessageContaining("node db1:5432 of cluster chanuka has failed too often");
        assertThat(breakers.state(DB1)).isEqualTo("open");
        assertThat(breakers.call(DB2, () -> "an answer")).isEqualTo("an answer");
    }

    @Test
    void tries_it_once_more_when_the_monitor_has_seen_it_answer() {
        fail(DB1, FailureKind.POSTGRES_UNAVAILABLE, 5);

        breakers.seen(answer(DB1));

        assertThat(breakers.state(DB1)).isEqualTo("half-open");
        assertThat(breakers.call(DB1, () -> "an answer")).isEqualTo("an answer");
        assertThat(breakers.state(DB1)).isEqualTo("closed");
    }

    @Test
    void does_not_blame_the_node_for_what_is_wrong_with_the_work() {
        fail(DB1, FailureKind.BUG, 20);
        fail(DB1, FailureKind.CONFIGURATION, 20);

        assertThat(breakers.isClosed(DB1)).isTrue();
    }

    @Test
    void a_node_that_rolls_back_or_ends_work_is_there() {
        for (String state : List.of("40001", "40P01", "25006", "57014")) {
            for (int i = 0; i < 10; i++) {
                assertThatThrownBy(() -> breakers.call(DB1, () -> {
                            throw new NightshiftException(
                                    FailureKind.POSTGRES_UNAVAILABLE, "told", null, new SQLException("told", state));
                        }))
                        .hasMessage("told");
            }
        }

        assertThat(breakers.state(DB1)).isEqualTo("closed");
    }

    @Test
    void what_is_opened_outside_of_the_pools_counts_and_is_tried_in_any_case() {
        for (int i = 0; i < 5; i++) {
            assertThatThrownBy(() -> breakers.noted(DB1, () -> {
                        throw new NightshiftException(FailureKind.POSTGRES_UNAVAILABLE, "away");
                    }))
                    .hasMessage("away");
        }

        assertThat(breakers.state(DB1)).isEqualTo("open");
        assertThat(breakers.noted(DB1, () -> "an answer")).isEqualTo("an answer");
    }
}
