package io.nightshift.scheduler.monitoring;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.nightshift.infra.metrics.Meters;
import io.nightshift.scheduler.watchdog.ConditionKind;
import io.nightshift.scheduler.watchdog.Watchdog;

/** How much is wrong, by kind, and when that was last looked at. */
public final class WatchdogMetrics {

    public WatchdogMetrics(MeterRegistry meters, Watchdog watchdog) {
        for (ConditionKind kind : ConditionKind.values()) {
            Gauge.builder(Meters.CONDITIONS, watchdog, dog -> count(dog, kind))
                    .tag("kind", kind.toString())
                    .register(meters);
        }
        Gauge.builder(Meters.LAST_LOOK, watchdog, WatchdogMetrics::lastLook)
                .baseUnit("seconds")
                .register(meters);
    }

    private static double count(Watchdog watchdog, ConditionKind kind) {
        Watchdog.Sight sight = watchdog.sight();
        return sight == null
                ? 0
                : sight.conditions().stream()
                        .filter(condition -> condition.kind() == kind)
                        .count();
    }

    private static double lastLook(Watchdog watchdog) {
        Watchdog.Sight sight = watchdog.sight();
        return sight == null ? 0 : sight.at().getEpochSecond();
    }
}
