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
            boolean inRecovery,
            Timeline timeline,
            Lsn location,
            @Nullable Receiver receiver,
            @Nullable Duration sinceReplay,
            Sessions sessions)
            implements NodeObservation {

        /** Whether WAL arrives at this standby. */
        public boolean isStreaming() {
            return receiver != null && receiver.status().equals("streaming");
        }
    }

    /** A node that did not answer, or that does not lead straight to a server. */
    record Unreachable(NodeAddress node, Instant at, NightshiftException reason) implements NodeObservation {}

    /**
     * The WAL receiver of a standby ({@code pg_stat_wal_receiver}).
     *
     * @param silent since its last message; null before the first, and when the role may not see it
     */
    record Receiver(String status, @Nullable Duration silent) {}

    /** Connections used of those that ordinary roles may open. */
    record Sessions(int used, int allowed) {}
}
