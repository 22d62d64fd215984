package io.nightshift.scheduler.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.nightshift.infra.server.TestPostgres;
import io.nightshift.scheduler.Installation;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code nightshift health} on a real server that has one thing wrong, and on a cluster that is away. */
class HealthCommandTest {

    private static TestPostgres server;
    private static Installation installation;

    private record Answer(int exitStatus, String out, String err) {}

    @BeforeAll
    static void start() {
        server = TestPostgres.start(18, Map.of("fsync", "on", "autovacuum", "off"));
        installation = Installation.embedded()
                .write("clusters/prod.yaml", """
                nodes: ["127.0.0.1:%d"]
                username: %s
                password: "%s"
                storages: {local: required}
                """.formatted(server.port(), server.username(), server.password()));
    }

    @AfterAll
    static void stop() {
        installation.close();
        server.close();
    }

    private static Answer nightshift(StringWriter out, String... arguments) {
        StringWriter err = new StringWriter();
        String[] all = new String[arguments.length + 4];
        System.arraycopy(arguments, 0, all, 0, arguments.length);
        all[arguments.length] = "--home";
        all[arguments.length + 1] = installation.home().toString();
        all[arguments.length + 2] = "--config";
        all[arguments.length + 3] = installation.configuration().toString();
        int status = CommandLineOfNightshift.run(
                all, new PrintWriter(out, true), new PrintWriter(err, true), installation.environment());
        return new Answer(status, out.toString(), err.toString());
    }

    private static Answer nightshift(String... arguments) {
        return nightshift(new StringWriter(), arguments);
    }

    @Test
    void tells_the_nodes_what_is_wrong_and_what_to_do() {
        Answer answer = nightshift("health", "--cluster", "prod");

        assertThat(answer.exitStatus()).as(answer.toString()).isEqualTo(3);
        assertThat(answer.out())
                .startsWith("Cluster prod at ")
                .containsPattern("127\\.0\\.0\\.1:" + server.port() + "  primary +18\\.\\d+ ")
                .contains("\ncritical  autovacuum: 127.0.0.1:" + server.port() + "\n")
                .contains("\n  HINT: ALTER SYSTEM SET autovacuum = on; SELECT pg_reload_conf()\n")
                .contains("\nnothing found by ")
                .containsPattern("\nnothing to look at for \\d+ checks: wal-receiver, ")
                .contains("not visible over SQL: free disk space");
    }

    @Test
    void tells_programs_the_same_in_one_document_and_clusters_that_are_away_beside() {
        Answer answer = nightshift("health", "--output", "json");

        JsonNode document = JsonMapper.shared().readTree(answer.out());
        assertThat(answer.exitStatus()).isEqualTo(3);
        assertThat(document.path("formatVersion").asInt()).isEqualTo(1);
        assertThat(document.path("clusters"))
                .extracting(
                        cluster -> cluster.path("cluster").asString(),
                        cluster -> cluster.path("reachable").asBoolean())
                .containsExactlyInAnyOrder(tuple("prod", true), tuple(Installation.CLUSTER, false));
        assertThat(document.path("clusters"))
                .allSatisfy(cluster ->
                        assertThat(cluster.path("restorability").isArray()).isTrue());
        assertThat(document.path("clusters").findValuesAsString("check")).contains("autovacuum", "reachability");
    }

    @Test
    void a_cluster_that_is_away_has_an_exit_status_of_its_own() {
        Answer answer = nightshift("health", "--cluster", Installation.CLUSTER);

        assertThat(answer.exitStatus()).isEqualTo(5);
        assertThat(answer.out())
                .contains(": no node answers")
                .contains("critical  reachability: 127.0.0.1:1")
                .contains("127.0.0.1:1  does not answer");
    }

    @Test
    void looks_again_and_again_until_it_is_told_to_end() throws Exception {
        StringWriter out = new StringWriter();
        Thread[] watching = {null};
        CompletableFuture<Answer> watch = new CompletableFuture<>();
        watching[0] = new Thread(
                () -> watch.complete(
                        nightshift(out, "health", "--cluster", "prod", "--watch", "1s", "--output", "json")),
                "watch");
        watching[0].start();
        Awaitility.await()
                .atMost(60, TimeUnit.SECONDS)
                .until(() -> out.toString().lines().count() >= 2);

        watching[0].interrupt();

        assertThat(watch.get(60, TimeUnit.SECONDS).exitStatus()).isEqualTo(7);
        assertThat(out.toString().lines().limit(2))
                .allSatisfy(line -> assertThat(JsonMapper.shared()
                                .readTree(line)
                                .path("clusters")
                                .path(0)
                                .path("cluster")
                                .asString())
                        .isEqualTo("prod"));
    }

    @Test
    void takes_the_settings_of_the_one_job_that_checks_the_cluster_and_what_is_set_for_once() throws Exception {
        installation.write("jobs/morning-health.yaml", """
                type: health-check
                cluster: prod
                settings: {except: [autovacuum]}
                """);
        try {
            Answer configured = nightshift("health", "--cluster", "prod");
            Answer once = nightshift("health", "--cluster", "prod", "--set", "except=[autovacuum, triggers]");

            assertThat(configured.out())
                    .as(configured.toString())
                    .contains("\nleft out by the settings: autovacuum\n")
                    .doesNotContain("critical  autovacuum");
            assertThat(once.out()).contains("\nleft out by the settings: autovacuum, triggers\n");
            assertThat(nightshift("health", "--set", "excepd=[triggers]").err()).contains("except");
        } finally {
            Files.delete(installation.configuration().resolve("jobs/morning-health.yaml"));
        }
    }

    @Test
    void compares_what_servers_count_with_the_look_that_the_job_has_kept() {
        Answer before = nightshift("health", "--cluster", "prod");
        Answer job = nightshift("run", "health-check", "--cluster", "prod", "--here");
        Answer after = nightshift("health", "--cluster", "prod");

        assertThat(before.out()).contains("\naverages are those since the statistics began\n");
        assertThat(job.exitStatus()).as(job.toString()).isEqualTo(3);
        assertThat(after.out())
                .containsPattern(
                        "\naverages are those since the look at \\d{4}-.* UTC, and since the statistics began\n");
    }

    @Test
    void says_what_is_not_accepted() {
        assertThat(nightshift("health", "--watch", "10ms").err())
                .isEqualTo("nightshift: --watch 10ms is too often\nHINT: accepted: 1s or longer\n");
        assertThat(nightshift("health", "--cluster", "prd").err())
                .isEqualTo("nightshift: cluster prd is not configured\nHINT: clusters: prod, stage\n");
    }
}
