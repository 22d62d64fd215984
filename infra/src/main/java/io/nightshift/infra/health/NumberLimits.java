package io.nightshift.infra.health;

import io.nightshift.infra.config.Refusals;
import io.nightshift.infra.run.Severity;
import java.util.Optional;

/** From which number on something is a warning, and from which on it is critical; the setting says of what. */
public record NumberLimits(long warning, long critical) {

    public NumberLimits {
        new Refusals()
                .when(warning > critical, "warning is " + warning + ", more than critical, " + critical)
                .when(warning < 0, "warning is " + warning + "; accepted: 0 or more")
                .throwIfAny();
    }

    Optional<Severity> severity(long measured) {
        return measured >= critical
                ? Optional.of(Severity.CRITICAL)
                : measured >= warning ? Optional.of(Severity.WARNING) : Optional.empty();
    }
}
