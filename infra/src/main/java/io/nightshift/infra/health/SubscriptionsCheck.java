package io.nightshift.infra.health;

import java.sql.SQLException;
import java.util.List;

/** Logical replication that does not run. */
final class SubscriptionsCheck extends SqlCheck {

    private record Subscription(String name, String quoted, boolean enabled) {}

    SubscriptionsCheck() {
        super("subscriptions", Where.DATABASES, "a subscription does not run");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        return session
                .query(
                        """
                        SELECT s.subname, quote_ident(s.subname) AS quoted, s.subenabled
                        FROM pg_subscription s
                        WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
                          AND NOT EXISTS (SELECT FROM pg_stat_subscription w
                                          WHERE w.subid = s.oid AND w.relid IS NULL AND w.pid IS NOT NULL)
                        ORDER BY 1
                        """,
                        row -> new Subscription(
                                row.getString("subname"), row.getString("quoted"), row.getBoolean("subenabled")))
                .stream()
                .<HealthResult>map(subscription -> subscription.enabled()
                        ? critical(
                                "subscription " + subscription.name() + session.inDatabase(),
                                "is enabled, and no worker applies it",
                                "see in the server's log why it ends: no connection to the publisher, or a row that cannot be"
                                        + " applied; SELECT * FROM pg_stat_subscription_stats")
                        : warning(
                                "subscription " + subscription.name() + session.inDatabase(),
                                "is disabled; its slot on the publisher retains WAL meanwhile",
                                "mend what it stopped at (see the server's log), then ALTER SUBSCRIPTION "
                                        + subscription.quoted() + " ENABLE; or DROP SUBSCRIPTION "
                                        + subscription.quoted()))
                .toList();
    }
}
