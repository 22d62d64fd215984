package io.nightshift.infra.health;

import java.sql.SQLException;
import java.util.List;

/** Sessions that keep a transaction open and do nothing. */
final class IdleInTransactionCheck extends SqlCheck {

    IdleInTransactionCheck() {
        super("idle-in-transaction", Where.EVERY_NODE, "a session keeps a transaction open and does nothing");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        DurationLimits limits = session.settings().idleInTransaction();
        List<OpenTransaction> idle =
                OpenTransaction.since(session, "state_change", "state LIKE 'idle in transaction%'").stream()
                        .filter(transaction ->
                                limits.severity(transaction.age()).isPresent())
                        .toList();
        if (idle.isEmpty()) {
            return List.of();
        }
        OpenTransaction oldest = idle.get(0);
        return List.of(wrong(
                limits.severity(oldest.age()).orElseThrow(),
                session.address(),
                Words.count(idle.size(), "session") + " idle in transaction, the longest for "
                        + Words.duration(oldest.age()) + ": " + oldest,
                "SELECT pg_terminate_backend(" + oldest.pid() + "); so that it does not come again: ALTER ROLE "
                        + oldest.role() + " SET idle_in_transaction_session_timeout = '5min'"));
    }
}
