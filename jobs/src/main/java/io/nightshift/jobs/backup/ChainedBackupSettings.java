package io.nightshift.jobs.backup;

import io.nightshift.infra.config.Describe;
import io.nightshift.infra.config.Refusals;
import java.time.Duration;

/** How a backup is taken that needs another one; every default and limit. */
record ChainedBackupSettings(
        @Describe(
                "a full backup is taken instead once the last one is older, or will be within the hour; shorter bounds what one"
                        + " damaged backup costs")
        Duration fullEvery,

        @Describe("backups that may need each other; a longer chain takes longer to restore")
        int maxChain,

        @Describe("full takes a full backup where there is nothing to build on, and says why; fail ends the run")
        WithoutParent withoutParent,

        @Describe("how the server is read: the settings of full-backup")
        BackupSettings backup) {

    /** What is done where no backup fits. */
    enum WithoutParent {
        FULL,
        FAIL
    }

    private static final int LONGEST_CHAIN = 200;
    private static final Duration LONGEST_EARLIER = Duration.ofHours(1);

    ChainedBackupSettings {
        new Refusals()
                .when(fullEvery.compareTo(Duration.ofHours(1)) < 0, "full-every is shorter than 1h")
                .when(
                        maxChain < 2 || maxChain > LONGEST_CHAIN,
                        "max-chain is " + maxChain + "; accepted: 2 to " + LONGEST_CHAIN)
                .throwIfAny();
    }

    /** A run that is due each night begins a little earlier or later than the one a week ago. */
    Duration fullMayBeEarlier() {
        Duration tenth = fullEvery.dividedBy(10);
        return tenth.compareTo(LONGEST_EARLIER) < 0 ? tenth : LONGEST_EARLIER;
    }

    static ChainedBackupSettings defaults() {
        return new ChainedBackupSettings(Duration.ofDays(7), 14, WithoutParent.FULL, BackupSettings.defaults());
    }
}
