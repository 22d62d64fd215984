package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.Section;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A backup of a primary whose standby falls behind: slowed, seen, never paused, and free again. */
class YieldingBackupTest {

    private static final Duration LIMIT = Duration.ofMinutes(2);

    private static TestCluster cluster;
    private static TestPostgres standby;

    @BeforeAll
    static void start() throws Exception {
        // Walsenders that nobody answers are ended soon: a backup is none of them, however slow it is.
        cluster = TestCluster.start(18, Map.of("wal_sender_timeout", "5s"));
        TestPostgres primary = cluster.postgres();
        standby = TestPostgres.prepare(
                18,
                Map.of(
                        "max_connections",
                        "100",
                        "primary_conninfo",
                        "host=127.0.0.1 user=postgres application_name=far port=" + primary.port() + " password="
                                + primary.password()));
        Files.createFile(standby.dataDirectory().resolve("standby.signal"));
        standby.restart();
        await().atMost(LIMIT).until(() -> streaming() == 1);
    }

    @AfterAll
    static void stop() {
        standby.close();
        cluster.close();
    }

    private static long streaming() {
        return cluster.postgres().number("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'");
    }

    private static JobRun backup(String floorRate) {
        return JobRun.of(
                new FullBackupJobType(),
                cluster.withStorages("local"),
                RecordBinder.withOverrides(
                        BackupSettings.defaults(),
                        Map.of(
                                "checkpoint", "fast",
                                "compression", "zstd:1",
                                "yield.max-lag", "1MB",
                                "floor-rate", floorRate)));
    }

    private static void fallBehind() {
        standby.execute("postgres", "SELECT pg_wal_replay_pause()");
        cluster.postgres()
                .execute(
                        "postgres",
                        "SELECT pg_logical_emit_message(false, 'test', repeat('x', 3 << 20))",
                        "CHECKPOINT");
    }

    @Test
    void it_goes_on_at_the_floor_rate_says_why_and_is_free_when_the_standby_has_caught_up() {
        fallBehind();
        JobRun run = backup("256kB");

        CompletableFuture<JobRun.Outcome> attempt = run.begin();
        await().atMost(LIMIT)
                .until(() -> run.progress().note() != null && run.progress().done() > 0);
        String note = run.progress().note();
        long before = run.progress().done();
        await().atMost(LIMIT).until(() -> run.progress().done() > before);
        standby.execute("postgres", "SELECT pg_wal_replay_resume()");
        var outcome = attempt.join().completed();

        assertThat(note)
                .matches("slowed to 256 kB/s: standby far at 127.0.0.1 is \\d\\.\\d+ MB behind, limit 1.00 MB"
                        + "|slowed to 256 kB/s: standby far is \\d\\.\\d+ MB behind, limit 1.00 MB");
        assertThat(outcome.report().figures()).extracting(Figure::name).contains("braked for", "yielded to production");
        assertThat(outcome.report().sections()).extracting(Section::title).contains("yielded to production");
        assertThat(outcome.report().findings()).extracting(Finding::key).contains("yield/braked");
        await().untilAsserted(() -> assertThat(cluster.traces()).noneMatch(trace -> trace.startsWith("session ")));
    }

    @Test
    void one_that_is_slowed_all_the_time_still_ends_whole() {
        fallBehind();
        try {
            var outcome = backup("20MB").attempt().completed();

            assertThat(outcome.report().figures()).extracting(Figure::name).contains("braked for");
            assertThat(outcome.report().summary()).contains("read back and equal to the server's manifest");
        } finally {
            standby.execute("postgres", "SELECT pg_wal_replay_resume()");
        }
    }

    @Test
    void a_standby_that_does_not_stream_is_a_finding_and_no_brake() {
        cluster.postgres().execute("postgres", "SELECT pg_create_physical_replication_slot('of_a_lost_standby', true)");
        try {
            var outcome = backup("256kB").attempt().completed();

            assertThat(outcome.report().findings())
                    .filteredOn(finding -> finding.key().startsWith("yield/"))
                    .extracting(Finding::key)
                    .isEqualTo(List.of("yield/not-streaming/replication slot of_a_lost_standby"));
        } finally {
            cluster.postgres().execute("postgres", "SELECT pg_drop_replication_slot('of_a_lost_standby')");
        }
    }
}
