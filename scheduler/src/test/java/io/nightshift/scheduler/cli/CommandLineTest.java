package io.nightshift.scheduler.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.RunId;
import io.nightshift.infra.run.Section;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Installation;
import io.nightshift.scheduler.Nightshift;
import io.nightshift.scheduler.Rehearsal;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.util.FileSystemUtils;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The commands that read, and wrong usage, on a control database with two runs. */
class CommandLineTest {

    private static Installation installation;
    private static RunId completed;
    private static RunId failed;

    private record Answer(int exitStatus, String out, String err) {

        /** The one document on standard output. */
        JsonNode json() {
            return JsonMapper.shared().readTree(out);
        }
    }

    @BeforeAll
    static void workTwoRuns() {
        installation = Installation.withOwnControlDatabase();
        Rehearsal.write(
                "good",
                run -> {
                    run.measured(new Figure("streamed", 42, "bytes"));
                    run.report(new Finding("a/b", Severity.WARNING, "relation a", "is bloated", "reindex it"));
                    run.section(Section.table("sizes", List.of("x"), List.of(List.of("1"))));
                },
                run -> run.summary("all well"));
        Rehearsal.write("bad", run -> {}, run -> {
            throw new IllegalStateException("broken");
        });
        try (ControlDatabase database = installation.controlDatabase();
                Nightshift nightshift = installation.forOwnRuns(database)) {
            completed = work(nightshift, "good");
            failed = work(nightshift, "bad");
        }
        installation.write("jobs/nightly.yaml", """
                type: full-backup
                cluster: stage
                schedule: {cron: "0 1 * * *", zone: Africa/Nairobi}
                """);
    }

    private static RunId work(Nightshift nightshift, String script) {
        RunId run = nightshift.requests().launch(Installation.rehearsal(script).onNode(nightshift.node()));
        nightshift.work(run);
        return run;
    }

    @AfterAll
    static void close() {
        installation.close();
    }

    private static Answer nightshift(String... arguments) {
        return nightshift(installation.home(), installation.environment(), arguments);
    }

    private static Answer nightshift(Path home, Map<String, String> environment, String... arguments) {
        List<String> all = new ArrayList<>(List.of(
                "--home",
                home.toString(),
                "--config",
                installation.configuration().toString()));
        all.addAll(List.of(arguments));
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int status = CommandLineOfNightshift.run(
                all.toArray(String[]::new), new PrintWriter(out, true), new PrintWriter(err, true), environment);
        return new Answer(status, out.toString(), err.toString());
    }

    @Test
    void lists_runs_with_the_newest_first() {
        Answer text = nightshift("history");
        Answer json = nightshift("history", "--output", "json");

        assertThat(text.exitStatus()).isZero();
        assertThat(text.out()).contains("good", "bad", "completed", "failed");
        assertThat(json.json().path("formatVersion").asInt()).isEqualTo(1);
        assertThat(json.json()
                        .path("runs")
                        .valueStream()
                        .map(run -> run.path("run").asLong()))
                .containsExactly(failed.number(), completed.number());
        assertThat(json.err()).isEmpty();
    }

    @Test
    void damage_is_looked_for_by_the_beginning_of_a_findings_key_if_that_can_be_done() {
        Answer unknown = nightshift("bisect-damage", "integrity/heap/shop");
        Answer elsewhere = nightshift("bisect-damage", "a/b", "--cluster", "elsewhere");
        Answer notOfData = nightshift("bisect-damage", "a/");

        assertThat(unknown.exitStatus()).isEqualTo(2);
        assertThat(unknown.err()).contains("no finding's key begins with integrity/heap/shop");
        assertThat(elsewhere.err()).contains("no finding's key begins with a/b on cluster elsewhere");
        assertThat(notOfData.exitStatus()).isEqualTo(2);
        assertThat(notOfData.err()).contains("is a/b, which is not about what restored backups can show");
    }

    @Test
    void filters_history() {
        Answer byState = nightshift("history", "--state", "failed", "--output", "json");
        Answer byJob = nightshift("history", "--job", "good", "--output", "json");
        Answer nothing = nightshift("history", "--job", "unheard-of");

        assertThat(byState.json().path("runs").size()).isEqualTo(1);
        assertThat(byJob.json().path("runs").get(0).path("state").asString()).isEqualTo("completed");
        assertThat(nothing.out()).startsWith("no runs since ");
        assertThat(nothing.exitStatus()).isZero();
    }

