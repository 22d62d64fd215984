package io.nightshift.infra.health;

import io.nightshift.infra.postgres.Identifiers;
import java.sql.SQLException;
import java.util.List;

/**
 * Whether most checkpoints come because WAL fills up, not because time has passed: each costs a burst of writes, and full
 * pages in the WAL after it. Judged by the average since the statistics began, and only after enough of them.
 */
final class CheckpointsCheck extends SqlCheck {

    /** PostgreSQL 17 and newer. */
    private static final String CHECKPOINTER = """
            SELECT num_requested AS requested, num_timed AS timed, current_setting('max_wal_size') AS max_wal_size,
                   pg_size_pretty(2 * pg_size_bytes(current_setting('max_wal_size'))) AS twice
            FROM pg_stat_checkpointer
            """;

    private static final String BGWRITER = """
            SELECT checkpoints_req AS requested, checkpoints_timed AS timed, current_setting('max_wal_size') AS max_wal_size,
                   pg_size_pretty(2 * pg_size_bytes(current_setting('max_wal_size'))) AS twice
            FROM pg_stat_bgwriter
            """;

    private record Checkpoints(long requested, long timed, String maxWalSize, String twice) {

        long percent() {
            return Words.percent(requested, requested + timed);
        }
    }

    CheckpointsCheck() {
        super("checkpoints", Where.PRIMARY, "checkpoints come too often");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        boolean checkpointer =
                session.single("SELECT to_regclass('pg_stat_checkpointer') IS NOT NULL", row -> row.getBoolean(1));
        Checkpoints checkpoints = session.single(
                checkpointer ? CHECKPOINTER : BGWRITER,
                row -> new Checkpoints(
                        row.getLong("requested"),
                        row.getLong("timed"),
                        row.getString("max_wal_size"),
                        row.getString("twice")));
        HealthSettings settings = session.settings();
        return checkpoints.requested() < settings.requestedCheckpointsFloor()
                        || checkpoints.percent() < settings.requestedCheckpoints()
                ? List.of()
                : List.of(warning(
                        session.address(),
                        Words.number(checkpoints.requested()) + " of "
                                + Words.count(checkpoints.requested() + checkpoints.timed(), "checkpoint") + " ("
                                + checkpoints.percent()
                                + " %) were requested, mostly by WAL that reached max_wal_size ("
                                + checkpoints.maxWalSize() + ")",
                        "ALTER SYSTEM SET max_wal_size = "
                                + Identifiers.literal(checkpoints.twice().replace(" ", ""))
                                + "; SELECT pg_reload_conf(); recovery after a crash then takes longer"));
    }
}
