package io.nightshift.infra.health;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.health.NodeCounters.Counts;
import java.sql.SQLException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Whether a database that reads much finds little of it in shared buffers. */
final class CacheHitsCheck extends SqlCheck {

    CacheHitsCheck() {
        super("cache-hits", Where.EVERY_NODE, "shared buffers are too small for what is read");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        return session.counters().databases(session).stream()
                .map(database -> judge(database, session))
                .flatMap(Optional::stream)
                .toList();
    }

    private Optional<HealthResult> judge(List<Counts> database, HealthSession session) {
        HealthSettings settings = session.settings();
        DataSize sharedBuffers = new DataSize(
                session.facts().number("shared_buffers") * session.facts().number("block_size"));
        return database.stream()
                .filter(counts -> counts.of("blks_read") >= settings.cacheReadsFloor()
                        && percent(counts) < settings.cacheHitRatio())
                .findFirst()
                .map(
                        counts -> warning(
                                "database " + counts.subject() + " on " + session.address(),
                                String.format(
                                        Locale.ROOT,
                                        "%.1f %% of its blocks were found in shared buffers (%s), %s were read, in %s",
                                        percent(counts),
                                        sharedBuffers,
                                        Words.number(counts.of("blks_read")),
                                        counts.span()),
                                "find the queries that read most: SELECT query, shared_blks_read FROM pg_stat_statements ORDER BY 2"
                                        + " DESC LIMIT 10; an index may spare them; or raise shared_buffers, which needs a restart"));
    }

    private static double percent(Counts counts) {
        return 100.0 * counts.of("blks_hit") / Math.max(1, counts.of("blks_hit") + counts.of("blks_read"));
    }
}