    @Test
    void pages_through_history_with_what_each_page_gave_as_next() {
        JsonNode first = nightshift(
                        "history", "--cause", "request", "--job", "good", "--limit", "1", "--output", "json")
                .json();
        Answer text = nightshift("history", "--limit", "1");
        String next = nightshift("history", "--limit", "1", "--output", "json")
                .json()
                .path("next")
                .asString();
        Answer second = nightshift("history", "--limit", "1", "--page", next, "--output", "json");

        assertThat(first.has("next")).isFalse();
        assertThat(text.err()).contains("--page " + next);
        assertThat(second.json().at("/runs/0/run").asLong())
                .isNotEqualTo(nightshift("history", "--limit", "1", "--output", "json")
                        .json()
                        .at("/runs/0/run")
                        .asLong());
    }

    @Test
    void gives_history_to_spreadsheets() {
        Answer csv = nightshift("history", "--format", "csv", "--job", "good");

        assertThat(csv.out().split("\r\n", -1)).hasSize(3).satisfies(lines -> {
            assertThat(lines[0]).startsWith("run,job,type,cluster,state,");
            assertThat(lines[1]).startsWith(completed + ",good,rehearsal,stage,completed,request,somebody,,");
            assertThat(lines[1]).endsWith(",0,1,0,,all well");
        });
    }

    @Test
    void quotes_what_would_break_a_line_of_csv() {
        StringWriter text = new StringWriter();

        new Csv(new PrintWriter(text), "a", "b").row("x,\"y\"\nz", null);

        assertThat(text).hasToString("a,b\r\n\"x,\"\"y\"\"\nz\",\r\n");
    }

    @Test
    void shows_a_run_with_everything_it_has_to_say() {
        Answer text = nightshift("show", completed.toString());
        JsonNode json =
                nightshift("show", completed.toString(), "--output", "json").json();

        assertThat(text.out()).contains("all well", "is bloated", "reindex it", "sizes");
        assertThat(json.propertyNames())
                .contains(
                        "formatVersion",
                        "run",
                        "job",
                        "type",
                        "cluster",
                        "state",
                        "reason",
                        "startedAt",
                        "endedAt",
                        "report");
        assertThat(json.path("startedAt").asString()).endsWith("Z");
        assertThat(json.at("/report/summary").asString()).isEqualTo("all well");
        assertThat(json.at("/report/figures/0").toString())
                .isEqualTo("{\"name\":\"streamed\",\"value\":42,\"unit\":\"bytes\"}");
        assertThat(json.at("/report/findings/0/state").asString()).isEqualTo("new");
        assertThat(json.at("/report/findings/0/severity").asString()).isEqualTo("warning");
        assertThat(json.at("/report/sections/0/kind").asString()).isEqualTo("table");
        assertThat(json.at("/report/notEvaluated").isArray()).isTrue();
    }

    @Test
    void tells_what_to_do_about_a_failed_run_and_nothing_about_a_completed_one() {
        Answer bad = nightshift("show", failed.toString());
        Answer good = nightshift("show", completed.toString());

        assertThat(bad.out()).contains("what to do", "nightshift run bad --cluster stage");
        assertThat(good.out()).doesNotContain("what to do");
    }

    @Test
    void reports_in_every_format() throws Exception {
        Path file = installation.home().resolve("report.html");
        String night = nightOf(Instant.now());
        Answer text = nightshift("report", "--date", night);
        JsonNode json = nightshift("report", "--date", night, "--period", "week", "--output", "json")
                .json();
        Answer csv = nightshift("report", "--date", night, "--format", "csv");
        Answer html = nightshift("report", "--date", night, "--format", "html", "--to", file.toString());

        assertThat(text.exitStatus()).as(text.err()).isZero();
        assertThat(text.out())
                .contains(
                        "Did everything run?",
                        "No: 1 failed",
                        "broken",
                        "Can we restore?",
                        "Jobs by nights",
                        "Due next");
        assertThat(json.path("formatVersion").asInt()).isEqualTo(1);
        assertThat(json.path("period").asString()).isEqualTo("week");
        assertThat(json.at("/totals/failed").asInt()).isEqualTo(1);
        assertThat(json.at("/troubles/0/kind").asString()).isEqualTo("failed");
        assertThat(csv.out()).startsWith("date,period,job,cluster,").contains(",day,good,stage,rehearsal,1,1,1.0,");
        assertThat(html.out()).startsWith("This needs you: ").contains(file.toString());
        assertThat(Files.readString(file)).startsWith("<!DOCTYPE html>").endsWith("</html>\n");
        assertThat(file.resolveSibling("report.html.part")).doesNotExist();
    }

    /** A night goes from noon to noon and is named after the morning. */
    private static String nightOf(Instant time) {
        return LocalDate.ofInstant(time.plus(Duration.ofHours(12)), ZoneOffset.UTC)
                .toString();
    }

