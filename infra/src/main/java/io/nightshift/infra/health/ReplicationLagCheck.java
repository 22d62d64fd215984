package io.nightshift.infra.health;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.Durations;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.routing.NodeObservation.Answered;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How much WAL of the primary a standby has not replayed, or not received where it replays late on purpose. Without a
 * primary nobody can tell.
 */
final class ReplicationLagCheck extends SqlCheck {

    private record State(Lsn replayed, @Nullable Lsn received, Duration applyDelay) {}

    ReplicationLagCheck() {
        super("replication-lag", Where.STANDBYS, "a standby is far behind in WAL");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        Optional<Answered> primary = session.cluster().primary();
        if (primary.isEmpty()) {
            return List.of(notEvaluated(session.address(), "its lag is unknown: no node is known to be the primary"));
        }
        State state = session.single("""
                SELECT pg_last_wal_replay_lsn() AS replayed, pg_last_wal_receive_lsn() AS received,
                       (SELECT setting::bigint FROM pg_settings WHERE name = 'recovery_min_apply_delay') AS delay
                """, row -> {
            String received = row.getString("received");
            return new State(
                    Lsn.parse(row.getString("replayed")),
                    received == null ? null : Lsn.parse(received),
                    Duration.ofMillis(row.getLong("delay")));
        });
        boolean delayed = !state.applyDelay().isZero() && state.received() != null;
        Lsn reached = delayed && state.received() != null ? state.received() : state.replayed();
        DataSize lag = new DataSize(Math.max(0, primary.get().location().minus(reached)));
        return session.settings()
                .replicationLag()
                .severity(lag)
                .<HealthResult>map(severity -> wrong(
                        severity,
                        session.address(),
                        lag.rounded() + " of WAL behind the primary "
                                + primary.get().node()
                                + (delayed
                                        ? " in what it has received (it replays " + Durations.print(state.applyDelay())
                                                + " late on purpose)"
                                        : ""),
                        "see whether replay, its disk or the network is the limit: SELECT * FROM pg_stat_replication on "
                                + primary.get().node() + "; end long queries on the standby that hold replay up, and"
                                + " compare wal-receiver and replay-paused"))
                .map(List::of)
                .orElse(List.of());
    }
}
