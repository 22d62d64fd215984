package io.nightshift.jobs.proof;

import io.nightshift.infra.config.RecordBinder;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.util.Map;

/** Another process that tests a restore; it is to die. */
final class RestoreTestChild {

    private RestoreTestChild() {}

    /**
     * Runs it once.
     *
     * @param coordinates more than four: there is a standby to compare with
     */
    public static void main(String[] coordinates) {
        Map<String, String> settings =
                coordinates.length > 4 ? Map.of("digest-limit", "1m") : Map.of("keep-copy", "1h");
        JobRun.of(
                        new RestoreTestJobType(),
                        TestCluster.attach(coordinates),
                        RecordBinder.fromMap(RestoreTestSettings.class, settings))
                .before("checkCopy", () -> System.out.println("step checkCopy"))
                .attempt();
    }
}