    @Test
    void draws_the_steps_of_a_run_and_shows_its_log_when_asked() {
        Answer plain = nightshift("show", completed.toString());
        Answer withLog = nightshift("show", failed.toString(), "--log");
        JsonNode json = nightshift("show", failed.toString(), "--log", "--output", "json")
                .json();

        assertThat(plain.out()).contains("firstAct", "secondAct", "|#", "findings: 1 new");
        assertThat(withLog.out()).contains("  log", " ERROR [", "IllegalStateException: broken");
        assertThat(json.at("/log/text").asString()).contains("IllegalStateException: broken");
    }

    @Test
    void shows_why_a_run_failed_without_a_stack_trace() {
        Answer text = nightshift("show", failed.toString());

        assertThat(text.exitStatus()).isZero();
        assertThat(text.out()).contains("failed", "broken").doesNotContain("\tat ");
    }

    @Test
    void lists_jobs_with_their_next_due_time() {
        Answer text = nightshift("jobs");
        Answer json = nightshift("jobs", "--output", "json");

        assertThat(text.exitStatus()).as(text.err()).isZero();
        assertThat(text.out()).contains("nightly", "stage", "full-backup");
        assertThat(json.json().path("formatVersion").asInt()).isEqualTo(1);
        assertThat(json.out()).contains("nightly");
    }

    @Test
    void prints_what_a_cluster_needs_and_changes_nothing() {
        Answer text = nightshift("setup", "stage", "--print");
        Answer json = nightshift("setup", "stage", "--print", "--output", "json");

        assertThat(text.exitStatus()).as("nobody answers there").isEqualTo(6);
        assertThat(text.err()).startsWith("nightshift: not compared with the server: connection to 127.0.0.1:1 ");
        assertThat(text.out())
                .contains("CREATE ROLE \"nobody\" LOGIN REPLICATION;")
                .contains("host replication \"nobody\" ADDRESS/32 scram-sha-256")
                .contains("max_wal_senders");
        assertThat(json.json().path("sql").size()).isEqualTo(5);
        assertThat(json.json().path("comparison").isNull()).isTrue();
        assertThat(json.json().path("notCompared").asString()).contains("127.0.0.1:1");
    }

