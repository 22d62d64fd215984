package io.nightshift.scheduler.monitoring;

import io.nightshift.scheduler.watchdog.Condition;
import io.nightshift.scheduler.watchdog.Watchdog;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/**
 * What the watchdog saw last. Always up: a late job is no reason to restart the process that will run it, which is what
 * monitors do with a process that is down.
 */
public final class WatchdogHealth implements HealthIndicator {

    private final Watchdog watchdog;

    public WatchdogHealth(Watchdog watchdog) {
        this.watchdog = watchdog;
    }

    @Override
    public Health health() {
        Watchdog.Sight sight = watchdog.sight();
        return sight == null
                ? Health.up().withDetail("lookedAt", "not yet").build()
                : Health.up()
                        .withDetail("lookedAt", sight.at())
                        .withDetail("conditions", details(sight.conditions()))
                        .build();
    }

    private static List<Map<String, Object>> details(List<Condition> conditions) {
        return conditions.stream().map(WatchdogHealth::details).toList();
    }

    private static Map<String, Object> details(Condition condition) {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("kind", condition.kind().toString());
        details.put("subject", condition.subject());
        details.put("detail", condition.detail());
        return details;
    }
}
