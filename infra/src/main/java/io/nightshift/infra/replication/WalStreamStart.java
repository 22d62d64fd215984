package io.nightshift.infra.replication;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Where streaming of WAL begins, and how.
 *
 * @param slot the physical replication slot that keeps WAL for us; null streams without one
 * @param location the beginning of a segment, so that whole segments arrive
 * @param timeline of the WAL from there on
 * @param silence how long the server may say nothing at all, not even that it has nothing to say, before it counts as gone
 */
public record WalStreamStart(@Nullable String slot, Lsn location, Timeline timeline, Duration silence) {}
