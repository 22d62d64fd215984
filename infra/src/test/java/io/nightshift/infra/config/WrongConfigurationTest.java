package io.nightshift.infra.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** One wrong thing each, in an otherwise valid configuration; it is the only problem, and nothing is cascaded. */
class WrongConfigurationTest {

    private static final String CLUSTER = "clusters/chanuka.yaml";
    private static final String JOB = "jobs/nightly.yaml";
    private static final String STORAGE = "storages/far.yaml";
    private static final String PROGRAM = "nightshift.yaml";

    @TempDir
    Path root;

    static Stream<Arguments> wrong() {
        return Stream.of(
                // YAML itself
                file(PROGRAM, "", ":1  the file is empty"),
                file(PROGRAM, "# zone: UTC\n", ":1  the file is empty"),
                file(PROGRAM, "zone\n", ":1  the file is not a map"),
                file(PROGRAM, "- zone\n", ":1  the file is not a map"),
                file(PROGRAM, "zone: UTC\nzone: UTC\n", ":2  zone: written twice; first on line 1"),
                file(PROGRAM, "http:\n\tport: 1\n", ":2  not readable as YAML: a tab is not accepted here"),
                file(PROGRAM, "zone: UTC\n---\nzone: UTC\n", ":2  a second document (---) is not accepted"),
                file(PROGRAM, "zone: 'UTC\n", "not readable as YAML"),
                file(PROGRAM, "zone: a: b\n", ":1  not readable as YAML: a second colon in the line"),
                file(PROGRAM, "http: {port: 1\n", "not readable as YAML"),
                file(PROGRAM, "zone: UTC\u0007\n", ":1  not readable as YAML: the character U+0007 is not accepted"),
                file(PROGRAM, "? [a]\n: b\n", ":1  a list, map or tag as a key is not accepted"),
                file(
                        PROGRAM,
                        "zone: !!java.net.URL [x]\n",
                        ":1  not readable as YAML: a wrong tag; quote a value that begins with !"),
                file(PROGRAM, "zone: !hunter2 x\n", ":1  zone: tags (!) are not accepted; quote a value"),
                file(PROGRAM, "http: &a {port: *a}\n", ":1  http.port: an alias (*) within its own anchor"),
                file(CLUSTER, replace("${CHANUKA_PASSWORD}", "*hunter2"), ":3  an alias (*) without its anchor"),
                file(PROGRAM, "[".repeat(200), "not readable as YAML"),
                // keys and types
                file(PROGRAM, "work-thread: 2\n", ":1  work-thread: unknown key; did you mean work-threads?"),
                file(PROGRAM, "zzz: 2\n", ":1  zzz: unknown key; accepted: zone, http, work-threads"),
                file(PROGRAM, "zone:\n", ":1  zone: has no value; accepted: time zone; without the key it is UTC"),
                file(PROGRAM, "work-threads: many\n", ":1  work-threads: \"many\" is not accepted; accepted: a whole"),
                file(PROGRAM, "work-threads: 99999999999\n", "work-threads: \"99999999999\" is not accepted"),
                file(PROGRAM, "work-threads: 0\n", ":1  work-threads: is 0; accepted: 1 to 64"),
                file(
                        PROGRAM,
                        "work-threads: [1]\n",
                        ":1  work-threads: a list is not accepted; accepted: whole number"),
                file(PROGRAM, "zone: Africa/Nirobi\n", ":1  zone: \"Africa/Nirobi\" is not accepted; accepted: a time"),
                file(PROGRAM, "zone: Africa/Nirobi\n", "did you mean Africa/Nairobi?"),
                file(PROGRAM, "http: 80\n", ":1  http: \"80\" is not accepted; accepted: map with port, address"),
                file(PROGRAM, "http:\n  port: 70000\n", ":2  http.port: is 70000; accepted: 0 (a free one) to 65535"),
                file(
                        PROGRAM,
                        "http:\n  address: 0.0.0.0\n",
                        ":2  http.address: \"0.0.0.0\" is not accepted; accepted: a loop"),
                file(PROGRAM, "control: {url: x}\n", ":1  control: the environment names the control database"),
                // variables
                file(PROGRAM, "zone: ${ZONE}\n", ":1  zone: environment variable ZONE is not set"),
                file(PROGRAM, "zone: ${CHANUKA_PASWORD}\n", "did you mean CHANUKA_PASSWORD?"),
                file(PROGRAM, "zone: ${}\n", ":1  zone: ${ begins a variable; accepted: ${NAME}"),
                file(PROGRAM, "zone: ${CHANUKA_PASSWORD}\n", ":1  zone: \"${CHANUKA_PASSWORD}\" is not accepted"),
                // the embedded control database
                file(
                        "clusters/control-database.yaml",
                        "username: me\nstorages: {local: required}\n",
                        ":1  username: is said by the embedded control database too; keep one of the two"),
                file(
                        "clusters/control-database.yaml",
                        "password: ${CHANUKA_PASSWORD}\nstorages: {local: required}\n",
                        ":1  password: is said by the embedded control database too; leave it out"),
                // storages
                file(STORAGE, "path: /x\n", ":1  type: missing; accepted: directory"),
                file(STORAGE, "type: directry\npath: /x\n", "type: \"directry\" is not accepted; accepted: directory"),
                file(STORAGE, "type: s3\n", ":1  type: s3 is not yet supported by this version"),
                file(STORAGE, "type: directory\n", ":1  path: missing; accepted: path"),
                file(STORAGE, "type: directory\npath: x/y\n", ":2  path: is not absolute"),
                file(
                        "storages/nested.yaml",
                        "type: directory\npath: /home/night/storage/x\n",
                        "shares its directory with storage"),
                file(STORAGE, "type: directory\nname: x\npath: /x\n", ":2  name: unknown key; accepted: path"),
                // clusters
                cluster("username: nightshift\n", "", ":1  username: missing; accepted: text"),
                cluster("db2.internal", "\"db2:70000\"", ":1  nodes[1]: \"db2:70000\" is not accepted: ports are 1 to"),
                cluster("db2.internal", "\"db2:x\"", ":1  nodes[1]: \"db2:x\" is not accepted: the port is no number"),
                cluster(
                        "db2.internal",
                        "\"fe80::1\"",
                        "nodes[1]: \"fe80::1\" is not accepted: an IPv6 address stands in"),
                cluster(
                        "db2.internal",
                        "/tmp",
                        ":1  nodes[1]: \"/tmp\" is not accepted: Unix sockets are not supported"),
                cluster("db2.internal", "db1.internal", ":1  nodes: names db1.internal:5432 twice"),
                cluster(
                        "[\"db1.internal:5432\", db2.internal]",
                        "[]",
                        ":1  nodes: is empty; a cluster has at least one"),
                cluster(
                        "[\"db1.internal:5432\", db2.internal]",
                        "db1",
                        ":1  nodes: \"db1\" is not accepted; accepted: list"),
                cluster(
                        "{local: required",
                        "{lokal: required",
                        ":5  storages.lokal: unknown storage; accepted: far, local; did"),
                cluster(
                        "required",
                        "requird",
                        ":5  storages.local: \"requird\" is not accepted; accepted: required, best-"),
                cluster("required", "best-effort", ":5  storages: no storage is required"),
                cluster("storages: {local: required, far: best-effort}\n", "", ":1  storages: missing"),
                cluster(
                        "except: [scratch]",
                        "except: [a], only: [b]",
                        ":4  databases.only: stands beside except; keep one"),
                cluster("production", "[x]", ":6  labels.environment: a list is not accepted; accepted: text"),
                cluster("username", "sslkey: /etc/passwd\nusername", ":2  sslkey: needs its sslcert"),
                cluster("username", "sslrootcert: /x/y\nusername", ":2  sslrootcert: file not found"),
                cluster("${CHANUKA_PASSWORD}", "file:/x/y", ":3  password: secret file /x/y not found"),
                cluster("${CHANUKA_PASSWORD}", "file:x", ":3  password: secret file x is not accepted"),
                cluster("${CHANUKA_PASSWORD}", "''", ":3  password: the secret is empty"),
                cluster("username", "url: postgresql://a\nusername", ":1  nodes: is said by url too"),
                file(CLUSTER, "url: mysql://x\nstorages: {local: required}\n", ":1  url: the url does not begin with"),
                file(
                        CLUSTER,
                        "url: postgresql://u:p@ss@h/d\nstorages: {local: required}\n",
                        ":1  url: a host or port is"),
                // jobs
                job(
                        "full-backup",
                        "ful-backup",
                        ":1  type: \"ful-backup\" is not accepted; accepted: full-backup, health"),
                job("full-backup", "ful-backup", "did you mean full-backup?"),
                job("type: full-backup\n", "", ":1  type: missing; accepted: text"),
                job(
                        "compression: \"zstd:3\"",
                        "tables: [chanukka/orders]",
                        ":5  settings.tables: unknown cluster chanukka; accepted: chanuka"),
                job("cluster: chanuka", "cluster: chanuca", ":2  cluster: unknown cluster; accepted: chanuka"),
                job("cluster: chanuka\n", "", ":1  cluster: is missing; accepted: cluster: name, or clusters"),
                job(
                        "cluster: chanuka",
                        "cluster: chanuka\nclusters: {environment: production}",
                        ":3  clusters: stands beside cluster"),
                job("cluster: chanuka", "clusters: {a: b}", ":2  clusters: no cluster bears these labels"),
                job("cluster: chanuka", "clusters: {}", ":2  clusters: is empty"),
                job("0 1 * * *", "0 1 * *", ":3  schedule.cron: \"0 1 * *\" is not accepted"),
                job("Nairobi", "Nowhere", ":3  schedule.zone: \"Africa/Nowhere\" is not accepted"),
                job("{cron: \"0 1 * * *\", zone: Africa/Nairobi}", "{corn: x}", ":3  schedule: a map is not accepted"),
                job("{cron: \"0 1 * * *\", zone: Africa/Nairobi}", "{corn: x}", "did you mean cron?"),
                job("{cron: \"0 1 * * *\", zone: Africa/Nairobi}", "continous", ":3  schedule: \"continous\" is not"),
                job(
                        "{cron: \"0 1 * * *\", zone: Africa/Nairobi}",
                        "continuous",
                        ":3  schedule: continuous is not accepted for full-backup, whose runs end by themselves"),
                job("{cron: \"0 1 * * *\", zone: Africa/Nairobi}", "", ":3  schedule: has no value"),
                job("zone: Africa/Nairobi", "every: 1h", ":3  schedule: cron and every exclude each other"),
                job(
                        "{cron: \"0 1 * * *\", zone: Africa/Nairobi}",
                        "{every: 0s}",
                        ":3  schedule.every: is 0s, which is"),
                job(
                        "{cron: \"0 1 * * *\", zone: Africa/Nairobi}",
                        "{after: nihgtly}",
                        "schedule.after: unknown job; acc"),
                job(
                        "{cron: \"0 1 * * *\", zone: Africa/Nairobi}",
                        "{after: nightly}",
                        "none ever starts: nightly → nightly"),
                job("4h", "4", ":4  timeout: \"4\" is not accepted; accepted: a duration such as"),
                job("4h", "0s", ":4  timeout: is 0s; leave it out for none"),
                job(
                        "zstd:3",
                        "zstd:33",
                        ":6  settings.compression: \"zstd:33\" is not accepted; accepted: none, zstd:1"),
                job("checkpoint: spread", "checkpoint: slow", ":7  settings.checkpoint: \"slow\" is not accepted"),
                job(
                        "checkpoint: spread",
                        "buffer: 64mb",
                        ":7  settings.buffer: \"64mb\" is not accepted; accepted: a size"),
                job(
                        "checkpoint: spread",
                        "verify: yes",
                        "settings.verify: \"yes\" is not accepted; accepted: true, false"),
                job(
                        "checkpoint: spread",
                        "sample: 1f",
                        ":7  settings.sample: \"1f\" is not accepted; accepted: a number"),
                job("checkpoint: spread", "sure: true", ":7  settings.sure: is said of one run, on the command line"),
                job("checkpoint: spread", "weights: {a: b}", ":7  settings.weights.a: \"b\" is not accepted"),
                job("checkpoint: spread", "window: {parallel-runs: 0}", ":7  settings.window.parallel-runs: is 0"),
                job("checkpoint: spread", "workers: 9\n  patience: 0s", ":6  settings: more than 8 workers need"),
                job("checkpoint: spread", "tables: [a, ]\n  pause: x", ":8  settings.pause: \"x\" is not accepted"),
                // files
                file("jobs/weekly.yml", "x", "  rename it to weekly.yaml"),
                file("jobs/weekly.txt", "x", "  unknown kind of file; accepted: files that end in .yaml"),
                file("jobs/Weekly.yaml", "x", "  name \"Weekly\" is not accepted; accepted: lower-case letters"),
                file(
                        "jobs/full-backup.yaml",
                        ConfigurationDirectory.JOB,
                        ":1  job \"full-backup\" bears the name of a job"),
                file(
                        "job/x.yaml",
                        "x",
                        "job  unknown folder; accepted: clusters, storages, calendars, jobs, rules, profiles; did you mean jobs?"),
                file(
                        "nightshift.yml",
                        "x",
                        "  unknown file; accepted here: nightshift.yaml; did you mean nightshift.yaml?"));
    }

