package io.nightshift.infra.health;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.health.HealthResult.NotEvaluated;
import io.nightshift.infra.health.HealthResult.Wrong;
import io.nightshift.infra.health.KnownReleases.Release;
import io.nightshift.infra.postgres.PostgresVersion;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.server.PostgresVersions;
import io.nightshift.infra.server.TestPostgres;
import java.nio.file.Files;
import java.time.Clock;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Each check fires on a real server that has what it looks for, and is silent on a healthy one. */
class HealthChecksTest {

    private static final String VERSIONS = "io.nightshift.infra.server.PostgresVersions#underTest";
    private static final Duration LIMIT = Duration.ofMinutes(1);

    /** What makes small servers of tests sick enough; what is not named keeps its default. */
    private static final String[] STRICT = {
        "connections.warning", "1",
        "long-transaction.warning", "1ms",
        "idle-in-transaction.warning", "1ms",
        "blocked.warning", "1ms",
        "prepared-transaction.warning", "1ms",
        "replication-lag.warning", "10kB",
        "replication-delay.warning", "1ms",
        "freeze-age.warning", "0",
        "xmin-horizon.warning", "1",
        "slot-inactive", "1ms",
        "archive-failing.warning", "1ms",
        "archive-backlog.warning", "1",
        "wal-directory.warning", "1",
        "wal-directory-floor", "1MB",
        "requested-checkpoints-floor", "1",
        "cache-hit-ratio", "100",
        "cache-reads-floor", "1",
        "dead-tuples.warning", "10",
        "tuples-floor", "50",
        "temp-files-per-day", "1kB",
        "deadlocks-per-day", "1"
    };

    /** Where each finding is, and a part of what it says. */
    private record Expected(String check, String subject, String detail) {}

    private static final List<Expected> EXPECTED = List.of(
            new Expected("wal-receiver", "CUT", "no WAL receiver runs: no WAL arrives"),
            new Expected("replication-lag", "PAUSED", "of WAL behind the primary PRIMARY"),
            new Expected("replication-delay", "PRIMARY, standby far at 127.0.0.1", "after the primary has written"),
            new Expected("replay-paused", "PAUSED", "replay is paused at "),
            new Expected("synchronous-standbys", "PRIMARY", "asks for 1 standby and 0 are there ('nobody'"),
            new Expected("replication-slots", "slot forgotten of PRIMARY", "nobody uses this physical slot"),
            new Expected("wal-archiving", "PRIMARY", "archiving fails: a WAL segment waits for"),
            new Expected("archive-backlog", "PRIMARY", "wait for archiving"),
            new Expected("wal-directory", "PRIMARY", "pg_wal holds "),
            new Expected("connections", "PRIMARY", "connections are used ("),
            new Expected("blockers", "PRIMARY", "1 session waits for up to"),
            new Expected("long-transactions", "PRIMARY", "a transaction is at work for"),
            new Expected("idle-in-transaction", "PRIMARY", "1 session idle in transaction, the longest for"),
            new Expected(
                    "prepared-transactions", "database postgres", "1 prepared transaction, the oldest, 'left over'"),
            new Expected("xmin-horizon", "PRIMARY", "cannot be removed: "),
            new Expected("wraparound", "database postgres, transactions", "its oldest transaction is"),
            new Expected("autovacuum", "PRIMARY", "autovacuum is off"),
            new Expected("checkpoints", "PRIMARY", "were requested, mostly by WAL that reached max_wal_size"),
            new Expected(
                    "cache-hits", "database postgres on PRIMARY", "of its blocks were found in shared buffers (32MB)"),
            new Expected("temp-files", "database postgres on PRIMARY", "of temporary files a day"),
            new Expected("deadlocks", "database postgres on PRIMARY", "about 1 deadlock a day"),
            new Expected("checksum-failures", "database postgres on PRIMARY", "page read with a wrong checksum"),
            new Expected("settings", "full_page_writes of PRIMARY", "full_page_writes is off: a power cut may leave"),
            new Expected("pending-restart", "PRIMARY", "max_worker_processes waits for a restart"),
            new Expected("dead-tuples", "table public.dead in database postgres", "tuples are dead"),
            new Expected(
                    "autovacuum-tables", "table public.dead in database postgres", "autovacuum is off for this table"),
            new Expected(
                    "sequences", "sequence public.almost_over in database postgres", "96 % of its values are used"),
            new Expected(
                    "invalid-indexes", "index public.twice_id in database postgres", "is invalid and does not keep"),
            new Expected("constraints", "constraint small of table public.dead in database postgres", "is NOT VALID"),
            new Expected("triggers", "table public.child in database postgres", "of foreign keys, which are not kept"),
            new Expected("extensions", "extension pg_stat_statements in database postgres", "has version 1.8"),
            new Expected("collations", "collation public.of_old in database postgres", "and was made with version 1.0"),
            new Expected("subscriptions", "subscription idle in database postgres", "is disabled"));

