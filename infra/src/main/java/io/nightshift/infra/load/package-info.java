/**
 * Production comes first: what the load of a node is, when a step must yield to it, and how it does. Base backups are
 * slowed to a floor rate, never paused, because a backup holds WAL; streaming WAL is never slowed; other steps pause
 * between chunks. A node that cannot be observed brakes nobody.
 */
@NullMarked
package io.nightshift.infra.load;

import org.jspecify.annotations.NullMarked;
