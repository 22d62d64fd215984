/**
 * {@code wal-archive}: streams the WAL of a cluster into its storages, on a replication slot of its own, all day. It never
 * ends by nature; a run ends its day so that the next one goes on where the archive ends, as a restart does too. Production
 * comes first: the slot is given up before the WAL that it keeps fills the server's disk, and what is lost by that is on
 * record.
 */
@NullMarked
package io.nightshift.jobs.wal;

import org.jspecify.annotations.NullMarked;