    private static final Map<Integer, SickCluster> CLUSTERS = new TreeMap<>();
    private static final Map<Integer, HealthReport> SICK = new TreeMap<>();

    @BeforeAll
    static void lookAtTheSick() throws Exception {
        for (int major : PostgresVersions.underTest()) {
            SickCluster cluster = new SickCluster(major);
            CLUSTERS.put(major, cluster);
            SICK.put(
                    major,
                    HealthTrial.of(cluster.primary, cluster.paused, cluster.cut).look(STRICT));
        }
    }

    @AfterAll
    static void stop() throws Exception {
        for (SickCluster cluster : CLUSTERS.values()) {
            cluster.close();
        }
    }

    private static Stream<Arguments> expectedFindings() {
        return PostgresVersions.underTest().stream()
                .flatMap(major -> EXPECTED.stream().map(expected -> Arguments.of(major, expected)));
    }

    @ParameterizedTest
    @MethodSource("expectedFindings")
    void a_check_fires_where_something_is_wrong_and_says_what_to_do(int major, Expected expected) {
        SickCluster cluster = CLUSTERS.get(major);

        assertThat(HealthTrial.findings(SICK.get(major), expected.check())).anySatisfy(finding -> {
            assertThat(finding.subject()).isEqualTo(named(expected.subject(), cluster));
            assertThat(finding.detail()).contains(named(expected.detail(), cluster));
            assertThat(finding.remedy()).hasSizeGreaterThan(20);
            assertThat(finding.key()).isEqualTo("health/" + expected.check() + "/" + finding.subject());
        });
    }

