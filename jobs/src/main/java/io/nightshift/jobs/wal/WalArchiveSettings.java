package io.nightshift.jobs.wal;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.Describe;
import io.nightshift.infra.config.Durations;
import io.nightshift.infra.config.Refusals;
import java.time.Duration;

/** How WAL is archived; every default and limit. */
record WalArchiveSettings(
        @Describe(
                "how much of the last transactions a lost server may take with it when little is written; shorter stores"
                        + " more unfinished segments")
        Duration storePartialEvery,

        @Describe(
                "WAL that servers may keep for the archive, on each node; more outlasts a longer outage of the storage, and"
                        + " needs the room in pg_wal")
        DataSize maxRetained,

        @Describe(
                "what happens there: drop gives the slot up, records a gap and asks for a full backup; hold only alerts, and"
                        + " lets the server's disk fill")
        OnLimit onLimit) {

    /** What happens to a slot that keeps too much. */
    enum OnLimit {
        DROP,
        HOLD
    }

    private static final Duration MOST_OFTEN = Duration.ofSeconds(1);
    private static final DataSize LEAST = DataSize.ofMegabytes(32);

    WalArchiveSettings {
        new Refusals()
                .when(
                        storePartialEvery.compareTo(MOST_OFTEN) < 0,
                        "store-partial-every is " + Durations.print(storePartialEvery) + "; accepted: 1s and more")
                .when(
                        maxRetained.compareTo(LEAST) < 0,
                        "max-retained is " + maxRetained + "; accepted: " + LEAST + " and more")
                .throwIfAny();
    }

    static WalArchiveSettings defaults() {
        return new WalArchiveSettings(Duration.ofMinutes(1), DataSize.ofMegabytes(16 * 1024), OnLimit.DROP);
    }

    /** Where it begins to be worth a warning. */
    DataSize muchRetained() {
        return new DataSize(maxRetained.bytes() / 2);
    }
}
