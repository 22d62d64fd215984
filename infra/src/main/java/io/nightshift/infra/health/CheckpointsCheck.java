package io.nightshift.infra.health;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.health.NodeCounters.Counts;
import io.nightshift.infra.postgres.Identifiers;
import java.sql.SQLException;
import java.util.List;

/**
 * Whether most checkpoints come because WAL fills up, not because time has passed: each costs a burst of writes, and full
 * pages in the WAL after it. Judged only after enough of them.
 */
final class CheckpointsCheck extends SqlCheck {

    CheckpointsCheck() {
        super("checkpoints", Where.PRIMARY, "checkpoints come too often");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        HealthSettings settings = session.settings();
        long megabytes = session.facts().number("max_wal_size");
        return session.counters().checkpoints(session).stream()
                .filter(counts -> counts.of("requested") >= settings.requestedCheckpointsFloor()
                        && percent(counts) >= settings.requestedCheckpoints())
                .limit(1)
                .<HealthResult>map(counts -> warning(
                        session.address(),
                        Words.number(counts.of("requested")) + " of "
                                + Words.count(counts.of("requested") + counts.of("timed"), "checkpoint") + " ("
                                + percent(counts)
                                + " %) were requested, mostly by WAL that reached max_wal_size ("
                                + DataSize.ofMegabytes(megabytes) + "), in " + counts.span(),
                        "ALTER SYSTEM SET max_wal_size = "
                                + Identifiers.literal(
                                        DataSize.ofMegabytes(2 * megabytes).toString())
                                + "; SELECT pg_reload_conf(); recovery after a crash then takes longer"))
                .toList();
    }

    private static long percent(Counts counts) {
        return Words.percent(counts.of("requested"), counts.of("requested") + counts.of("timed"));
    }
}
