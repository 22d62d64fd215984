package io.nightshift.jobs.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.health.HealthSettings;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.Section;
import io.nightshift.infra.run.Severity;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The job on a real server. */
class HealthCheckTest {

    private static TestCluster cluster;

    @BeforeAll
    static void start() {
        cluster = TestCluster.start(18, Map.of("autovacuum", "off"));
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private static JobRun run(Map<String, String> overrides) {
        return JobRun.of(
                new HealthCheckJobType(), cluster, RecordBinder.withOverrides(HealthSettings.defaults(), overrides));
    }

    @Test
    void reports_what_is_wrong_with_a_key_that_stays_and_what_is_fine() {
        var first = run(Map.of()).attempt().completed();
        var second = run(Map.of()).attempt().completed();

        assertThat(first.report().findings()).anySatisfy(finding -> {
            assertThat(finding.key()).startsWith("health/autovacuum/127.0.0.1:");
            assertThat(finding.severity()).isEqualTo(Severity.CRITICAL);
            assertThat(finding.remedy()).isEqualTo("ALTER SYSTEM SET autovacuum = on; SELECT pg_reload_conf()");
        });
        assertThat(keys(second.report().findings()))
                .isEqualTo(keys(first.report().findings()));
        assertThat(first.report().sections())
                .extracting(Section::title)
                .containsExactly("nodes", "fine", "nothing to look at");
        assertThat(first.report().summary()).matches("\\d+ critical, \\d+ warnings; \\d+ checks found nothing");
        assertThat(first.report().exitStatus()).isEqualTo(3);
        cluster.awaitNoTraces();
    }

    private static List<String> keys(List<Finding> findings) {
        return findings.stream().map(Finding::key).toList();
    }

    @Test
    void a_check_that_the_settings_leave_out_is_not_done() {
        var outcome = run(Map.of("except", "[autovacuum, settings]")).attempt().completed();

        assertThat(keys(outcome.report().findings()))
                .noneMatch(key -> key.startsWith("health/autovacuum/") || key.startsWith("health/settings/"));
    }

    @Test
    void a_cluster_that_does_not_answer_is_a_finding() {
        var outcome = JobRun.of(new HealthCheckJobType(), cluster.through(1), HealthSettings.defaults())
                .attempt()
                .completed();

        assertThat(keys(outcome.report().findings())).containsExactly("health/reachability/127.0.0.1:1");
        assertThat(outcome.report().summary()).isEqualTo("no node of cluster chanuka answers");
        assertThat(outcome.report().notEvaluated()).isNotEmpty();
        assertThat(outcome.report().hasLookedFor("health/blockers/127.0.0.1:1")).isFalse();
        assertThat(outcome.report().hasLookedFor("health/timeline/cluster chanuka"))
                .isFalse();
        assertThat(outcome.report().hasLookedFor("health/reachability/127.0.0.1:1"))
                .isTrue();
    }

    @Test
    void a_dry_run_says_what_it_would_do_and_finds_nothing() {
        var outcome = JobRun.dry(new HealthCheckJobType(), cluster, HealthSettings.defaults())
                .attempt()
                .completed();

        assertThat(outcome.report().findings()).isEmpty();
        assertThat(outcome.report().summary()).matches("would do \\d+ checks on 1 of 1 nodes, which answer");
    }
}
