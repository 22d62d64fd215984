package io.nightshift.infra.replication;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;

/** WAL that recovery of a backup needs, from start to end, on one timeline. */
public record WalRange(Timeline timeline, Lsn start, Lsn end) {}
