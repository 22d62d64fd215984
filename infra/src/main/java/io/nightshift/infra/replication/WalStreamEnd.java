package io.nightshift.infra.replication;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;

/** Why a stream of WAL came to its end in order. */
public sealed interface WalStreamEnd {

    /** The receiver did not want to go on. The connection is ready for the next command. */
    record Stopped() implements WalStreamEnd {}

    /**
     * The server has no more WAL on this timeline: a standby was promoted. The connection is ready for the next command.
     *
     * @param next the timeline that goes on
     * @param switchPoint where it left this one. What this timeline has behind that point is not part of it
     */
    record TimelineEnded(Timeline next, Lsn switchPoint) implements WalStreamEnd {}

    /** The server shuts down, and everything it had was received and acknowledged. The connection is over. */
    record ServerStopped() implements WalStreamEnd {}
}
