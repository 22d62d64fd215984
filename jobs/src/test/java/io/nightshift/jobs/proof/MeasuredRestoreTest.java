package io.nightshift.jobs.proof;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.postgres.Lsn;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The point reached, what would be lost behind it, and what an assertion's answer means. */
class MeasuredRestoreTest {

    private static final Instant BACKUP = Instant.parse("2026-11-28T01:00:00Z");
    private static final Lsn END = Lsn.parse("0/5000000");
    private static final ReachedPoint REACHED = new ReachedPoint(END, BACKUP.plusSeconds(60));

    @Test
    void recovery_ended_where_the_new_timeline_branched_off() {
        List<String> log = List.of(
                "LOG:  redo done at 0/4FFFF38 system usage: CPU: user: 0.00 s",
                "LOG:  last completed transaction was at log time 2026-11-28 06:30:10.5+05:30",
                "LOG:  selected new timeline ID: 3");
        String history = "1\t0/3000000\tno recovery target specified\n\n2\t0/5000000\tno recovery target specified\n";

        var reached = ReachedPoint.parse(log, history, Lsn.parse("0/6000000"), BACKUP);

        assertThat(reached).isEqualTo(new ReachedPoint(END, BACKUP.plusMillis(10_500)));
    }

    @Test
    void without_transactions_the_end_of_the_backup_was_reached() {
        var reached = ReachedPoint.parse(List.of("LOG:  redo done at 0/5000000"), "", Lsn.parse("0/6000000"), BACKUP);

        assertThat(reached).isEqualTo(new ReachedPoint(END, BACKUP));
        assertThat(ReachedPoint.parse(
                                List.of("last completed transaction was at log time 2026-11-27 23:00:00+00"),
                                "",
                                END,
                                BACKUP)
                        .at())
                .isEqualTo(BACKUP);
    }

    @Test
    void what_the_source_has_done_since_would_be_lost() {
        Instant asked = BACKUP.plusSeconds(3600);

        var atMost = LossWindow.between(REACHED, new SourcePoint(asked, END.plus(3 << 20), null, ""));
        var exact = LossWindow.between(REACHED, new SourcePoint(asked, END.plus(3 << 20), BACKUP.plusSeconds(72), ""));

        assertThat(atMost.words()).isEqualTo("at most 59:00 min (3.00 MB of WAL)");
        assertThat(exact.words()).isEqualTo("at most 12.0 s (3.00 MB of WAL)");
    }

    @Test
    void nothing_would_be_lost_of_a_source_that_has_done_nothing() {
        var loss = LossWindow.between(REACHED, new SourcePoint(BACKUP.plusSeconds(3600), END, null, ""));

        assertThat(loss).isEqualTo(new LossWindow(Duration.ZERO, 0L));
        assertThat(loss.words()).isEqualTo("nothing");
    }

    @Test
    void of_a_source_that_is_silent_everything_until_now_may_be_lost() {
        var loss = LossWindow.between(REACHED, new SourcePoint(BACKUP.plusSeconds(3660), null, null, "refused"));

        assertThat(loss.words()).isEqualTo("at most 1:00 h");
    }

    @Test
    void only_one_row_with_t_agrees_with_an_assertion() {
        var assertion = new SqlAssertion("shop", "SELECT count(*) > 0\n  FROM orders");

        assertThat(assertion.contradiction(List.of(List.of("t")))).isEmpty();
        assertThat(assertion.contradiction(List.of()))
                .hasValue("returned no row, expected one row with t: SELECT count(*) > 0 FROM orders");
        assertThat(assertion.contradiction(List.of(Arrays.asList((String) null))))
                .hasValueSatisfying(fact -> assertThat(fact).startsWith("returned NULL, expected"));
        assertThat(assertion.contradiction(List.of(List.of("t"), List.of("f"))))
                .hasValueSatisfying(fact -> assertThat(fact).startsWith("returned 2 rows, the first: t, expected"));
        assertThat(assertion.contradiction(List.of(List.of("t", "7"))))
                .hasValueSatisfying(fact -> assertThat(fact).startsWith("returned t, 7, expected"));
    }
}