    @ParameterizedTest(name = "{2}")
    @MethodSource
    void wrong(String file, String text, String expected) {
        var directory = ConfigurationDirectory.valid(root).write(file, text);

        ConfigurationResult result = directory.check();

        assertThat(result.problems()).hasSize(1);
        assertThat(result.problems().get(0).toString())
                .startsWith(file.startsWith("job/") ? "job" : file)
                .contains(expected)
                .doesNotContain("hunter2", "correct horse", "ss@h", "Exception");
        assertThat(result.configuration()).isNull();
    }

    @Test
    void finds_nothing_wrong_with_what_all_these_are_made_of() {
        assertThat(ConfigurationDirectory.valid(root).check().problems()).isEmpty();
    }

    @Test
    void refuses_a_profile_that_does_not_exist() {
        var directory = ConfigurationDirectory.valid(root)
                .write("profiles/production/nightshift.yaml", "zone: UTC\n")
                .profile("prodution");

        assertThat(directory.check().problems())
                .singleElement()
                .hasToString(
                        "profiles  profile \"prodution\" is not among them; accepted: production; did you mean production?");
    }

    @Test
    void refuses_a_profile_that_leads_out_of_the_directory() {
        var directory = ConfigurationDirectory.valid(root).profile("..");

        assertThat(directory.check().problems()).singleElement().asString().contains("is not among them");
    }

