package io.nightshift.scheduler.launch;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.resilience.FailureKind;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.springframework.dao.DataIntegrityViolationException;
import org.springframework.transaction.TransactionSystemException;

/** Who must act on what Spring throws. */
class RunWorkerTest {

    @Test
    void a_connection_that_broke_under_the_pool_is_no_defect() {
        var failure = RunWorker.failureOf(new TransactionSystemException(
                "Could not roll back JDBC transaction", new SQLException("Connection is closed")));

        assertThat(failure.kind()).isEqualTo(FailureKind.POSTGRES_UNAVAILABLE);
        assertThat(failure).hasMessage("control database: connection lost: Connection is closed");
    }

    @Test
    void what_the_database_has_answered_has_its_own_kind() {
        var failure = RunWorker.failureOf(
                new DataIntegrityViolationException("insert", new SQLException("value too long", "22001")));

        assertThat(failure.kind()).isEqualTo(FailureKind.BUG);
    }

    @Test
    void anything_else_is_a_defect() {
        assertThat(RunWorker.failureOf(new IllegalStateException("broken")).kind())
                .isEqualTo(FailureKind.BUG);
    }
}
