package io.nightshift.infra.sample;

import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.PostgresVersions;
import io.nightshift.infra.server.Seed;
import io.nightshift.infra.server.TestPostgres;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class ChanukaWorkloadTest {

    private static final double SMALL = 0.02;
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int TRANSACTIONS = Effort.of(600, 20_000);
    private static final WorkloadPlan PLAN = WorkloadPlan.everything().connections(4);

    private static TestPostgres server;

    @BeforeAll
    static void start() throws SQLException {
        server = TestPostgres.start(
                PostgresVersions.underTest().get(PostgresVersions.underTest().size() - 1));
        create(server);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void weights_add_up_to_a_thousand() {
        int all = Stream.of(ChanukaTransaction.values())
                .mapToInt(ChanukaTransaction::perThousand)
                .sum();

        assertThat(all).isEqualTo(1000);
    }

    @ParameterizedTest
    @EnumSource(ChanukaTransaction.class)
    void runs_each_kind(ChanukaTransaction kind) {
        var plan = PLAN.connections(1).kinds(Set.of(kind)).transactions(10);

        var report = run(plan);

        assertThat(report.counts()).containsOnly(Map.entry(kind, 10L));
    }

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.Seed#underTest")
    void the_same_seed_chooses_the_same_transactions_however_many_connections(Seed seed) {
        var plan = PLAN.seed(seed.number()).transactions(TRANSACTIONS);

        var ofOne = run(plan.connections(1));
        var ofFour = run(plan.connections(4));

        assertThat(ofOne.transactions()).isEqualTo(TRANSACTIONS);
        assertThat(ofFour.counts()).isEqualTo(ofOne.counts());
        assertThat(ofOne.writes()).isBetween(TRANSACTIONS / 10L, TRANSACTIONS / 3L);
    }

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.PostgresVersions#underTest")
    void every_version_runs_all_of_it(int major) throws SQLException {
        try (TestPostgres other = TestPostgres.start(major)) {
            create(other);

            var report = ChanukaWorkload.run(
                    () -> other.connect("chanuka"), PLAN.transactions(TRANSACTIONS), new Cancellation());

            assertThat(report.transactions()).isEqualTo(TRANSACTIONS);
        }
    }

    @Test
    void writes_leave_their_rows() throws SQLException {
        var plan = PLAN.kinds(Set.of(ChanukaTransaction.RECORD_EVENT, ChanukaTransaction.CHANGE_BILL_STATUS))
                .transactions(500);
        long events = number("SELECT count(*) FROM engagement_events");
        long changes = number("SELECT count(*) FROM bill_status_history");

        var counts = run(plan).counts();

        assertThat(number("SELECT count(*) FROM engagement_events"))
                .isEqualTo(events + counts.get(ChanukaTransaction.RECORD_EVENT));
        assertThat(number("SELECT count(*) FROM bill_status_history"))
                .isEqualTo(changes + counts.get(ChanukaTransaction.CHANGE_BILL_STATUS));
    }

    @Test
    void reads_need_only_select_and_writes_are_refused_to_a_reader() {
        server.execute(
                "chanuka",
                "CREATE ROLE reader LOGIN PASSWORD 'only for this test'",
                "GRANT USAGE ON SCHEMA chanuka TO reader",
                "GRANT SELECT ON ALL TABLES IN SCHEMA chanuka TO reader");
        ChanukaWorkload.Connections reader =
                () -> DriverManager.getConnection(server.url("chanuka"), "reader", "only for this test");

        var report = ChanukaWorkload.run(reader, WorkloadPlan.reads().transactions(TRANSACTIONS), new Cancellation());

        assertThat(report.transactions()).isEqualTo(TRANSACTIONS);
        assertThatThrownBy(() ->
                        ChanukaWorkload.run(reader, PLAN.kinds(Set.of(ChanukaTransaction.VISIT)), new Cancellation()))
                .hasMessageContaining("permission denied for table users")
                .asInstanceOf(type(NightshiftException.class))
                .extracting(NightshiftException::kind)
                .isEqualTo(FailureKind.CONFIGURATION);
    }

    @Test
    void waits_for_no_lock_that_a_backup_or_vacuum_or_concurrent_index_build_holds() throws SQLException {
        try (Connection maintenance = server.connect("chanuka")) {
            maintenance.setAutoCommit(false);
            lock(maintenance, "ACCESS SHARE");
            lock(maintenance, "SHARE UPDATE EXCLUSIVE");

            var report =
                    ChanukaWorkload.run(() -> impatient("2s"), PLAN.transactions(TRANSACTIONS), new Cancellation());

            assertThat(report.transactions()).isEqualTo(TRANSACTIONS);
        }
    }

    @Test
    void waits_for_a_lock_against_writers() throws SQLException {
        try (Connection maintenance = server.connect("chanuka")) {
            maintenance.setAutoCommit(false);
            lock(maintenance, "SHARE");

            assertThatThrownBy(() -> ChanukaWorkload.run(() -> impatient("100ms"), PLAN, new Cancellation()))
                    .hasMessageContaining("canceling statement due to lock timeout")
                    .asInstanceOf(type(NightshiftException.class))
                    .extracting(NightshiftException::kind)
                    .isEqualTo(FailureKind.REFUSED);
        }
    }

    @Test
    void goes_on_until_it_is_stopped() {
        try (var workload = ChanukaWorkload.start(ChanukaWorkloadTest::connect, PLAN)) {
            await().atMost(PATIENCE).until(() -> workload.report().transactions() > 100);
            assertThat(workload.isRunning()).isTrue();

            var report = workload.stop();

            assertThat(report.transactions()).isGreaterThan(100);
            assertThat(workload.isRunning()).isFalse();
        }
    }

    @Test
    void ends_when_it_is_cancelled_even_while_the_next_transaction_is_not_due() {
        var cancellation = new Cancellation();
        var plan = PLAN.transactionsPerSecond(0.0001);
        var run = CompletableFuture.supplyAsync(
                () -> ChanukaWorkload.run(ChanukaWorkloadTest::connect, plan, cancellation));

        cancellation.cancel("stopped by the test");

        assertThat(run.join().transactions()).isLessThanOrEqualTo(1);
    }

    @Test
    void ends_after_its_duration() {
        var plan = PLAN.duration(Duration.ofMillis(200));

        var report = run(plan);

        assertThat(report.elapsed()).isGreaterThanOrEqualTo(Duration.ofMillis(200));
    }

    @Test
    void an_open_loop_runs_nothing_before_it_is_due() {
        var plan = PLAN.transactions(41).transactionsPerSecond(200);

        var report = run(plan);

        assertThat(report.transactions()).isEqualTo(41);
        assertThat(report.elapsed()).isGreaterThanOrEqualTo(Duration.ofMillis(200));
    }

    @Test
    void closing_cuts_off_a_transaction_that_does_not_end() throws SQLException {
        try (Connection blocker = server.connect("chanuka")) {
            blocker.setAutoCommit(false);
            lock(blocker, "SHARE");
            var workload = ChanukaWorkload.start(
                    ChanukaWorkloadTest::connect, PLAN.connections(1).kinds(Set.of(ChanukaTransaction.VISIT)));

            workload.close(Duration.ofMillis(100));

            await().atMost(PATIENCE).until(() -> !workload.isRunning());
            assertThat(workload.report().transactions()).isZero();
        }
    }

    @Test
    void a_lost_server_ends_it_and_every_confirmed_write_is_there_afterwards() throws SQLException {
        try (TestPostgres doomed = TestPostgres.start(18)) {
            create(doomed);
            doomed.restart(Map.of("fsync", "on"));
            try (var workload = ChanukaWorkload.start(() -> doomed.connect("chanuka"), PLAN.withCommitLog())) {
                await().atMost(PATIENCE).until(() -> workload.commits().size() > 50);

                doomed.kill();

                assertThatThrownBy(workload::await)
                        .hasMessageStartingWith("Chanuka workload: ")
                        .asInstanceOf(type(NightshiftException.class))
                        .extracting(NightshiftException::kind)
                        .isEqualTo(FailureKind.POSTGRES_UNAVAILABLE);
                doomed.restart();
                Set<Long> present = idsOfLog(doomed);
                Set<Long> confirmed =
                        workload.commits().stream().map(LoggedCommit::id).collect(toSet());
                assertThat(present).containsAll(confirmed);
                assertThat(present.size() - confirmed.size()).isBetween(0, PLAN.connections());
            }
        }
    }

    @Test
    void logs_each_write_with_wal_locations_around_its_commit() throws SQLException {
        server.execute("chanuka", "TRUNCATE commit_log");
        Lsn start = insertLsn();

        try (var workload = ChanukaWorkload.start(
                ChanukaWorkloadTest::connect, PLAN.transactions(TRANSACTIONS).withCommitLog())) {
            var report = workload.await();

            List<LoggedCommit> commits = workload.commits();
            Map<ChanukaTransaction, Long> byKind = new EnumMap<>(ChanukaTransaction.class);
            commits.forEach(commit -> byKind.merge(commit.kind(), 1L, Long::sum));
            assertThat(commits).hasSize(Math.toIntExact(report.writes()));
            assertThat(report.counts()).containsAllEntriesOf(byKind);
            assertThat(idsOfLog(server))
                    .isEqualTo(commits.stream().map(LoggedCommit::id).collect(toSet()));
            assertThat(commits)
                    .allMatch(commit ->
                            start.isBefore(commit.before()) && commit.before().isBefore(commit.after()));
        }
    }

    @Test
    void without_a_sample_there_is_nothing_to_work_on() {
        assertThatThrownBy(() -> ChanukaWorkload.start(() -> server.connect("postgres"), PLAN))
                .hasMessageStartingWith("start of the Chanuka workload: relation \"chanuka.users\" does not exist")
                .asInstanceOf(type(NightshiftException.class))
                .extracting(NightshiftException::kind)
                .isEqualTo(FailureKind.CONFIGURATION);
    }

    @Test
    void refuses_a_plan_that_makes_no_sense() {
        assertThatThrownBy(() -> PLAN.connections(0)).hasMessage("connections of the Chanuka workload is 0");
        assertThatThrownBy(() -> PLAN.transactions(0)).hasMessage("transactions of the Chanuka workload is 0");
        assertThatThrownBy(() -> PLAN.duration(Duration.ZERO)).hasMessage("duration of the Chanuka workload is PT0S");
        assertThatThrownBy(() -> PLAN.transactionsPerSecond(-1))
                .hasMessage("transactions per second of the Chanuka workload is -1.0");
        assertThatThrownBy(() -> PLAN.kinds(Set.of())).hasMessage("kinds of the Chanuka workload is []");
    }

    private static WorkloadReport run(WorkloadPlan plan) {
        return ChanukaWorkload.run(ChanukaWorkloadTest::connect, plan, new Cancellation());
    }

    private static Connection connect() throws SQLException {
        return server.connect("chanuka");
    }

    private static Connection impatient(String limit) throws SQLException {
        Connection connection = connect();
        try (Statement statement = connection.createStatement()) {
            statement.execute("SET lock_timeout = '" + limit + "'");
        }
        return connection;
    }

    private static void create(TestPostgres server) throws SQLException {
        server.execute("postgres", "CREATE DATABASE chanuka");
        try (Connection connection = server.connect("chanuka")) {
            new ChanukaSample().create(connection, SMALL, new Progress());
        }
    }

    private static void lock(Connection connection, String mode) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("""
                    DO $$
                    DECLARE
                        name text;
                    BEGIN
                        FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'chanuka' LOOP
                            EXECUTE format('LOCK TABLE chanuka.%%I IN %s MODE', name);
                        END LOOP;
                    END $$""".formatted(mode));
        }
    }

    private static Lsn insertLsn() throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT pg_current_wal_insert_lsn()::text")) {
            row.next();
            return Lsn.parse(row.getString(1));
        }
    }

    private static Set<Long> idsOfLog(TestPostgres server) throws SQLException {
        try (Connection connection = server.connect("chanuka");
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT id FROM commit_log")) {
            Set<Long> ids = new HashSet<>();
            while (rows.next()) {
                ids.add(rows.getLong(1));
            }
            return ids;
        }
    }

    private static long number(String sql) throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getLong(1);
        }
    }
}