    @Test
    void names_the_file_of_the_profile_where_the_wrong_value_is() {
        var directory = ConfigurationDirectory.valid(root)
                .write("profiles/test/clusters/chanuka.yaml", "# test\nsslmode: off\n")
                .profile("test");

        assertThat(directory.check().problems())
                .singleElement()
                .asString()
                .startsWith("profiles/test/clusters/chanuka.yaml:2  sslmode: \"off\" is not accepted");
    }

    @Test
    void tells_a_cycle_of_jobs_once() {
        var directory = ConfigurationDirectory.valid(root)
                .write("jobs/a.yaml", after("b"))
                .write("jobs/b.yaml", after("c"))
                .write("jobs/c.yaml", after("b"))
                .write("jobs/d.yaml", after("nightly"));

        assertThat(directory.check().problems())
                .singleElement()
                .hasToString(
                        "jobs/b.yaml:3  schedule.after: these jobs wait for each other, so that none ever starts: b → c → b");
    }

    @Test
    void tells_what_cannot_be_read() throws Exception {
        var directory = ConfigurationDirectory.valid(root);
        Files.createDirectories(root.resolve("jobs/folder.yaml"));
        Files.createSymbolicLink(root.resolve("jobs/gone.yaml"), root.resolve("nowhere"));
        Files.write(root.resolve("jobs/latin.yaml"), new byte[] {'a', (byte) 0xE4, ':'});
        Files.writeString(root.resolve("jobs/.hidden"), "x");
        Files.writeString(root.resolve("jobs/README.md"), "x");

        assertThat(directory.check().problems())
                .extracting(Problem::toString)
                .containsExactly(
                        "jobs/folder.yaml  is not a file",
                        "jobs/gone.yaml  cannot be read: no such file",
                        "jobs/latin.yaml  is not UTF-8 text");
    }

