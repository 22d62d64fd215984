/**
 * What incremental backups are made of: which blocks of which relation files have changed since an earlier backup, and the
 * format in which a server sends only those. PostgreSQL's own way from one to the other loses rows in four known ways; what
 * prevents them is here. Of servers that know no way, 15 and 16, all blocks are compared by their digests.
 */
@NullMarked
package io.nightshift.infra.incremental;

import org.jspecify.annotations.NullMarked;
