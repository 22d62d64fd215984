package io.nightshift.infra.health;

import io.nightshift.infra.postgres.Identifiers;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** Prepared transactions that nobody ends: they keep their locks and dead tuples, over restarts too. */
final class PreparedTransactionsCheck extends SqlCheck {

    private record Oldest(String database, long number, String gid, String owner, Duration age) {}

    PreparedTransactionsCheck() {
        super("prepared-transactions", Where.PRIMARY, "a prepared transaction is left over");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        List<Oldest> databases = session.query(
                """
                SELECT DISTINCT ON (database) database, count(*) OVER (PARTITION BY database) AS number, gid,
                       quote_ident(owner) AS owner,
                       extract(epoch FROM clock_timestamp() - prepared)::float8 AS age
                FROM pg_prepared_xacts
                ORDER BY database, prepared
                """,
                row -> new Oldest(
                        row.getString("database"),
                        row.getLong("number"),
                        row.getString("gid"),
                        row.getString("owner"),
                        Objects.requireNonNull(HealthSession.seconds(row, "age"))));
        List<HealthResult> results = new ArrayList<>();
        for (Oldest oldest : databases) {
            String gid = Identifiers.literal(oldest.gid());
            session.settings()
                    .preparedTransaction()
                    .severity(oldest.age())
                    .ifPresent(severity -> results.add(wrong(
                            severity,
                            "database " + oldest.database(),
                            Words.count(oldest.number(), "prepared transaction") + ", the oldest, " + gid + " of role "
                                    + oldest.owner() + ", for " + Words.duration(oldest.age()),
                            "ask its transaction manager, then in database " + oldest.database()
                                    + ": ROLLBACK PREPARED " + gid + " or COMMIT PREPARED " + gid)));
        }
        return results;
    }
}
