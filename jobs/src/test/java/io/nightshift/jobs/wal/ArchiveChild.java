package io.nightshift.jobs.wal;

import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;

/** Another process that archives until it dies. */
final class ArchiveChild {

    private ArchiveChild() {}

    public static void main(String[] coordinates) {
        var outcome = JobRun.of(new WalArchiveJobType(), TestCluster.attach(coordinates), ArchiveTrial.QUICK)
                .attempt();
        System.out.println(outcome);
        System.exit(1);
    }
}
