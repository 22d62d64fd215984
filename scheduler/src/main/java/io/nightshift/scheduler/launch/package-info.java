/** From a queued run to its outcome: claiming, Spring Batch, recovery, and the two Quartz schedulers. */
@NullMarked
package io.nightshift.scheduler.launch;

import org.jspecify.annotations.NullMarked;
