package io.nightshift.infra.health;

import java.sql.SQLException;
import java.util.List;

/** Whether a database that reads much finds little of it in shared buffers. */
final class CacheHitsCheck extends SqlCheck {

    private record Reads(String database, long hits, long reads, String sharedBuffers) {

        double percent() {
            return 100.0 * hits / Math.max(1, hits + reads);
        }
    }

    CacheHitsCheck() {
        super("cache-hits", Where.EVERY_NODE, "shared buffers are too small for what is read");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        HealthSettings settings = session.settings();
        return session
                .query(
                        """
                        SELECT datname, blks_hit, blks_read, current_setting('shared_buffers') AS shared_buffers
                        FROM pg_stat_database WHERE datname IS NOT NULL AND blks_read >= ? ORDER BY datname
                        """,
                        row -> new Reads(
                                row.getString("datname"),
                                row.getLong("blks_hit"),
                                row.getLong("blks_read"),
                                row.getString("shared_buffers")),
                        settings.cacheReadsFloor())
                .stream()
                .filter(reads -> reads.percent() < settings.cacheHitRatio())
                .<HealthResult>map(
                        reads -> warning(
                                "database " + reads.database() + " on " + session.address(),
                                String.format(
                                        java.util.Locale.ROOT,
                                        "%.1f %% of its blocks were found in shared buffers (%s), %s were read",
                                        reads.percent(),
                                        reads.sharedBuffers(),
                                        Words.number(reads.reads())),
                                "find the queries that read most: SELECT query, shared_blks_read FROM pg_stat_statements ORDER BY 2"
                                        + " DESC LIMIT 10; an index may spare them; or raise shared_buffers, which needs a restart"))
                .toList();
    }
}
