package io.nightshift.jobs.integrity;

import com.zaxxer.hikari.HikariDataSource;
import io.nightshift.infra.chunk.StoredChunks;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.util.Arrays;

/** Another process that looks for damage in backups; the tests let it die. Each one works the first run. */
final class BisectChild {

    private BisectChild() {}

    /**
     * Works the run to its end, or dies.
     *
     * @param coordinates of the cluster, whose database {@code control} has the tables of chunks; then the finding
     */
    public static void main(String[] coordinates) {
        var control = new HikariDataSource();
        control.setJdbcUrl("jdbc:postgresql://127.0.0.1:" + coordinates[0] + "/control");
        control.setUsername(coordinates[1]);
        control.setPassword(coordinates[2]);
        control.setMaximumPoolSize(2);
        var report = JobRun.of(
                        new BisectDamageJobType(),
                        TestCluster.attach(Arrays.copyOf(coordinates, 4)),
                        BisectDamageTest.finding(coordinates[4]))
                .keepingChunks(new StoredChunks(control))
                .attempt()
                .completed()
                .report();
        System.out.println("summary " + report.summary());
        report.findings().forEach(finding -> System.out.println("found " + finding.key() + ": " + finding.remedy()));
    }
}
