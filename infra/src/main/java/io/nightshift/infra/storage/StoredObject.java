package io.nightshift.infra.storage;

import java.time.Instant;

/**
 * An object as a storage lists it.
 *
 * @param name slash-separated, relative to the storage
 * @param bytes size as stored
 * @param modifiedAt by the clock of the storage
 */
public record StoredObject(String name, long bytes, Instant modifiedAt) {}
