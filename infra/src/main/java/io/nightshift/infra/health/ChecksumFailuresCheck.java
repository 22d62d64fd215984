package io.nightshift.infra.health;

import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Whether a server has read pages whose checksum is wrong. */
final class ChecksumFailuresCheck extends SqlCheck {

    static final String SHARED = "shared objects";

    private record Failures(
            String database, long failures, @Nullable Duration since) {}

    ChecksumFailuresCheck() {
        super("checksum-failures", Where.EVERY_NODE, "damaged pages were read");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        return session
                .query(
                        """
                        SELECT coalesce('database ' || datname, ?) AS database, checksum_failures,
                               extract(epoch FROM clock_timestamp() - checksum_last_failure)::float8 AS since
                        FROM pg_stat_database WHERE checksum_failures > 0 ORDER BY 1
                        """,
                        row -> new Failures(
                                row.getString("database"),
                                row.getLong("checksum_failures"),
                                HealthSession.seconds(row, "since")),
                        SHARED)
                .stream()
                .<HealthResult>map(found -> critical(
                        found.database() + " on " + session.address(),
                        Words.count(found.failures(), "page") + " read with a wrong checksum"
                                + (found.since() == null ? "" : ", the last " + Words.duration(found.since()) + " ago"),
                        "keep every backup; find file and block in the server's log (\"invalid page in block\"), restore the"
                                + " relation from a backup before that, and have disk and memory examined; "
                                + afterwards(found.database())))
                .toList();
    }

    /** How the count begins anew, and what that costs. */
    static String afterwards(String database) {
        return database.equals(SHARED)
                ? "nothing clears this count but the loss of all statistics"
                : "afterwards, in that database: SELECT pg_stat_reset(), which empties what autovacuum knows, too; then"
                        + " ANALYZE";
    }
}
