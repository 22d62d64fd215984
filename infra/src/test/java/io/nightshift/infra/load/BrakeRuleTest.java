package io.nightshift.infra.load;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.load.BrakeRule.NotStreaming;
import io.nightshift.infra.load.Load.Slot;
import io.nightshift.infra.load.Load.Standby;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BrakeRuleTest {

    private static final long MB = 1 << 20;
    private static final BrakeRule RULE = new BrakeRule(
            new LoadLimits(DataSize.ofMegabytes(256), 50, DataSize.ofMegabytes(16 * 1024), List.of("delayed")));

    @Test
    void a_load_at_its_limits_is_no_reason() {
        var load = new Load(
                "nightshift",
                List.of(standby("db2", "streaming", 256 * MB)),
                50,
                List.of(new Slot("db2", true, true, 16 * 1024 * MB)));

        assertThat(RULE.reason(load)).isEmpty();
        assertThat(RULE.notStreaming(load, List.of())).isEmpty();
    }

    @Test
    void everything_beyond_a_limit_is_told_with_both_numbers() {
        var load = new Load(
                "nightshift",
                List.of(standby("db2", "streaming", 320 * MB), standby("db3", "streaming", 0L)),
                51,
                List.of(new Slot("db2", true, true, 20 * 1024 * MB), new Slot("sink", false, true, 17 * 1024 * MB)));

        assertThat(RULE.reason(load))
                .contains(
                        "standby db2 is 320 MB behind, limit 256 MB; 51 sessions are active, limit 50;"
                                + " slot db2 keeps 20.0 GB of WAL, limit 16.0 GB; slot sink keeps 17.0 GB of WAL, limit 16.0 GB");
    }

    @ParameterizedTest
    @ValueSource(strings = {"startup", "catchup", "stopping"})
    void a_standby_that_does_not_stream_is_an_alert_and_no_reason(String state) {
        var load = new Load("nightshift", List.of(standby("db2", state, 9000 * MB)), 1, List.of());

        assertThat(RULE.reason(load)).isEmpty();
        assertThat(RULE.notStreaming(load, List.of()))
                .containsExactly(new NotStreaming(
                        "standby db2",
                        "is connected but does not stream: its state is " + state + ", 8.79 GB behind",
                        "see the standby's log for what keeps it; in catchup it may only need time"));
    }

    @Test
    void a_slot_that_nobody_uses_is_an_alert_if_a_standby_belongs_to_it_and_never_a_reason() {
        var load = new Load(
                "nightshift",
                List.of(),
                1,
                List.of(new Slot("db2", true, false, 20 * 1024 * MB), new Slot("sink", false, false, 20 * 1024 * MB)));

        assertThat(RULE.reason(load)).isEmpty();
        assertThat(RULE.notStreaming(load, List.of()))
                .containsExactly(new NotStreaming(
                        "replication slot db2",
                        "no standby is connected to it, and the server keeps 20.0 GB of WAL for it",
                        "start its standby; or, if nobody needs it any more: SELECT pg_drop_replication_slot('db2')"));
    }

    @Test
    void a_standby_that_is_behind_on_purpose_is_no_reason() {
        var load = new Load("nightshift", List.of(standby("delayed", "streaming", 9000 * MB)), 1, List.of());

        assertThat(RULE.reason(load)).isEmpty();
    }

    @Test
    void what_cannot_be_seen_is_neither_a_reason_nor_an_alert() {
        var load = new Load("nightshift", List.of(standby("db2", null, null)), null, List.of());

        assertThat(RULE.reason(load)).isEmpty();
        assertThat(RULE.notStreaming(load, List.of())).isEmpty();
        assertThat(load.isVisible()).isFalse();
    }

    @Test
    void a_standby_that_was_there_and_is_gone_is_an_alert_once_whether_it_has_a_slot_or_not() {
        var gone = standby("db2", "catchup", 0L);
        var withSlot = new Standby("db3", "db3", "streaming", 0L, "of_db3");
        var load = new Load("nightshift", List.of(), 1, List.of(new Slot("of_db3", true, false, 16 * MB)));

        assertThat(RULE.notStreaming(load, List.of(gone, withSlot)))
                .extracting(NotStreaming::subject)
                .containsExactly("replication slot of_db3", "standby db2");
        assertThat(RULE.notStreaming(
                        new Load("nightshift", List.of(standby("db2", "streaming", 0L)), 1, List.of()), List.of(gone)))
                .isEmpty();
    }

    private static Standby standby(String name, String state, Long lag) {
        return new Standby(name, name, state, lag, null);
    }
}
