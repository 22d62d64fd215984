/**
 * The job type {@code housekeeping}: keeps every table of the control database bounded. Each batch is one transaction that
 * counts what it deletes into the months, so that a crash leaves neither a gap nor a double; a restart goes on.
 */
@NullMarked
package io.nightshift.scheduler.housekeeping;

import org.jspecify.annotations.NullMarked;
