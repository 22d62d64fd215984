package io.nightshift.infra.health;

import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How late standbys replay, as the primary measures it. The age of the newest replayed transaction, which the standby
 * knows, grows on an idle primary too and says nothing. Who only keeps WAL, decodes it, or is one of us does not replay.
 */
final class ReplicationDelayCheck extends SqlCheck {

    private record Sender(
            String name,
            String address,
            String state,
            @Nullable Duration replayLag) {}

    ReplicationDelayCheck() {
        super("replication-delay", Where.PRIMARY, "a standby replays late");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        List<Sender> senders = session.query(
                """
                SELECT application_name, coalesce(host(client_addr), 'a Unix socket') AS address, state,
                       extract(epoch FROM replay_lag)::float8 AS replay_lag
                FROM pg_stat_replication r
                WHERE replay_lsn IS NOT NULL AND application_name NOT LIKE 'nightshift%'
                  AND NOT EXISTS (SELECT FROM pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical')
                """,
                row -> new Sender(
                        row.getString("application_name"),
                        row.getString("address"),
                        row.getString("state"),
                        HealthSession.seconds(row, "replay_lag")));
        List<HealthResult> results = new ArrayList<>();
        for (Sender sender : senders) {
            Duration lag = sender.replayLag();
            if (lag != null && !session.settings().delayedStandbys().contains(sender.name())) {
                session.settings()
                        .replicationDelay()
                        .severity(lag)
                        .ifPresent(severity -> results.add(wrong(
                                severity,
                                session.address() + ", standby " + sender.name() + " at " + sender.address(),
                                "replays " + Words.duration(lag) + " after the primary has written; it is "
                                        + sender.state(),
                                "if it replays late on purpose (recovery_min_apply_delay), name it in delayed-standbys; else,"
                                        + " on that standby, end the queries that hold replay up: SELECT pid, xact_start, query FROM"
                                        + " pg_stat_activity ORDER BY xact_start; see whether its disk is the limit")));
            }
        }
        return results;
    }
}
