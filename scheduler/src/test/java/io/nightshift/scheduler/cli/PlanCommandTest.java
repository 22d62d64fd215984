package io.nightshift.scheduler.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Installation;
import io.nightshift.scheduler.ledger.Pauses;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What an operator and a program read of five jobs. */
class PlanCommandTest {

    private static Installation installation;

    @BeforeAll
    static void configure() {
        installation = Installation.withOwnControlDatabase();
        try (ControlDatabase database = installation.controlDatabase()) {
            Installation.sql(database).sql("""
                            INSERT INTO run (job, job_type, cluster, cause, actor, settings, state, requested_at, started_at, ended_at)
                            SELECT 'nightly', 'full-backup', 'stage', 'request', 'ann', '{}', 'completed', at, at,
                                   at + n * interval '1 minute'
                            FROM generate_series(61, 80) n, LATERAL (SELECT now() - n * interval '1 day' AS at) t
                            """).update();
            new Pauses(database.pool()).pause("paused", null, "the disk is being changed", "ann", Instant.EPOCH, null);
        }
        installation
                .write("calendars/closed.yaml", """
                        windows: [2000-01-01T00:00 - 2100-01-01T00:00 for ever]
                        """)
                .write("jobs/nightly.yaml", """
                        type: full-backup
                        cluster: stage
                        schedule: {cron: "0 1 * * *", zone: Africa/Nairobi}
                        """)
                .write("jobs/twice.yaml", """
                        type: full-backup
                        cluster: stage
                        schedule: {cron: "15 1,2 * * *", zone: Africa/Nairobi, jitter: 10m}
                        """)
                .write("jobs/frequent.yaml", """
                        type: full-backup
                        cluster: stage
                        schedule: {every: 15m}
                        """)
                .write("jobs/closed.yaml", """
                        type: full-backup
                        cluster: stage
                        schedule: {cron: "0 3 * * *", zone: Australia/Lord_Howe, except: [closed]}
                        """)
                .write("jobs/paused.yaml", """
                        type: full-backup
                        cluster: stage
                        schedule: {cron: "0 4 * * *"}
                        """);
    }

    @AfterAll
    static void close() {
        installation.close();
    }

    private record Answer(int exitStatus, String out, String err) {}

    private static Answer nightshift(String... arguments) {
        List<String> all = new ArrayList<>(List.of(
                "--home",
                installation.home().toString(),
                "--config",
                installation.configuration().toString()));
        all.addAll(List.of(arguments));
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int status = CommandLineOfNightshift.run(
                all.toArray(String[]::new),
                new PrintWriter(out, true),
                new PrintWriter(err, true),
                installation.environment());
        return new Answer(status, out.toString(), err.toString());
    }

    private static List<JsonNode> due(String job) {
        Answer answer = nightshift("plan", "--output", "json");
        return JsonMapper.shared()
                .readTree(answer.out())
                .path("due")
                .valueStream()
                .filter(entry -> entry.path("job").asString().equals(job))
                .toList();
    }

    @Test
    void shows_people_what_is_due_by_the_clock_of_each_job() {
        Answer plan = nightshift("plan");

        assertThat(plan.exitStatus()).as(plan.err()).isZero();
        assertThat(plan.out())
                .contains("Plan of 48 h from ", "Nobody serves now")
                .containsPattern(" 01:00 \\+03:00 Africa/Nairobi +22:00 +nightly +stage +1:10 h \\(1:19 h\\)")
                .containsPattern("closed +stage +- +skipped: in calendar closed: ")
                .contains("skipped: paused by ann: the disk is being changed")
                .containsPattern("frequent +stage +1[0-9][0-9] ")
                .contains("later (jitter)");
    }

    @Test
    void gives_programs_every_due_time() {
        List<JsonNode> nightly = due("nightly");

        assertThat(nightly).hasSize(2);
        assertThat(nightly.get(0).path("local").asString()).endsWith("T01:00+03:00");
        assertThat(nightly.get(0).path("medianSeconds").asDouble()).isEqualTo(70.5 * 60);
        assertThat(due("frequent")).hasSize(192);
        assertThat(due("paused"))
                .allMatch(entry -> entry.path("likely").asString().equals("skipped"));
    }

    @Test
    void shows_one_job_of_a_shorter_time() {
        Answer plan = nightshift("plan", "--job", "nightly", "--cluster", "stage", "--hours", "24", "--output=json");

        assertThat(JsonMapper.shared().readTree(plan.out()).path("due").size()).isEqualTo(1);
    }

    @Test
    void refuses_what_it_does_not_know_and_what_would_never_end() {
        Map<String, Answer> refused = Map.of(
                "job nigthly is not configured", nightshift("plan", "--job", "nigthly"),
                "cluster paris is not configured", nightshift("plan", "--cluster", "paris"),
                "--hours 0 is not accepted", nightshift("plan", "--hours", "0"),
                "--hours 9000 is not accepted", nightshift("plan", "--hours", "9000"));

        refused.forEach((message, answer) -> {
            assertThat(answer.exitStatus()).isEqualTo(2);
            assertThat(answer.err()).contains(message, "HINT: ");
        });
    }
}
