/**
 * Health checks of managed clusters and what to do about what they find. Each check is one class: its SQL, its judgement,
 * and the remedy that names object and command. A role with {@code pg_monitor} and LOGIN is enough for nearly all of them;
 * what a role may not see, and what did not answer in time, is told as not evaluated, never taken for healthy. Nothing is
 * written to any server, and no query waits long for a lock.
 */
@NullMarked
package io.nightshift.infra.health;

import org.jspecify.annotations.NullMarked;
