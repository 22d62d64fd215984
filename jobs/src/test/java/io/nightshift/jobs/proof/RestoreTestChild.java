package io.nightshift.jobs.proof;

import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;

/** Another process that tests a restore; it is to die. */
final class RestoreTestChild {

    private RestoreTestChild() {}

    public static void main(String[] coordinates) {
        JobRun.of(new RestoreTestJobType(), TestCluster.attach(coordinates), RestoreTestSettings.defaults())
                .attempt();
    }
}
