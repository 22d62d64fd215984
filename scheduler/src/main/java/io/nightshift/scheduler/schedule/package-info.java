/** From cron, time zone and daylight-saving rules to due times. Pure: firing, previews and the watchdog use the same code. */
@NullMarked
package io.nightshift.scheduler.schedule;

import org.jspecify.annotations.NullMarked;
