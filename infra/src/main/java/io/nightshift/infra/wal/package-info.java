/** The WAL archive of a cluster: what the server has streamed, by segment, and how far it reaches without a gap. */
@NullMarked
package io.nightshift.infra.wal;

import org.jspecify.annotations.NullMarked;
