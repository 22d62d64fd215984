package io.nightshift.infra.replication;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import org.jspecify.annotations.Nullable;

/**
 * Where a physical replication slot keeps WAL from.
 *
 * @param restartLsn null while the slot has reserved nothing yet
 * @param timeline of the restart location; null with it
 */
public record SlotPosition(
        @Nullable Lsn restartLsn, @Nullable Timeline timeline) {}
