/** What monitors are told: about runs, and about what the watchdog sees. */
@NullMarked
package io.nightshift.scheduler.monitoring;

import org.jspecify.annotations.NullMarked;
