package io.nightshift.infra.load;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.Describe;
import io.nightshift.infra.config.Refusals;
import java.util.List;

/** How much load production may have before a step yields to it; part of the settings of each job that does. */
public record LoadLimits(
        @Describe("WAL that a streaming standby may be behind; a smaller value protects standbys more and takes longer")
        DataSize maxLag,

        @Describe("sessions of others that may be active at once; set it above what a good day has")
        int maxActiveSessions,

        @Describe("WAL that the server may keep for a replication slot in use; far below the room that pg_wal has")
        DataSize maxRetainedWal,

        @Describe("application names of standbys that are behind on purpose, such as one with recovery_min_apply_delay")
        List<String> exceptStandbys) {

    public LoadLimits {
        exceptStandbys = List.copyOf(exceptStandbys);
        new Refusals()
                .when(maxLag.bytes() == 0, "max-lag is 0; every standby is behind by something")
                .when(maxActiveSessions < 1, "max-active-sessions is " + maxActiveSessions + "; accepted: 1 and more")
                .when(maxRetainedWal.bytes() == 0, "max-retained-wal is 0; every slot keeps something")
                .throwIfAny();
    }

    public static LoadLimits defaults() {
        return new LoadLimits(DataSize.ofMegabytes(512), 100, DataSize.ofMegabytes(16L << 10), List.of());
    }
}
