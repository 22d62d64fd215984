package io.nightshift.infra.config;

import java.net.URI;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A monitor outside that raises the alarm when nothing is heard any more.
 *
 * @param url secret, because whoever knows it can keep the monitor calm
 */
public record DeadManSettings(
        @Describe(
                "called (GET) for as long as due times are accounted for and runs begin; the monitor alarms when it is not")
        Secret url,

        @Describe("how often; let the monitor wait for a few of them")
        Duration every) {

    private static final Duration SHORTEST = Duration.ofSeconds(10);

    public DeadManSettings {
        new Refusals()
                .when(host(url) == null, "url is not accepted; accepted: http://host/path or https://host/path")
                .when(
                        every.compareTo(SHORTEST) < 0,
                        "every is " + Durations.print(every) + "; accepted: " + Durations.print(SHORTEST) + " or more")
                .throwIfAny();
    }

    static Map<String, Object> defaults() {
        return Map.of("every", Duration.ofMinutes(1));
    }

    /** The part of the URL that may be shown. */
    public String host() {
        return String.valueOf(host(url));
    }

    private static @Nullable String host(Secret url) {
        try {
            URI address = URI.create(url.reveal());
            return "http".equals(address.getScheme()) || "https".equals(address.getScheme()) ? address.getHost() : null;
        } catch (IllegalArgumentException notOne) {
            return null;
        }
    }
}
