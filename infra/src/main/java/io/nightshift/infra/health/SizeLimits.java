package io.nightshift.infra.health;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.Refusals;
import io.nightshift.infra.run.Severity;
import java.util.Optional;

/** From how many bytes on something is a warning, and from how many on it is critical. */
public record SizeLimits(DataSize warning, DataSize critical) {

    public SizeLimits {
        new Refusals()
                .when(warning.compareTo(critical) > 0, "warning is " + warning + ", larger than critical, " + critical)
                .throwIfAny();
    }

    Optional<Severity> severity(DataSize measured) {
        return measured.compareTo(critical) >= 0
                ? Optional.of(Severity.CRITICAL)
                : measured.compareTo(warning) >= 0 ? Optional.of(Severity.WARNING) : Optional.empty();
    }
}
