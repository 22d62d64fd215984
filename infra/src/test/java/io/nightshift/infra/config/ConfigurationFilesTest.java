package io.nightshift.infra.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigurationFilesTest {

    @TempDir
    Path root;

    @Test
    void reads_a_whole_configuration() {
        var directory = ConfigurationDirectory.valid(root);

        Configuration configuration = directory.load();

        assertThat(configuration.program().zone()).isEqualTo(ZoneId.of("Europe/Berlin"));
        assertThat(configuration.program().http()).isEqualTo(new HttpSettings(8432, "127.0.0.1"));
        assertThat(configuration.storages())
                .containsEntry("local", new DirectoryStorageConfig("local", Path.of("/home/night/storage")));
        assertThat(configuration.clusters())
                .containsEntry(
                        "chanuka",
                        new ClusterConfig(
                                "chanuka",
                                List.of(new NodeAddress("db1.internal", 5432), new NodeAddress("db2.internal", 5432)),
                                "nightshift",
                                new Secret("correct horse"),
                                SslMode.VERIFY_FULL,
                                null,
                                null,
                                null,
                                false,
                                "postgres",
                                new DatabaseSelection(null, List.of("scratch")),
                                Map.of("local", StorageDuty.REQUIRED, "far", StorageDuty.BEST_EFFORT),
                                1,
                                Map.of("environment", "production")));
        JobConfig job = configuration.jobs().get("nightly");
        assertThat(job.type()).isEqualTo("full-backup");
        assertThat(job.clusters()).containsExactly("chanuka");
        assertThat(job.schedule()).isEqualTo(Schedule.Cron.of("0 1 * * *", ZoneId.of("Africa/Nairobi")));
        assertThat(job.running().timeout()).isEqualTo(Duration.ofHours(4));
        assertThat(job.settings()).isEqualTo(SampleSettings.defaults());
    }

    @Test
    void a_cluster_is_reached_straight_unless_it_says_that_its_addresses_are_translated() {
        var directory = ConfigurationDirectory.valid(root).write("clusters/mapped.yaml", """
                        nodes: ["localhost:15432"]
                        username: nightshift
                        behind-address-translation: true
                        storages: {local: required}
                        """);

        Map<String, ClusterConfig> clusters = directory.load().clusters();

        assertThat(clusters.get("mapped").behindAddressTranslation()).isTrue();
        assertThat(clusters.get("chanuka").behindAddressTranslation()).isFalse();
    }

    @Test
    void needs_no_nightshift_yaml() throws IOException {
        var directory = ConfigurationDirectory.valid(root);
        Files.delete(root.resolve("nightshift.yaml"));

        assertThat(directory.load().program()).isEqualTo(ProgramSettings.defaults());
    }

    @Test
    void reads_every_form_of_schedule() {
        var directory = ConfigurationDirectory.valid(root)
                .write("jobs/a.yaml", "type: full-backup\ncluster: chanuka\nschedule: {every: 1h30m}\n")
                .write("jobs/b.yaml", "type: full-backup\ncluster: chanuka\nschedule: {after: a}\n")
                .write("jobs/c.yaml", "type: full-backup\ncluster: chanuka\nschedule: {after: a, when: failed}\n")
                .write("jobs/d.yaml", "type: health-benchmark\ncluster: chanuka\nschedule: continuous\n")
                .write("jobs/e.yaml", "type: full-backup\ncluster: chanuka\nschedule: none\n")
                .write("jobs/f.yaml", "type: full-backup\ncluster: chanuka\n")
                .write("jobs/g.yaml", "type: full-backup\ncluster: chanuka\nschedule: {cron: 5 1 * * *}\n");

        Map<String, JobConfig> jobs = directory.load().jobs();

        assertThat(jobs.get("a").schedule())
                .isEqualTo(Schedule.Every.of(Duration.ofMinutes(90), ZoneId.of("Europe/Berlin")));
        assertThat(jobs.get("b").schedule()).isEqualTo(new Schedule.After("a", Schedule.Ending.COMPLETED));
        assertThat(jobs.get("c").schedule()).isEqualTo(new Schedule.After("a", Schedule.Ending.FAILED));
        assertThat(jobs.get("d").schedule()).isEqualTo(new Schedule.Continuous());
        assertThat(jobs.get("e").schedule()).isEqualTo(new Schedule.None());
        assertThat(jobs.get("f").schedule()).isEqualTo(new Schedule.None());
        assertThat(jobs.get("g").schedule())
                .as("the zone of nightshift.yaml")
                .isEqualTo(Schedule.Cron.of("5 1 * * *", ZoneId.of("Europe/Berlin")));
    }

    @Test
    void selects_clusters_by_label() {
        var directory = ConfigurationDirectory.valid(root)
                .write("clusters/test.yaml", ConfigurationDirectory.CLUSTER.replace("production", "test"))
                .write("clusters/zulu.yaml", ConfigurationDirectory.CLUSTER)
                .write("jobs/all.yaml", "type: full-backup\nclusters: {environment: production}\n");

        assertThat(directory.load().jobs().get("all").clusters()).containsExactly("chanuka", "zulu");
    }

    @Test
    void merges_maps_of_the_profile_and_replaces_its_lists() {
        var directory = ConfigurationDirectory.valid(root)
                .write("profiles/test/clusters/chanuka.yaml", "nodes: [localhost:5433]\nlabels: {team: data}\n")
                .write("profiles/test/jobs/nightly.yaml", "settings: {workers: 4}\n")
                .write("profiles/test/jobs/extra.yaml", ConfigurationDirectory.JOB)
                .profile("test");

        Configuration configuration = directory.load();

        ClusterConfig chanuka = configuration.clusters().get("chanuka");
        assertThat(chanuka.nodes()).containsExactly(new NodeAddress("localhost", 5433));
        assertThat(chanuka.sslmode()).as("all nodes are on loopback now").isEqualTo(SslMode.PREFER);
        assertThat(chanuka.labels()).isEqualTo(Map.of("environment", "production", "team", "data"));
        assertThat(configuration.jobs().get("nightly").settings())
                .extracting("workers", "compression")
                .containsExactly(4, "zstd:3");
        assertThat(configuration.jobs()).containsKey("extra");
    }

    @Test
    void leaves_profiles_alone_that_nobody_chose() {
        var directory =
                ConfigurationDirectory.valid(root).write("profiles/test/clusters/chanuka.yaml", "nodes: [\n\t: broken");

        assertThat(directory.check().problems()).isEmpty();
    }

    @Test
    void does_not_ask_for_a_variable_that_the_profile_replaced() {
        var directory = ConfigurationDirectory.valid(root)
                .write("profiles/test/clusters/chanuka.yaml", "password: ${TEST_PASSWORD}")
                .with("TEST_PASSWORD", "other")
                .profile("test");
        directory.environment.remove("CHANUKA_PASSWORD");

        assertThat(directory.load().clusters().get("chanuka").password()).isEqualTo(new Secret("other"));
    }

    @Test
    void tells_all_problems_of_all_files_in_one_list() {
        var directory = ConfigurationDirectory.valid(root)
                .write("clusters/chanuka.yaml", ConfigurationDirectory.CLUSTER + "sslmode: verify\n")
                .write("jobs/nightly.yaml", ConfigurationDirectory.JOB.replace("compression", "compresion"))
                .write("storages/far.yaml", "type: s3\n");

        var failure = catchThrowableOfType(NightshiftException.class, directory::load);

        assertThat(failure.kind()).isEqualTo(FailureKind.CONFIGURATION);
        assertThat(failure.explained()).isEqualTo("""
                        configuration has 3 problems
                        clusters/chanuka.yaml:7  sslmode: "verify" is not accepted; accepted: disable, allow, prefer, require, verify-ca, verify-full; did you mean verify-ca?
                        jobs/nightly.yaml:6  settings.compresion: unknown key; did you mean compression?
                        storages/far.yaml:1  type: s3 is not yet supported by this version; accepted: directory
                        HINT: correct these places; "nightshift config check" looks again without starting anything""");
    }

    @Test
    void tells_everything_that_is_wrong_with_one_file_beside_the_rest() throws IOException {
        Path file = Files.writeString(root.resolve("notes.md"), "no directory");
        var directory = ConfigurationDirectory.valid(root)
                .write("nightshift.yaml", """
                        zone: Mars/Base
                        work-threads: 0
                        work-thread: 2
                        http: {port: 99999, address: 10.0.0.1}
                        """)
                .write("storages/far.yaml", "type: directory\npath: " + file + "\nspeed: 3\n")
                .write("storages/near.yaml", "type: directory\npath: /home/night/storage/near\nspeed: 3\n")
                .write("clusters/chanuka.yaml", """
                        nodes: [db1, db1, "db2:0"]
                        username: ""
                        sslmode: verify
                        sslcert: client.pem
                        databases: {only: [], except: [scratch]}
                        storages: {local: best-effort, moon: required}
                        labels: [production]
                        """)
                .write("clusters/second.yaml", """
                        nodes: []
                        database: ""
                        sslkey: /nowhere/key.pem
                        storages: {local: required}
                        """)
                .write("jobs/nightly.yaml", """
                        type: full-backup
                        cluster: chanuca
                        clusters: {environment: production}
                        schedule: {cron: wrong, zone: Mars/Base, at: 3}
                        timeout: 0s
                        settings: {compression: lz5, window: {parallel-runs: 0, length: long}, workers: 9, patience: 0s}
                        """)
                .write("jobs/one.yaml", "type: full-backup\ncluster: chanuka\nschedule: {after: two}\ntimeout: soon\n")
                .write("jobs/two.yaml", "type: full-backup\ncluster: chanuka\nschedule: {after: one}\ntimeout: soon\n")
                .write("jobs/three.yaml", "type: full\nschedule: {after: four}\ntype: full\ntag: !x y\n");

        List<Problem> problems = directory.check().problems();

        assertThat(problems.stream()
                        .map(problem -> problem.file() + ":" + problem.line() + " " + problem.key())
                        .collect(Collectors.joining("\n", "", "\n")))
                .isEqualTo("""
                        clusters/chanuka.yaml:1 nodes
                        clusters/chanuka.yaml:1 nodes[2]
                        clusters/chanuka.yaml:2 username
                        clusters/chanuka.yaml:3 sslmode
                        clusters/chanuka.yaml:4 sslcert
                        clusters/chanuka.yaml:4 sslcert
                        clusters/chanuka.yaml:5 databases.only
                        clusters/chanuka.yaml:5 databases.only
                        clusters/chanuka.yaml:6 storages.moon
                        clusters/chanuka.yaml:7 labels
                        clusters/second.yaml:1 nodes
                        clusters/second.yaml:1 username
                        clusters/second.yaml:2 database
                        clusters/second.yaml:3 sslkey
                        clusters/second.yaml:3 sslkey
                        jobs/nightly.yaml:2 cluster
                        jobs/nightly.yaml:3 clusters
                        jobs/nightly.yaml:4 schedule.at
                        jobs/nightly.yaml:4 schedule.cron
                        jobs/nightly.yaml:4 schedule.zone
                        jobs/nightly.yaml:5 timeout
                        jobs/nightly.yaml:6 settings
                        jobs/nightly.yaml:6 settings.compression
                        jobs/nightly.yaml:6 settings.window.length
                        jobs/nightly.yaml:6 settings.window.parallel-runs
                        jobs/one.yaml:3 schedule.after
                        jobs/one.yaml:4 timeout
                        jobs/three.yaml:1 cluster
                        jobs/three.yaml:1 type
                        jobs/three.yaml:2 schedule.after
                        jobs/three.yaml:3 type
                        jobs/three.yaml:4 tag
                        jobs/three.yaml:4 tag
                        jobs/two.yaml:4 timeout
                        nightshift.yaml:1 zone
                        nightshift.yaml:2 work-threads
                        nightshift.yaml:3 work-thread
                        nightshift.yaml:4 http.address
                        nightshift.yaml:4 http.port
                        storages/far.yaml:2 path
                        storages/far.yaml:3 speed
                        storages/near.yaml:2 path
                        storages/near.yaml:3 speed
                        """);
    }

    @Test
    void reads_calendars_and_what_a_schedule_takes_of_them() {
        var directory = ConfigurationDirectory.valid(root)
                .write("calendars/holidays.yaml", """
                        zone: Africa/Nairobi
                        days: [12-25 Christmas, 2026-12-12 Jamhuri Day]
                        weekly: [SAT 06:00 - SUN 22:00]
                        windows: [2026-12-24T18:00 - 2026-12-27T06:00 year-end freeze]
                        """)
                .write("jobs/nightly.yaml", """
                        type: full-backup
                        cluster: chanuka
                        schedule: {cron: 0 1 * * *, dst: both, except: [holidays], from: 2026-12-01, jitter: 5m}
                        missed: {policy: skip, max-lateness: 90m}
                        """);

        Configuration configuration = directory.load();

        assertThat(configuration.calendars().get("holidays"))
                .isEqualTo(new CalendarConfig(
                        "holidays",
                        ZoneId.of("Africa/Nairobi"),
                        List.of(CalendarDay.parse("12-25 Christmas"), CalendarDay.parse("2026-12-12 Jamhuri Day")),
                        List.of(WeeklyWindow.parse("SAT 06:00 - SUN 22:00")),
                        List.of(DateWindow.parse("2026-12-24T18:00 - 2026-12-27T06:00 year-end freeze")),
                        null));
        JobConfig job = configuration.jobs().get("nightly");
        assertThat(job.schedule())
                .isEqualTo(new Schedule.Cron(
                        "0 1 * * *",
                        ZoneId.of("Europe/Berlin"),
                        Schedule.Dst.BOTH,
                        List.of("holidays"),
                        List.of(),
                        LocalDate.of(2026, 12, 1),
                        null,
                        Duration.ofMinutes(5)));
        assertThat(job.missed()).isEqualTo(new Missed(Missed.Policy.SKIP, Duration.ofMinutes(90)));
    }

    @Test
    void refuses_wrong_calendars_and_unknown_ones_with_what_is_accepted() {
        var directory = ConfigurationDirectory.valid(root)
                .write("calendars/holidays.yaml", "days: [25-12]\nweekly: [SAT - SUN]\nwindows: [soon]\n")
                .write("calendars/empty.yaml", "zone: UTC\n")
                .write("calendars/file.yaml", "icalendar: gone.ics\n")
                .write(
                        "jobs/nightly.yaml",
                        ConfigurationDirectory.JOB.replace("zone: Africa/Nairobi", "except: [holyday, holidays]"));

        assertThat(directory.check().problems())
                .extracting(Problem::toString)
                .satisfiesExactly(
                        problem -> assertThat(problem).contains("empty.yaml:1  the calendar holds nothing"),
                        problem -> assertThat(problem).contains("file.yaml:1  icalendar: file ", "gone.ics not found"),
                        problem -> assertThat(problem).contains("holidays.yaml:1  days[0]: \"25-12\" is not accepted"),
                        problem -> assertThat(problem).contains("holidays.yaml:2  weekly[0]: \"SAT - SUN\""),
                        problem -> assertThat(problem).contains("holidays.yaml:3  windows[0]: \"soon\""),
                        problem -> assertThat(problem)
                                .contains(
                                        "nightly.yaml:3  schedule.except: unknown calendar \"holyday\"; accepted: empty"));
    }

    @Test
    void reads_a_secret_from_a_file_without_its_newline() throws IOException {
        Path secret = Files.writeString(root.resolveSibling(root.getFileName() + "-secret"), "from file \n");
        var directory = ConfigurationDirectory.valid(root)
                .write(
                        "clusters/chanuka.yaml",
                        ConfigurationDirectory.CLUSTER.replace("${CHANUKA_PASSWORD}", "file:" + secret));

        assertThat(directory.load().clusters().get("chanuka").password()).isEqualTo(new Secret("from file "));
        Files.delete(secret);
    }

    @Test
    void warns_of_a_password_in_plain_text_and_accepts_it() {
        var directory = ConfigurationDirectory.valid(root)
                .write("clusters/chanuka.yaml", ConfigurationDirectory.CLUSTER.replace("${CHANUKA_PASSWORD}", "tiger"));

        ConfigurationResult result = directory.check();

        assertThat(result.orThrow().clusters().get("chanuka").password()).isEqualTo(new Secret("tiger"));
        assertThat(result.warnings())
                .containsExactly(new Problem(
                        "clusters/chanuka.yaml",
                        3,
                        "password",
                        "a secret in plain text; better ${VARIABLE}, file:/path, or .pgpass"));
        assertThat(result.toString()).doesNotContain("tiger");
    }

    @Test
    void does_not_take_the_value_of_a_variable_for_a_file() {
        var directory = ConfigurationDirectory.valid(root).with("CHANUKA_PASSWORD", "file:/etc/passwd");

        assertThat(directory.load().clusters().get("chanuka").password()).isEqualTo(new Secret("file:/etc/passwd"));
    }

    @Test
    void takes_the_default_of_a_variable_that_is_unset_or_empty() {
        var directory = ConfigurationDirectory.valid(root)
                .write("storages/far.yaml", "type: directory\npath: ${FAR:-/srv}/${NAME:-x}/$${y}\n")
                .with("NAME", "");

        assertThat(directory.load().storages().get("far"))
                .isEqualTo(new DirectoryStorageConfig("far", Path.of("/srv/x/${y}")));
    }

    @Test
    void shows_the_effective_configuration_with_its_sources_and_without_secrets() {
        var directory = ConfigurationDirectory.valid(root)
                .write("profiles/test/clusters/chanuka.yaml", "labels: {team: data}\n")
                .profile("test");

        Map<String, Object> view = directory.check().view().toMap();

        assertThat(view.toString()).doesNotContain("correct horse");
        assertThat(view)
                .containsOnlyKeys("nightshift", "storages/far", "storages/local", "clusters/chanuka", "jobs/nightly");
        @SuppressWarnings("unchecked") // entries are maps
        var chanuka = (Map<String, Object>) view.get("clusters/chanuka");
        assertThat(chanuka)
                .containsEntry("source", "clusters/chanuka.yaml, profiles/test/clusters/chanuka.yaml")
                .containsEntry("password", "********")
                .containsEntry("sslmode", "verify-full")
                .containsEntry("databases", Map.of("except", List.of("scratch")));
        assertThat(chanuka.keySet())
                .containsSequence("source", "nodes", "username", "password", "databases", "storages", "labels");
    }

    @Test
    void knows_the_cluster_of_the_environment_when_no_file_names_one() throws IOException {
        var directory = ConfigurationDirectory.valid(root)
                .with("DATABASE_URL", "postgresql://me:s%40crit@[::1]:5433,localhost/chanuka?sslmode=require")
                .write("jobs/nightly.yaml", ConfigurationDirectory.JOB.replace("chanuka", "default"));
        Files.delete(root.resolve("clusters/chanuka.yaml"));

        ClusterConfig cluster = directory.load().clusters().get("default");

        assertThat(cluster.nodes()).containsExactly(new NodeAddress("::1", 5433), new NodeAddress("localhost", 5432));
        assertThat(cluster.username()).isEqualTo("me");
        assertThat(cluster.password()).isEqualTo(new Secret("s@crit"));
        assertThat(cluster.database()).isEqualTo("chanuka");
        assertThat(cluster.sslmode()).isEqualTo(SslMode.REQUIRE);
        assertThat(cluster.storages()).isEqualTo(Map.of("far", StorageDuty.REQUIRED, "local", StorageDuty.REQUIRED));
    }

    @Test
    void knows_the_cluster_of_libpqs_variables() throws IOException {
        var directory = ConfigurationDirectory.valid(root)
                .with("PGHOST", "a,b")
                .with("PGPORT", "5433")
                .with("PGUSER", "me")
                .with("PGPASSWORD", "secret")
                .write("jobs/nightly.yaml", ConfigurationDirectory.JOB.replace("chanuka", "default"));
        Files.delete(root.resolve("clusters/chanuka.yaml"));

        ClusterConfig cluster = directory.load().clusters().get("default");

        assertThat(cluster.nodes()).containsExactly(new NodeAddress("a", 5433), new NodeAddress("b", 5433));
        assertThat(cluster.username()).isEqualTo("me");
        assertThat(cluster.password()).isEqualTo(new Secret("secret"));
        assertThat(cluster.sslmode()).isEqualTo(SslMode.VERIFY_FULL);
    }

    @Test
    void adds_no_cluster_of_the_environment_to_those_of_files() {
        var directory = ConfigurationDirectory.valid(root).with("PGHOST", "elsewhere");

        assertThat(directory.load().clusters()).containsOnlyKeys("chanuka");
    }

    @Test
    void takes_a_cluster_from_a_url() {
        var directory = ConfigurationDirectory.valid(root)
                .write("clusters/chanuka.yaml", "url: ${CHANUKA_URL}\nstorages: {local: required}\n")
                .with("CHANUKA_URL", "postgres://me:secret@db1,db2:5433/app");

        ConfigurationResult result = directory.check();

        ClusterConfig cluster = result.orThrow().clusters().get("chanuka");
        assertThat(cluster.nodes()).containsExactly(new NodeAddress("db1", 5432), new NodeAddress("db2", 5433));
        assertThat(cluster.password()).isEqualTo(new Secret("secret"));
        assertThat(result.warnings()).isEmpty();
        assertThat(result.toString() + result.view().toMap()).doesNotContain("secret");
    }

    @Test
    void takes_the_control_database_from_the_environment() {
        var directory = ConfigurationDirectory.valid(root)
                .with("NIGHTSHIFT_CONTROL_URL", "jdbc:postgresql://control/nightshift")
                .with("NIGHTSHIFT_CONTROL_USERNAME", "nightshift")
                .with("NIGHTSHIFT_CONTROL_PASSWORD", "hidden");

        ConfigurationResult result = directory.check();

        assertThat(result.orThrow().program().control())
                .isEqualTo(new ControlDatabaseUrl(
                        "jdbc:postgresql://control/nightshift", "nightshift", new Secret("hidden")));
        assertThat(result.toString() + result.view().toMap()).doesNotContain("hidden");
    }

    @Test
    void the_embedded_control_database_is_a_cluster_whose_file_says_only_where_its_backups_go() throws IOException {
        var directory = ConfigurationDirectory.valid(root)
                .write("clusters/control-database.yaml", "storages: {local: required}\n")
                .with("PGHOST", "elsewhere")
                .with("PGUSER", "me");

        ClusterConfig itself = directory.load().clusters().get("control-database");
        ClusterConfig reached = itself.at(new NodeAddress("127.0.0.1", 5440), "postgres", new Secret("random"));
        boolean elsewhereBeside = directory.load().clusters().containsKey("default");
        Files.delete(root.resolve("clusters/chanuka.yaml"));
        directory.write("jobs/nightly.yaml", ConfigurationDirectory.JOB.replace("chanuka", "default"));

        assertThat(itself.isEmbeddedControlDatabase()).isTrue();
        assertThat(itself.storages()).isEqualTo(Map.of("local", StorageDuty.REQUIRED));
        assertThat(reached.isEmbeddedControlDatabase()).isFalse();
        assertThat(reached.nodes()).containsExactly(new NodeAddress("127.0.0.1", 5440));
        assertThat(elsewhereBeside).isFalse();
        assertThat(directory.load().clusters()).containsOnlyKeys("control-database", "default");
    }

    @Test
    void a_control_database_of_ones_own_is_a_cluster_like_any_other() {
        var directory = ConfigurationDirectory.valid(root)
                .write(
                        "clusters/control-database.yaml",
                        "nodes: [control]\nusername: backup\nstorages: {local: required}\n");

        ClusterConfig cluster = directory.load().clusters().get("control-database");
        directory
                .write("clusters/control-database.yaml", "username: backup\nstorages: {local: required}\n")
                .with("NIGHTSHIFT_CONTROL_URL", "jdbc:postgresql://control/nightshift")
                .with("NIGHTSHIFT_CONTROL_USERNAME", "nightshift")
                .with("NIGHTSHIFT_CONTROL_PASSWORD", "hidden");

        assertThat(cluster.isEmbeddedControlDatabase()).isFalse();
        assertThat(cluster.sslmode()).isEqualTo(SslMode.VERIFY_FULL);
        assertThat(directory.check().problems()).singleElement().asString().contains("nodes: missing");
    }

    @Test
    void reads_anchors_aliases_and_merge_keys() {
        var directory = ConfigurationDirectory.valid(root).write("jobs/nightly.yaml", """
                        type: full-backup
                        cluster: chanuka
                        settings:
                          tables: &tables [a, b]
                          window: {<<: &w {length: 2h}, parallel-runs: 3}
                        """);

        var settings = (SampleSettings) directory.load().jobs().get("nightly").settings();

        assertThat(settings.tables()).containsExactly("a", "b");
        assertThat(settings.window()).isEqualTo(new SampleSettings.Window(Duration.ofHours(2), 3));
    }
}
