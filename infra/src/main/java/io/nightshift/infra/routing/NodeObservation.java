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

        /** What makes it the same server in the same part: work that was begun on it may go on there. */
        String part() {
            return system + (inRecovery ? " standby" : " primary of timeline " + timeline);
        }
    }

    /** A node that did not answer. */
    record Unreachable(NodeAddress node, Instant at, NightshiftException reason) implements NodeObservation {}

    /** A node that is none: a pooler or a proxy answers there. */
    record Refused(NodeAddress node, Instant at, NightshiftException reason) implements NodeObservation {}

    /**
     * The WAL receiver of a standby ({@code pg_stat_wal_receiver}).
     *
     * @param status such as {@code streaming}; null when the role may not see it
     * @param silent since its last message; null before the first, and when the role may not see it
     */
    record Receiver(@Nullable String status, @Nullable Duration silent) {}

    /** Client sessions, and how many connections there may be ({@code max_connections}). */
    record Sessions(int used, int allowed) {}
}
