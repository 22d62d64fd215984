package io.nightshift.jobs.wal;

import static io.nightshift.jobs.wal.ArchiveTrial.PATIENCE;
import static io.nightshift.jobs.wal.ArchiveTrial.QUICK;
import static io.nightshift.jobs.wal.ArchiveTrial.SLOT;
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
import io.nightshift.infra.wal.WalGap;
import io.nightshift.infra.wal.WalLineage;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
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
                Lsn switched = switchedAt(next);
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

    @Test
    void a_gap_that_reaches_across_a_promotion_is_on_record_for_both_timelines() throws Exception {
        Map<String, String> settings =
                Map.of("max_wal_size", "32MB", "min_wal_size", "32MB", "restore_command", "false");
        try (var server = TestCluster.start(18, settings)) {
            TestPostgres old = server.postgres();
            Lsn archived;
            try (var trial = new ArchiveTrial(server, 18, QUICK).begin()) {
                write(old, 1);
                archived = trial.awaitArchived(old, FIRST);
                trial.endDay();
            }
            old.text("SELECT pg_drop_replication_slot('" + SLOT + "')");
            write(old, 4);
            old.stop();
            try (TestPostgres next = RestoreTrial.promoteCopy(old, 18, settings)) {
                write(next, 4);
                next.execute("postgres", "CHECKPOINT");
                String[] coordinates = server.coordinates();
                coordinates[0] = Integer.toString(next.port());
                TestCluster promoted = TestCluster.attach(coordinates);

                try (var trial = new ArchiveTrial(promoted, 18, QUICK).begin()) {
                    trial.outcome().completed();
                    assertThat(trial.run().requests()).hasSize(1);
                }

                try (var tomorrow = new ArchiveTrial(promoted, 18, QUICK).begin()) {
                    tomorrow.awaitArchived(next, SECOND);
                    tomorrow.endDay();
                    assertThat(tomorrow.run().requests()).isEmpty();
                    assertThat(tomorrow.gaps(next)).hasSize(2);
                    WalGap onFirst = tomorrow.gaps(next).get(0);
                    WalGap onSecond = tomorrow.gaps(next).get(1);
                    WalCoverage coverage = tomorrow.archive(next).coverage();
                    assertThat(onFirst.timeline()).isEqualTo(FIRST);
                    assertThat(onFirst.from()).isGreaterThanOrEqualTo(archived);
                    assertThat(coverage.end(FIRST)).contains(onFirst.from());
                    assertThat(onSecond.timeline()).isEqualTo(SECOND);
                    assertThat(onSecond.from()).isEqualTo(onFirst.to()).isEqualTo(switchedAt(next));
                    assertThat(coverage.ranges().get(1).start()).isEqualTo(onSecond.to());
                    assertThat(coverage.histories()).containsExactly(SECOND);
                    ArchiveTrial.assertHoldsWhatWasWritten(next, tomorrow.archive(next), coverage);
                }
            }
        }
    }

    private static Lsn switchedAt(TestPostgres promoted) throws IOException {
        byte[] history = Files.readAllBytes(promoted.dataDirectory().resolve("pg_wal/00000002.history"));
        return WalLineage.of(SECOND, history).branches().get(1).begin();
    }
}
