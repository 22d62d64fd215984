/**
 * Reads back what the storages hold of a cluster, the oldest first and some of it in each run, so that everything is read
 * once in a round; repairs what another storage has a good copy of, and says what the rest can no longer be restored to.
 * One step; a restart goes on behind what was read, because each verdict is kept in the storage that it is about.
 */
@NullMarked
package io.nightshift.jobs.verify;

import org.jspecify.annotations.NullMarked;
