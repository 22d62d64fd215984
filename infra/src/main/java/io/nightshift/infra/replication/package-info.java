/**
 * The replication protocol, spoken over the authenticated and possibly encrypted stream of a connection that pgjdbc
 * opened: pgjdbc's own COPY interface cannot run BASE_BACKUP (it stops at the result sets before the COPY). Nothing here
 * knows where a backup is stored; the receiver does.
 */
@NullMarked
package io.nightshift.infra.replication;

import org.jspecify.annotations.NullMarked;
