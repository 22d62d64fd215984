package io.nightshift.infra.health;

import java.sql.SQLException;
import java.util.List;

/** Transactions that are at work for long: they hold locks and keep vacuum from removing dead tuples. */
final class LongTransactionsCheck extends SqlCheck {

    LongTransactionsCheck() {
        super("long-transactions", Where.EVERY_NODE, "a transaction is at work for long");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        DurationLimits limits = session.settings().longTransaction();
        List<OpenTransaction> open = OpenTransaction.since(session, "xact_start", "state NOT LIKE 'idle%'").stream()
                .filter(transaction -> limits.severity(transaction.age()).isPresent())
                .toList();
        if (open.isEmpty()) {
            return List.of();
        }
        OpenTransaction oldest = open.get(0);
        return List.of(wrong(
                limits.severity(oldest.age()).orElseThrow(),
                session.address(),
                "a transaction is at work for " + Words.duration(oldest.age()) + ": " + oldest
                        + (open.size() == 1 ? "" : "; " + (open.size() - 1) + " more beyond the limit"),
                "look at it: SELECT query FROM pg_stat_activity WHERE pid = " + oldest.pid()
                        + "; to end it: SELECT pg_cancel_backend(" + oldest.pid() + ")"));
    }
}
