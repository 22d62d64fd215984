/** What Prometheus is told about runs. */
@NullMarked
package io.nightshift.scheduler.monitoring;

import org.jspecify.annotations.NullMarked;
