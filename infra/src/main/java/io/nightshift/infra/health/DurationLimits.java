package io.nightshift.infra.health;

import io.nightshift.infra.config.Durations;
import io.nightshift.infra.config.Refusals;
import io.nightshift.infra.run.Severity;
import java.time.Duration;
import java.util.Optional;

/** From how long on something is a warning, and from how long on it is critical. */
public record DurationLimits(Duration warning, Duration critical) {

    public DurationLimits {
        new Refusals()
                .when(
                        warning.compareTo(critical) > 0,
                        "warning is " + Durations.print(warning) + ", longer than critical, "
                                + Durations.print(critical))
                .throwIfAny();
    }

    Optional<Severity> severity(Duration measured) {
        return measured.compareTo(critical) >= 0
                ? Optional.of(Severity.CRITICAL)
                : measured.compareTo(warning) >= 0 ? Optional.of(Severity.WARNING) : Optional.empty();
    }
}
