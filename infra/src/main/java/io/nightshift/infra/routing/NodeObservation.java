package io.nightshift.infra.routing;

import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.PostgresVersion;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.resilience.NightshiftException;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** What a node said of itself when it was last asked, or why it did not answer. */
public sealed interface NodeObservation {

    NodeAddress node();

    /** When it was asked, by this machine's clock. */
    Instant at();

    /**
     * A node that answered.
     *
     * @param timeline of the WAL that it writes or replays
     * @param location the flush location of a primary, the replay location of a standby
     * @param receiver of a standby; null while its WAL receiver does not run, and of a primary
     * @param sinceReplay how old the newest transaction is that a standby has replayed; null of a primary, and before the
     *     first one. On a primary that writes nothing it grows although the standby is not behind
     */
    record Answered(
            NodeAddress node,
            Instant at,
            PostgresVersion version,
            SystemIdentifier system,
            Life life,
            Timeline timeline,
            Lsn location,
            @Nullable Receiver receiver,
            @Nullable Duration sinceReplay,
            Sessions sessions)
            implements NodeObservation {

        public boolean inRecovery() {
            return life.inRecovery();
        }

        /** Whether WAL arrives at this standby, as far as the role may see. */
        public boolean isStreaming() {
            return receiver != null
                    && (receiver.status() == null || receiver.status().equals("streaming"));
        }

        /** What makes it the same server in the same part: work that was begun on it may go on there. */
        public String part() {
            return system + (inRecovery() ? " standby" : " primary of timeline " + timeline);
        }
    }

    /**
     * A node that did not answer.
     *
     * @param isNoServer a pooler or a proxy answers in its place
     */
    record Unreachable(NodeAddress node, Instant at, NightshiftException reason, boolean isNoServer)
            implements NodeObservation {

        public Unreachable(NodeAddress node, Instant at, NightshiftException reason) {
            this(node, at, reason, false);
        }
    }

    /**
     * The WAL receiver of a standby ({@code pg_stat_wal_receiver}).
     *
     * @param status such as {@code streaming}; null when the role may not see it
     * @param silent since its last message; null before the first, and when the role may not see it
     */
    record Receiver(@Nullable String status, @Nullable Duration silent) {}

    /**
     * A part of a node's life: another one begins with each restart, promotion, and reload of its settings, and when it had
     * to be asked over another session. What was found out in one may not hold in the next.
     *
     * @param startedAt {@code pg_postmaster_start_time}
     * @param loadedAt {@code pg_conf_load_time}, which differs a little from session to session
     */
    record Life(boolean inRecovery, Instant startedAt, Instant loadedAt) {}

    /** Client sessions, of the connections that ordinary roles may open. */
    record Sessions(int used, int allowed) {}
}
