package io.nightshift.infra.replication;

import org.jspecify.annotations.Nullable;

/**
 * A tablespace, or the data directory, as the server announces it before a base backup.
 *
 * @param oid unsigned 32-bit number; 0 for the data directory
 * @param location absolute path on the server, {@code pg_tblspc/<oid>} for an in-place tablespace, empty for the data
 *     directory
 * @param kilobytes estimated size in units of 1024 bytes; null unless progress was asked for
 */
public record TablespaceInfo(
        long oid, String location, @Nullable Long kilobytes) {

    public boolean isDataDirectory() {
        return oid == 0;
    }
}
