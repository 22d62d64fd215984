package io.nightshift.scheduler.ledger;

import org.jspecify.annotations.Nullable;

/**
 * Medians of earlier runs.
 *
 * @param runs how many; with none the medians are null
 * @param bytes null where its job type measures none
 */
public record Usual(
        int runs, @Nullable Double seconds, @Nullable Double bytes) {}
