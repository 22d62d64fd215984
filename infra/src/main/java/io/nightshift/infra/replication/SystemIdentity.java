package io.nightshift.infra.replication;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;

/**
 * The answer to IDENTIFY_SYSTEM.
 *
 * @param flushLsn WAL up to here is on the server's disk; on a standby, received or replayed
 */
public record SystemIdentity(SystemIdentifier systemIdentifier, Timeline timeline, Lsn flushLsn) {}
