package io.nightshift.jobs.wal;

import static io.nightshift.jobs.wal.ArchiveTrial.PATIENCE;
import static io.nightshift.jobs.wal.ArchiveTrial.QUICK;
import static io.nightshift.jobs.wal.ArchiveTrial.slot;
import static io.nightshift.jobs.wal.ArchiveTrial.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.replication.WalRange;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.ReplicatedCluster;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.infra.wal.WalCoverage;
import io.nightshift.infra.wal.WalLineage;
import io.nightshift.jobs.TestCluster;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class WalArchivePromotionTest {

    private static final Timeline FIRST = new Timeline(1);
    private static final Timeline SECOND = new Timeline(2);

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#newestOrAll")
    void goes_on_at_the_standby_that_was_promoted_and_nothing_is_missing_between(int major) throws Exception {
        Path storages = TestPostgres.temporaryDirectory("storages-");
        try (var servers = ReplicatedCluster.start(major)) {
            TestPostgres old = servers.primary();
            TestCluster cluster = TestCluster.attach(
                    new String[] {Integer.toString(old.port()), old.username(), old.password(), storages.toString()});
            for (TestPostgres standby : servers.standbys()) {
                cluster = cluster.withStandby(standby.server());
            }
            try (var trial = new ArchiveTrial(cluster, major, QUICK).begin()) {
                write(old, 2);
                Lsn archived = trial.awaitArchived(old, FIRST);
                for (TestPostgres standby : servers.standbys()) {
                    await().atMost(PATIENCE)
                            .until(() -> slot(standby)
                                    .filter(kept -> kept.compareTo(archived.plus(-ArchiveTrial.SEGMENT)) > 0)
                                    .isPresent());
                }
                servers.awaitStreaming();

                servers.failOver();
                TestPostgres next = servers.primary();
                write(next, 1);
                trial.awaitArchived(next, SECOND);
                trial.endDay();

                WalCoverage coverage = trial.archive(next).coverage();
                assertThat(coverage.histories()).containsExactly(SECOND);
                byte[] history = Files.readAllBytes(
                        next.dataDirectory().resolve("pg_wal").resolve("00000002.history"));
                WalLineage lineage = WalLineage.of(SECOND, history);
                Lsn switched = lineage.branches().get(1).begin();
                Lsn begin = coverage.ranges().get(0).start();
                assertThat(coverage.covers(new WalRange(FIRST, begin, switched)))
                        .isTrue();
                assertThat(coverage.covers(new WalRange(
                                SECOND, switched, coverage.end(SECOND).orElseThrow())))
                        .isTrue();
                assertThat(coverage.gaps()).isEmpty();
                ArchiveTrial.assertHoldsWhatWasWritten(next, trial.archive(next), coverage);
                assertThat(slot(next).orElseThrow())
                        .isLessThanOrEqualTo(coverage.end(SECOND).orElseThrow());
                assertThat(List.copyOf(trial.gaps(next))).isEmpty();
            }
        } finally {
            FileTree.delete(storages);
        }
    }
}