    @Test
    void tells_names_that_differ_only_in_case() {
        var directory = ConfigurationDirectory.valid(root).write("jobs/Nightly.yaml", ConfigurationDirectory.JOB);

        assertThat(directory.check().problems())
                .extracting(Problem::toString)
                .contains("jobs/nightly.yaml  differs only in case from Nightly.yaml");
    }

    @Test
    void tells_that_there_is_no_directory() {
        var directory = new ConfigurationDirectory(root.resolve("absent"));

        assertThat(directory.check().problems())
                .singleElement()
                .asString()
                .endsWith("configuration directory not found");
    }

    @Test
    void wants_all_variables_of_the_control_database_or_none() {
        var directory = ConfigurationDirectory.valid(root)
                .with("NIGHTSHIFT_CONTROL_URL", "jdbc:postgresql://h/d?password=hunter2")
                .with("NIGHTSHIFT_CONTROL_USERNAME", "me");

        assertThat(directory.check().problems())
                .extracting(Problem::toString)
                .containsExactly(
                        "environment  NIGHTSHIFT_CONTROL_PASSWORD: is not set; set all of NIGHTSHIFT_CONTROL_URL, NIGHTSHIFT_CONTROL_USERNAME, NIGHTSHIFT_CONTROL_PASSWORD, or none of them",
                        "environment  NIGHTSHIFT_CONTROL_URL: holds a user or password; set NIGHTSHIFT_CONTROL_USERNAME and NIGHTSHIFT_CONTROL_PASSWORD");
    }

    @Test
    void stops_aliases_of_aliases() {
        var text = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (int i = 1; i < 8; i++) {
            text.append(
                    "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d]\n".formatted(i, i, i - 1, i - 1, i - 1, i - 1, i - 1));
        }
        var directory = ConfigurationDirectory.valid(root).write(PROGRAM, text.toString());

        assertThat(directory.check().problems()).singleElement().asString().contains("aliases blow the file up");
    }

    private static String after(String job) {
        return "type: full-backup\ncluster: chanuka\nschedule: {after: " + job + "}\n";
    }

    private static Arguments file(String file, String text, String expected) {
        return Arguments.of(file, text, expected);
    }

    private static String replace(String what, String by) {
        assertThat(ConfigurationDirectory.CLUSTER).contains(what);
        return ConfigurationDirectory.CLUSTER.replace(what, by);
    }

    private static Arguments cluster(String what, String by, String expected) {
        return file(CLUSTER, replace(what, by), expected);
    }

    private static Arguments job(String what, String by, String expected) {
        assertThat(ConfigurationDirectory.JOB).contains(what);
        return file(JOB, ConfigurationDirectory.JOB.replace(what, by), expected);
    }
}
