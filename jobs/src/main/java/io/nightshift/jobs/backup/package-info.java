/**
 * Base backups. A full backup checks the cluster, streams it with the WAL it needs into the storages, reads everything
 * back and compares it with the server's manifest, and only then makes it visible. A restart after a failure while
 * streaming begins a new backup, because a base backup cannot be continued; what the failed one wrote was never visible
 * and is deleted at once, or swept later. A restart after a storage failed while reading back reads back again; one after
 * damage was read back, which deletes the backup, streams anew.
 */
@NullMarked
package io.nightshift.jobs.backup;

import org.jspecify.annotations.NullMarked;
