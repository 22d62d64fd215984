/**
 * Notices what did not happen: due times that came late or never, runs that stand still, triggers that are not there,
 * clocks that are wrong. Pure judges over facts; a thin reader and a thin writer around them.
 */
@NullMarked
package io.nightshift.scheduler.watchdog;

import org.jspecify.annotations.NullMarked;