    private static String named(String text, SickCluster cluster) {
        return text.replace("PRIMARY", HealthTrial.address(cluster.primary).toString())
                .replace("PAUSED", HealthTrial.address(cluster.paused).toString())
                .replace("CUT", HealthTrial.address(cluster.cut).toString());
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void every_check_is_silent_on_a_healthy_cluster_and_all_are_done_with_pg_monitor_alone(int major) throws Exception {
        try (TestPostgres primary = TestPostgres.start(major, HealthTrial.HEALTHY);
                TestPostgres standby = HealthTrial.streaming(primary, major)) {
            HealthTrial.createMonitor(primary);
            primary.execute("postgres", "CREATE DATABASE shop");
            primary.execute("shop", "CREATE TABLE t (id int PRIMARY KEY)");
            await().atMost(LIMIT)
                    .until(() -> HealthTrial.of(primary, standby).look().findings().stream()
                            .noneMatch(finding -> finding.check().equals("reachability")));

            HealthReport healthy = HealthTrial.of(primary, standby)
                    .with(withVersions(release(major, 0)))
                    .look();

            assertThat(healthy.findings()).isEmpty();
            assertThat(healthy.notEvaluated()).isEmpty();
            assertThat(healthy.fine()).containsExactlyInAnyOrderElementsOf(HealthChecks.names());
            assertThat(healthy.exitStatus()).isZero();
            assertThat(healthy.databases())
                    .extracting(HealthReport.DatabaseSize::name)
                    .contains("shop", "postgres");
        }
    }

    /** A table that knows one more minor release than runs, or none. */
    private static KnownReleases release(int major, int more) {
        PostgresVersion version = TestPostgres.binaries(major).version();
        return new KnownReleases(
                LocalDate.now(ZoneOffset.UTC),
                Map.of(major, new Release(version.minor() + more, LocalDate.of(2099, 1, 1))));
    }

    private static SqlCheck[] withVersions(KnownReleases releases) {
        return HealthChecks.BY_SQL.stream()
                .map(check -> check instanceof VersionCheck ? new VersionCheck(releases) : check)
                .toArray(SqlCheck[]::new);
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void tells_a_minor_release_behind_and_the_end_of_support(int major) {
        TestPostgres primary = CLUSTERS.get(major).primary;
        KnownReleases ending =
                new KnownReleases(LocalDate.of(2026, 11, 27), Map.of(major, new Release(0, LocalDate.of(2020, 1, 1))));
        Clock yearsLater = Clock.offset(Clock.systemUTC(), Duration.ofDays(1000));

        var behind = HealthTrial.of(primary)
                .with(new VersionCheck(release(major, 2)))
                .look();
        var unsupported = HealthTrial.of(primary).with(new VersionCheck(ending)).look();
        var due = HealthTrial.of(primary)
                .at(yearsLater)
                .with(new VersionCheck(release(major, 0)))
                .look();
        var unknown = HealthTrial.of(primary)
                .with(new VersionCheck(new KnownReleases(LocalDate.of(2020, 1, 1), Map.of())))
                .look();

        assertThat(HealthTrial.findings(behind, "version"))
                .singleElement()
                .satisfies(
                        finding -> assertThat(finding.detail()).contains(", 2 minor releases behind " + major + "."));
        assertThat(HealthTrial.findings(unsupported, "version"))
                .singleElement()
                .satisfies(finding -> assertThat(finding.detail()).contains("gets no more fixes since 2020-01-01"));
        assertThat(HealthTrial.findings(due, "version"))
                .singleElement()
                .satisfies(finding ->
                        assertThat(finding.detail()).containsPattern("minor releases were due, the last on "));
        assertThat(HealthTrial.gaps(due, "version")).isEmpty();
        assertThat(HealthTrial.gaps(unknown, "version"))
                .singleElement()
                .satisfies(
                        gap -> assertThat(gap.reason()).startsWith("this program does not know PostgreSQL " + major));
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void tells_a_clock_that_is_wrong(int major) {
        TestPostgres primary = CLUSTERS.get(major).primary;

        var report = HealthTrial.of(primary)
                .at(Clock.offset(Clock.systemUTC(), Duration.ofMinutes(3)))
                .with(new ClockCheck())
                .look();

        assertThat(HealthTrial.findings(report, "clock")).singleElement().satisfies(finding -> {
            assertThat(finding.severity()).isEqualTo(Severity.CRITICAL);
            assertThat(finding.detail()).contains(" behind this machine's");
        });
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void tells_that_a_crash_has_emptied_the_statistics_and_not_that_a_restore_has_none(int major) throws Exception {
        try (TestPostgres primary = TestPostgres.start(major, HealthTrial.HEALTHY)) {
            HealthTrial.createMonitor(primary);
            HealthTrial trial = HealthTrial.of(primary).with(new StatisticsLostCheck(Duration.ZERO));
            primary.kill();
            Files.createFile(primary.dataDirectory().resolve("standby.signal"));
            primary.restart();

            var standby = trial.look();
            primary.execute("postgres", "SELECT pg_promote()");
            var restored = trial.look();
            await().atMost(LIMIT)
                    .until(() -> primary.number("SELECT count(*) FROM pg_ls_waldir() WHERE name LIKE '%.history'"
                                    + " AND modification < date_trunc('second', clock_timestamp())")
                            == 1);
            primary.kill();
            primary.restart();
            var crashed = trial.look();

            assertThat(List.of(standby, restored))
                    .allSatisfy(report -> assertThat(HealthTrial.findings(report, "statistics-lost"))
                            .isEmpty());
            assertThat(HealthTrial.findings(crashed, "statistics-lost"))
                    .as("not evaluated: %s, began %s", crashed.notEvaluated(), primary.texts("""
                            SELECT a.stats_reset || ' ' || b.stats_reset || ' ' || w.stats_reset || ' ' || coalesce(
                                       (SELECT max(modification)::text FROM pg_ls_waldir() WHERE name LIKE '%.history'), '')
                              FROM pg_stat_archiver a, pg_stat_bgwriter b, pg_stat_wal w
                            """))
                    .singleElement()
                    .satisfies(finding -> assertThat(finding.detail()).startsWith("all statistics began anew at "));
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void tells_that_data_checksums_are_off(int major) {
        try (TestPostgres bare = TestPostgres.startWithoutChecksums(major, HealthTrial.HEALTHY)) {
            bare.execute(
                    "postgres",
                    "CREATE ROLE watch LOGIN PASSWORD '" + HealthTrial.PASSWORD + "'",
                    "GRANT pg_monitor TO watch");

            var report = HealthTrial.of(bare).with(new DataChecksumsCheck()).look();

            assertThat(HealthTrial.findings(report, "data-checksums")).hasSize(1);
        }
    }

    @Test
    void tells_who_is_who_when_the_nodes_do_not_agree() throws Exception {
        SickCluster old = CLUSTERS.get(15);
        SickCluster sick = CLUSTERS.get(18);

        var foreign = HealthTrial.of(sick.primary, old.paused).look(STRICT);
        var nobody = HealthTrial.of(sick.primary)
                .with(new NodeAddress("127.0.0.1", 1))
                .look(STRICT);
        var headless = HealthTrial.of(sick.paused).look(STRICT);

        assertThat(HealthTrial.findings(foreign, "system-identifier"))
                .singleElement()
                .satisfies(finding -> assertThat(finding.detail()).contains("they are not one cluster"));
        assertThat(HealthTrial.findings(foreign, "roles"))
                .singleElement()
                .satisfies(finding -> assertThat(finding.detail()).contains("have different system identifiers"));
        assertThat(HealthTrial.findings(nobody, "reachability"))
                .singleElement()
                .satisfies(finding -> assertThat(finding.subject()).isEqualTo("127.0.0.1:1"));
        assertThat(HealthTrial.gaps(nobody, "connections"))
                .singleElement()
                .satisfies(gap -> assertThat(gap.reason()).isEqualTo("the node does not answer"));
        assertThat(HealthTrial.gaps(nobody, "wal-receiver"))
                .singleElement()
                .satisfies(gap -> assertThat(gap.subject()).isEqualTo("127.0.0.1:1"));
        assertThat(HealthTrial.findings(headless, "roles"))
                .singleElement()
                .satisfies(finding -> assertThat(finding.detail()).startsWith("no node takes writes"));
        assertThat(HealthTrial.gaps(headless, "replication-lag"))
                .singleElement()
                .satisfies(gap -> assertThat(gap.reason()).startsWith("its lag is unknown"));
    }

    @Test
    void tells_two_primaries_and_a_standby_of_another_timeline() throws Exception {
        try (TestPostgres promoted = TestPostgres.prepare(18, Map.of("max_connections", "100"))) {
            Files.createFile(promoted.dataDirectory().resolve("standby.signal"));
            promoted.restart();
            promoted.execute("postgres", "SELECT pg_promote()");
            HealthTrial.createMonitor(promoted);
            SickCluster sick = CLUSTERS.get(18);

            var two = HealthTrial.of(promoted, sick.primary).look(STRICT);
            var left = HealthTrial.of(promoted, sick.cut).look(STRICT);

            assertThat(HealthTrial.findings(left, "timeline"))
                    .singleElement()
                    .satisfies(finding -> assertThat(finding.detail()).startsWith("replays timeline 1 at "));
            assertThat(HealthTrial.findings(two, "roles"))
                    .singleElement()
                    .satisfies(finding -> assertThat(finding.detail()).startsWith("2 nodes claim to be the primary"));
            assertThat(HealthTrial.gaps(two, "sequences"))
                    .singleElement()
                    .satisfies(gap -> assertThat(gap.reason()).contains("has 2 nodes that claim to be its primary"));
            assertThat(two.exitStatus()).isEqualTo(3);
        }
    }

    @ParameterizedTest
    @MethodSource(VERSIONS)
    void what_a_role_may_not_see_is_not_evaluated_and_never_green(int major) {
        TestPostgres primary = CLUSTERS.get(major).primary;
        primary.execute("postgres", "CREATE ROLE blind LOGIN PASSWORD '" + HealthTrial.PASSWORD + "'");

        HealthReport report = HealthTrial.of(primary).as("blind").look(STRICT);

        assertThat(report.notEvaluated())
                .extracting(NotEvaluated::reason)
                .contains("role blind is no member of pg_monitor: GRANT pg_monitor TO blind");
        assertThat(report.fine())
                .isEqualTo(new LinkedHashSet<>(List.of("reachability", "roles", "system-identifier", "timeline")));
        assertThat(report.exitStatus()).isEqualTo(6);
    }

    @Test
    void a_frozen_node_does_not_keep_the_others_from_being_checked() {
        SickCluster sick = CLUSTERS.get(18);
        sick.cut.freeze();
        try {
            HealthReport report = HealthTrial.of(sick.primary, sick.cut).look(STRICT);

            assertThat(HealthTrial.findings(report, "autovacuum")).hasSize(1);
            assertThat(HealthTrial.findings(report, "reachability"))
                    .singleElement()
                    .satisfies(finding -> assertThat(finding.subject())
                            .isEqualTo(HealthTrial.address(sick.cut).toString()));
        } finally {
            sick.cut.thaw();
        }
    }

    @Test
    void a_node_that_nobody_answers_for_is_unreachable_as_a_whole() {
        HealthReport report =
                HealthTrial.of(CLUSTERS.get(18).primary).as("nobody").look();

        assertThat(report.isReachable()).isFalse();
        assertThat(report.exitStatus()).isEqualTo(5);
        assertThat(report.findings()).extracting(Wrong::check).containsExactly("reachability");
    }

    @Test
    void there_are_more_than_twenty_five_checks_with_names_of_their_own() {
        assertThat(HealthChecks.all()).hasSizeGreaterThanOrEqualTo(25);
        assertThat(HealthChecks.names()).hasSameSizeAs(HealthChecks.all());
        assertThat(tested()).containsAll(HealthChecks.names());
    }

    /** Those of the table above, and those that have a test of their own. */
    private static Set<String> tested() {
        Set<String> names = new LinkedHashSet<>(List.of(
                "version",
                "clock",
                "statistics-lost",
                "data-checksums",
                "reachability",
                "roles",
                "system-identifier",
                "timeline"));
        EXPECTED.forEach(expected -> names.add(expected.check()));
        return names;
    }
}
