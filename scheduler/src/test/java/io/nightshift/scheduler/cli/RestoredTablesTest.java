package io.nightshift.scheduler.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.retention.RetentionPast;
import io.nightshift.infra.retention.RetentionRecord;
import io.nightshift.infra.retention.RetentionRecords;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.scheduler.Installation;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.util.FileSystemUtils;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code restore --table} as an operator does it, on a real backup. */
class RestoredTablesTest {

    private static final Path TEMPORARY = TestPostgres.temporaryDirectory("tables-out-");

    private static TestPostgres postgres;
    private static Installation installation;

    private record Answer(int exitStatus, String out, String err) {

        JsonNode json() {
            return JsonMapper.shared().readTree(out);
        }
    }

    @BeforeAll
    static void backUp() {
        postgres = TestPostgres.start(18, Map.of());
        postgres.execute(
                "postgres",
                "CREATE TABLE \"My Votes\" (id int, name text)",
                "INSERT INTO \"My Votes\" SELECT i, 'voter ' || i FROM generate_series(1, 100) i");
        installation = Installation.withOwnControlDatabase();
        installation.write(
                "clusters/stage.yaml", """
                nodes: ["127.0.0.1:%d"]
                username: %s
                password: %s
                sslmode: disable
                storages: {local: required}
                """.formatted(postgres.port(), postgres.username(), postgres.password()));
        Answer backup = nightshift(
                "run",
                "full-backup",
                "--cluster",
                "stage",
                "--here",
                "--set",
                "checkpoint=fast",
                "--set",
                "compression=zstd:1");
        assertThat(backup.exitStatus()).as(backup.toString()).isZero();
    }

    @AfterAll
    static void close() throws Exception {
        installation.close();
        postgres.close();
        FileSystemUtils.deleteRecursively(TEMPORARY);
    }

    @Test
    void writes_the_table_says_which_way_and_enters_it_in_the_history() {
        Path out = TEMPORARY.resolve("one");

        Answer json = restore(out, "--table", "public.\"My Votes\"", "--output", "json");

        assertThat(json.exitStatus()).as(json.toString()).isZero();
        assertThat(json.json().path("database").asString()).isEqualTo("postgres");
        assertThat(json.json().path("by").asString()).isIn("copy", "pg_dump");
        assertThat(json.json().at("/files/0/tables/0").asString()).isEqualTo("public.\"My Votes\"");
        assertThat(json.json().path("reachable").asBoolean()).isTrue();
        assertThat(Path.of(json.json().at("/files/0/path").asString())).isNotEmptyFile();
        assertThat(out).isDirectoryNotContaining("glob:**temporary**");
        assertThat(nightshift("history", "--job", "restore").out()).contains("completed");
    }

    @Test
    void says_what_is_wrong_before_it_writes_anything() throws Exception {
        Path out = TEMPORARY.resolve("none");

        assertThat(restore(out, "--table", "\"open").err()).contains("a quote is not closed", "HINT: such as votes");
        assertThat(restore(out, "--table", "votes", "--delta").err()).contains("leave out --delta");
        assertThat(restore(out, "--table", "my votes").err())
                .contains("there is no table \"my votes\" in database postgres", "did you mean public.\"My Votes\"?");
        assertThat(out).doesNotExist();
        Files.createDirectory(out);
        Files.writeString(out.resolve("mine"), "1");
        assertThat(restore(out, "--database", "postgres").exitStatus()).isEqualTo(4);
    }

    @Test
    void writes_a_whole_database() {
        Answer text = restore(TEMPORARY.resolve("whole"), "--database", "postgres");

        assertThat(text.exitStatus()).as(text.toString()).isZero();
        assertThat(text.out())
                .contains("restored database postgres from ", "Next: ")
                .containsAnyOf("by COPY", "by pg_dump");
    }

    @Test
    void previews_how_long_it_takes_by_what_it_took_on_this_machine() throws Exception {
        Files.deleteIfExists(installation.home().resolve("throughput"));

        Answer unknown = preview();
        Answer verified = nightshift("verify", unknown.json().path("label").asString());
        Answer least = preview();
        restore(TEMPORARY.resolve("measured"), "--database", "postgres");
        Answer known = preview();

        assertThat(unknown.json().path("estimate")).isEmpty();
        assertThat(verified.exitStatus()).as(verified.toString()).isZero();
        assertThat(least.json().at("/estimate/files/measured").asString()).isEqualTo("verification");
        assertThat(known.json().at("/estimate/files/measured").asString()).isEqualTo("restore");
        assertThat(known.json().at("/estimate/files/measurements").asInt()).isOne();
        assertThat(known.json().at("/estimate/files/seconds").asDouble()).isPositive();
        assertThat(known.json().path("replayedBytes").asLong()).isPositive();
        assertThat(nightshift("restore", "latest", "--cluster", "stage", "--preview")
                        .out())
                .containsPattern(
                        "\ntime       about [0-9.]+ s: files [0-9.]+ s at .*/s \\(one restore here\\), replay ");
    }

    @Test
    void says_that_what_it_reads_will_be_deleted_and_how_to_keep_it() {
        String label = preview().json().path("label").asString();
        Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        var record = new RetentionRecord(now, Set.of(BackupLabel.parse(label)), Map.of(), List.of(), List.of());
        new RetentionRecords(
                        "stage",
                        List.of(new DirectoryStorage(
                                "local", installation.home().resolve("storage"))))
                .add(record);

        Answer previewed = preview();
        Answer restored = restore(TEMPORARY.resolve("expiring"), "--table", "public.\"My Votes\"");

        String warning = "retention keeps no longer what this restore of backup " + label + " reads: a run after "
                + now.plus(RetentionPast.NIGHT) + " deletes it;";
        assertThat(previewed.json().path("notes").toString()).contains(warning);
        assertThat(nightshift("backups").out())
                .contains(label + " expires: no rule of retention keeps it, a run after ");
        assertThat(restored.exitStatus()).isZero();
        assertThat(restored.err()).contains(warning, "nightshift pin " + label);
    }

    private static Answer preview() {
        return nightshift("restore", "latest", "--cluster", "stage", "--preview", "--output", "json");
    }

    private static Answer restore(Path out, String... more) {
        List<String> all = new ArrayList<>(List.of("restore", "latest", "--cluster", "stage", "--to", out.toString()));
        all.addAll(List.of(more));
        return nightshift(all.toArray(String[]::new));
    }

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
}
