/**
 * Runs real PostgreSQL servers: finds or unpacks their binaries, initialises a data directory, starts, finds again,
 * stops. A server is detached: it outlives the process that started it and is found again by its data directory.
 */
@NullMarked
package io.nightshift.infra.server;

import org.jspecify.annotations.NullMarked;
