package io.nightshift.infra.health;

import io.nightshift.infra.config.Durations;
import io.nightshift.infra.routing.NodeObservation.Receiver;
import io.nightshift.infra.run.Severity;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Whether WAL arrives at a standby. One without a WAL receiver looks caught up by its own locations, however far it is
 * behind; only one that is meant to live on archived WAL needs none.
 */
final class WalReceiverCheck extends SqlCheck {

    /** How a standby is meant to get its WAL. */
    private record Source(boolean streams, boolean restores) {}

    WalReceiverCheck() {
        super("wal-receiver", Where.STANDBYS, "no WAL arrives at a standby");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        Receiver receiver = session.node().receiver();
        if (receiver == null) {
            Source source =
                    session.single("""
                    SELECT current_setting('primary_conninfo') <> '' AS streams,
                           current_setting('restore_command') <> '' AS restores
                    """, row -> new Source(row.getBoolean("streams"), row.getBoolean("restores")));
            return source.restores() && !source.streams() ? List.of() : List.of(none(session, source));
        }
        if (!session.node().isStreaming()) {
            return List.of(warning(
                    session.address(),
                    "its WAL receiver is " + receiver.status() + ", not streaming",
                    "see the server's log; if it lasts, check primary_conninfo and pg_hba.conf of the primary"));
        }
        Duration timeout = session.single(
                "SELECT setting::bigint FROM pg_settings WHERE name = 'wal_receiver_timeout'",
                row -> Duration.ofMillis(row.getLong(1)));
        if (timeout.isZero()) {
            return List.of(warning(
                    "wal_receiver_timeout of " + session.address(),
                    "wal_receiver_timeout is 0: its WAL receiver waits for ever for a primary that is gone",
                    "ALTER SYSTEM SET wal_receiver_timeout = '60s'; SELECT pg_reload_conf()"));
        }
        Duration silent = receiver.silent();
        if (silent == null) {
            return List.of();
        }
        return severity(silent, timeout, session.settings().receiverSilent())
                .<HealthResult>map(severity -> wrong(
                        severity,
                        session.address(),
                        "its WAL receiver has heard nothing for " + Words.duration(silent)
                                + ", longer than wal_receiver_timeout (" + Durations.print(timeout) + ")",
                        "see whether the primary and the network between hang; SELECT * FROM pg_stat_wal_receiver"))
                .map(List::of)
                .orElse(List.of());
    }

    /** An idle primary is asked for a sign of life after half of the timeout: silence until then is nothing. */
    static Optional<Severity> severity(Duration silent, Duration timeout, DurationLimits limits) {
        return silent.compareTo(timeout) <= 0 ? Optional.empty() : limits.severity(silent);
    }

    private HealthResult none(HealthSession session, Source source) {
        Duration since = session.node().sinceReplay();
        return critical(
                session.address(),
                "no WAL receiver runs: no WAL arrives" + (source.restores() ? " but what restore_command finds" : "")
                        + (since == null
                                ? ""
                                : "; the newest transaction that it has replayed is " + Words.duration(since) + " old"),
                source.streams()
                        ? "see in the server's log why it cannot connect; correct primary_conninfo (ALTER SYSTEM SET"
                                + " primary_conninfo = '…'; SELECT pg_reload_conf()) or pg_hba.conf of the primary; if"
                                + " the WAL that it needs is gone there, build it anew with pg_basebackup"
                        : "ALTER SYSTEM SET primary_conninfo = 'host=… user=…'; SELECT pg_reload_conf()");
    }
}
