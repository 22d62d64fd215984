/**
 * The WAL archive of a cluster: what the server has streamed or handed over, by segment, how far it reaches without a gap,
 * and the records in it at which recovery can stop.
 */
@NullMarked
package io.nightshift.infra.wal;

import org.jspecify.annotations.NullMarked;
