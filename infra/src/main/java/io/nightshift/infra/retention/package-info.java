/** What runs of retention have said of the backups and the WAL of a cluster, kept in its storages. */
@NullMarked
package io.nightshift.infra.retention;

import org.jspecify.annotations.NullMarked;
