package io.nightshift.jobs.integrity;

import com.zaxxer.hikari.HikariDataSource;
import io.nightshift.infra.chunk.StoredChunks;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.schema.StoredSchemas;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.util.Arrays;
import java.util.Map;

/** Another process that validates; the tests let it die. Each one works the first run. */
final class IntegrityChild {

    private IntegrityChild() {}

    /**
     * Works the run to its end, or dies.
     *
     * @param coordinates of the cluster; its database {@code control} has the tables of chunks
     */
    public static void main(String[] coordinates) {
        var control = new HikariDataSource();
        control.setJdbcUrl("jdbc:postgresql://127.0.0.1:" + coordinates[0] + "/control");
        control.setUsername(coordinates[1]);
        control.setPassword(coordinates[2]);
        control.setMaximumPoolSize(2);
        JobRun.of(
                        new IntegrityValidationJobType(),
                        TestCluster.attach(Arrays.copyOf(coordinates, 4)),
                        IntegrityValidationTest.rows(Map.of("parallel", 1, "chunk-size", "16kB")))
                .keepingChunks(new StoredChunks(control))
                .keepingSchemas(new StoredSchemas(control))
                .attempt()
                .completed()
                .report()
                .findings()
                .stream()
                .map(Finding::key)
                .forEach(key -> System.out.println("found " + key));
    }
}
