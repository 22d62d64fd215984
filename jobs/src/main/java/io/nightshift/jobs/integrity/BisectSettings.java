package io.nightshift.jobs.integrity;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.Describe;
import io.nightshift.infra.config.Durations;
import io.nightshift.infra.config.Refusals;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What is looked for in which backups; every default and limit. */
record BisectSettings(
        @Describe("the key of the finding, as reports show it: integrity/heap/shop.public.orders; needed") @Nullable
        String finding,

        @Describe("what a restored backup may take here; a larger one cannot be tested. Left out: all that is free")
        @Nullable
        DataSize scratchLimit,

        @Describe("how long one look at a restored backup may take; what takes longer cannot be tested")
        Duration checkLimit) {

    BisectSettings {
        new Refusals()
                .when(
                        finding != null && ProbedSubject.in(finding).isEmpty(),
                        "finding is " + finding + ", which is not about what restored backups can show: "
                                + ProbedSubject.known())
                .when(
                        checkLimit.compareTo(Duration.ofSeconds(1)) < 0,
                        "check-limit is " + Durations.print(checkLimit) + ", shorter than 1s")
                .throwIfAny();
    }

    static BisectSettings defaults() {
        return new BisectSettings(null, null, Duration.ofHours(4));
    }
}