    @Test
    void checks_and_shows_the_configuration() {
        Answer check = nightshift("config", "check");
        Answer show = nightshift("config", "show", "--output", "json");
        Answer type = nightshift("config", "show", "--job-type", "full-backup");

        assertThat(check.exitStatus()).as(check.err()).isZero();
        assertThat(show.json().path("formatVersion").asInt()).isEqualTo(1);
        assertThat(type.out()).contains("compression", "checkpoint");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "demo", "serve", "run", "jobs", "history", "show", "report", "backups", "verify", "export", "rules",
                "schema", "config"
            })
    void explains_every_command(String command) {
        Answer help = nightshift(command, "--help");

        assertThat(help.exitStatus()).isZero();
        assertThat(help.out()).contains("Usage: nightshift " + command, "--output", "--home");
        assertThat(help.err()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "unknown",
                "--output xml history",
                "history --since yesterday",
                "history --state dead",
                "history --limit many",
                "history --limit 0",
                "history --page 17",
                "history --cause whim",
                "history --format xml",
                "report --date yesterday",
                "report --period year",
                "report --format pdf",
                "report --to /nowhere/at/all.html",
                "show",
                "show x",
                "show 987654321",
                "run",
                "run unheard-of",
                "run full-backup",
                "run full-backup --cluster unheard-of",
                "run nightly --cluster unheard-of",
                "run nightly --yes",
                "run nightly --set compression=none",
                "run nightly --set unheard-of=1",
                "run nightly --timeout long",
                "config show --job-type unheard-of",
                "verify",
                "export",
                "export 20261122T010000Z-full-r8f3",
                "export 20261122T010000Z-full-r8f3 --to",
                "export 20261122T010000Z-full-r8f3 --to -",
                "export 20261122T010000Z-full-r8f3 --to /x --format zip",
                "export 20261122T010000Z-full-r8f3 --to /x --tablespace 16575",
                "export 20261122T010000Z-full-r8f3 --to /x --format tar --tablespace 16575=/y",
                "export 20261122T010000Z-full-r8f3 --to /x --format tar --single-file PG_VERSION",
                "setup stage",
                "setup unheard-of --print",
            })
    void says_what_is_wrong_and_what_would_be_right(String arguments) {
        Answer answer = nightshift(arguments.split(" "));

        assertThat(answer.exitStatus()).as(answer.toString()).isEqualTo(2);
        assertThat(answer.out()).isEmpty();
        assertThat(answer.err()).startsWith("nightshift: ").contains("HINT: ").doesNotContain("\tat ", "Exception");
    }

    @Test
    void says_what_is_wrong_as_one_json_document() {
        Answer answer = nightshift("show", "987654321", "--output", "json");

        assertThat(answer.exitStatus()).isEqualTo(2);
        assertThat(answer.json().at("/error/fact").asString()).isEqualTo("run 987654321 does not exist");
        assertThat(answer.json().at("/error/kind").asString()).isEqualTo("configuration");
        assertThat(answer.json().path("formatVersion").asInt()).isEqualTo(1);
    }

    @Test
    void says_so_in_json_even_when_the_wrong_argument_comes_first() {
        Answer answer = nightshift("show", "abc", "--output", "json");

        assertThat(answer.exitStatus()).isEqualTo(2);
        assertThat(answer.json().at("/error/fact").asString()).contains("abc");
        assertThat(answer.err()).isEmpty();
    }

    @Test
    void does_not_take_a_home_that_is_none_for_an_empty_one() throws Exception {
        Path folder = TestPostgres.temporaryDirectory("none-");
        Path file = Files.createFile(folder.resolve("file"));

        Answer answer = nightshift(file, Map.of(), "history");

        assertThat(answer.exitStatus()).isEqualTo(2);
        assertThat(answer.err()).contains("is not a folder").contains("HINT: ");
        FileTree.delete(folder);
    }

    @Test
    void makes_nothing_in_a_fresh_home_when_it_only_reads() throws Exception {
        Path folder = TestPostgres.temporaryDirectory("fresh-");
        Path home = folder.resolve("home");

        List<Answer> answers = List.of(
                nightshift(home, Map.of(), "history"),
                nightshift(home, Map.of(), "jobs"),
                nightshift(home, Map.of(), "config", "check"),
                nightshift(home, Map.of(), "config", "show"));
        Answer show = nightshift(home, Map.of(), "show", "1");
        Answer backups = nightshift(home, Map.of(), "backups");

        assertThat(answers).allSatisfy(answer -> assertThat(answer.exitStatus()).isZero());
        assertThat(show.exitStatus()).isEqualTo(2);
        assertThat(backups.exitStatus()).isEqualTo(5);
        assertThat(backups.err()).contains("storage local", "does not exist");
        assertThat(Files.exists(home)).isFalse();
        FileSystemUtils.deleteRecursively(folder);
    }

    @Test
    void a_cluster_has_one_retention_job_and_by_itself_the_type_deletes_nothing_there() throws Exception {
        Path folder = TestPostgres.temporaryDirectory("two-");
        Path files = folder.resolve("job-configs");
        for (String file : List.of("jobs", "clusters", "storages")) {
            Files.createDirectories(files.resolve(file));
        }
        Files.writeString(files.resolve("storages/local.yaml"), "type: directory\npath: /nowhere\n");
        Files.writeString(
                files.resolve("clusters/stage.yaml"),
                "nodes: [\"127.0.0.1:1\"]\nusername: nobody\nstorages: {local: required}\n");
        Files.writeString(files.resolve("jobs/keep.yaml"), "type: retention\ncluster: stage\n");

        Answer byItself = nightshift(
                folder.resolve("home"),
                Map.of(),
                "run",
                "retention",
                "--cluster",
                "stage",
                "--config",
                files.toString());
        Files.writeString(files.resolve("jobs/more.yaml"), "type: retention\ncluster: stage\n");
        Answer check = nightshift(folder.resolve("home"), Map.of(), "config", "check", "--config", files.toString());

        assertThat(byItself.exitStatus()).as(byItself.toString()).isEqualTo(2);
        assertThat(byItself.err())
                .contains("cluster stage has job keep of type retention, with settings of its own")
                .contains("HINT: nightshift run keep --cluster stage");
        assertThat(check.exitStatus()).as(check.toString()).isEqualTo(2);
        assertThat(check.err() + check.out())
                .contains("cluster stage has job keep of type retention; a second one would undo its work");
        FileSystemUtils.deleteRecursively(folder);
    }

    @Test
    void says_that_a_cluster_is_not_reachable_and_leaves_a_failed_run() {
        Answer answer = nightshift("run", "nightly", "--set", "checkpoint=fast");

        assertThat(answer.exitStatus()).as(answer.toString()).isEqualTo(5);
        assertThat(nightshift("history", "--job", "nightly", "--output", "json")
                        .json()
                        .at("/runs/0/state")
                        .asString())
                .isEqualTo("failed");
    }
}
