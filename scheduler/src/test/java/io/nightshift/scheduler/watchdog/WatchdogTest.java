package io.nightshift.scheduler.watchdog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.nightshift.infra.config.DeadManSettings;
import io.nightshift.infra.config.Secret;
import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Installation;
import io.nightshift.scheduler.Nightshift;
import io.nightshift.scheduler.NightshiftParts;
import io.nightshift.scheduler.launch.ScheduleClock;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/** A node that serves, things broken behind its back, and what its watchdog makes of them. */
class WatchdogTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private static Installation installation;
    private static ControlDatabase database;
    private static Nightshift nightshift;
    private static Watchdog watchdog;
    private static Conditions conditions;

    @BeforeAll
    static void serve() {
        installation = Installation.withOwnControlDatabase().write("jobs/yearly.yaml", """
                        type: rehearsal
                        cluster: stage
                        schedule: {cron: "0 1 1 1 *"}
                        expect: {success-within: 30d, progress-within: 10m}
                        """);
        database = installation.controlDatabase();
        nightshift = installation.serving(database);
        watchdog = NightshiftParts.of(nightshift, Watchdog.class);
        conditions = new Conditions(database.pool());
        await().atMost(LIMIT)
                .until(() -> Installation.sql(database)
                        .sql("SELECT EXISTS (SELECT FROM schedule_cursor)")
                        .query(Boolean.class)
                        .single());
    }

    @AfterAll
    static void close() {
        nightshift.close();
        database.close();
        installation.close();
    }

    private static int sql(String statement) {
        return Installation.sql(database).sql(statement).update();
    }

    private static List<ConditionKind> wrong() {
        return watchdog.look().conditions().stream().map(Condition::kind).toList();
    }

    /** Of all that there ever was. */
    private static Conditions.Lasting newest(ConditionKind kind) {
        return conditions.since(Instant.EPOCH).stream()
                .filter(lasting -> lasting.condition().kind() == kind)
                .findFirst()
                .orElseThrow();
    }

    private static void account() {
        NightshiftParts.of(nightshift, ScheduleClock.class).accountForAll();
    }

    @Test
    void sees_that_a_trigger_is_gone_until_it_is_armed_again() {
        List<ConditionKind> healthy = wrong();
        sql("DELETE FROM qrtz_simple_triggers WHERE sched_name = 'clock'");
        sql("DELETE FROM qrtz_triggers WHERE sched_name = 'clock'");

        List<ConditionKind> broken = wrong();
        account();
        List<ConditionKind> mended = wrong();

        assertThat(healthy).isEmpty();
        assertThat(broken).containsExactly(ConditionKind.TRIGGER_MISSING);
        assertThat(mended).isEmpty();
        assertThat(newest(ConditionKind.TRIGGER_MISSING).endedAt()).isNotNull();
    }

    @Test
    void takes_a_trigger_away_that_quartz_will_never_fire() {
        account();
        sql("""
                UPDATE qrtz_triggers
                SET trigger_state = 'ACQUIRED',
                    next_fire_time = extract(epoch FROM clock_timestamp() - interval '1 hour')::bigint * 1000
                WHERE sched_name = 'clock'
                """);

        wrong();
        boolean taken = Installation.sql(database)
                .sql("SELECT NOT EXISTS (SELECT FROM qrtz_triggers WHERE trigger_state = 'ACQUIRED')")
                .query(Boolean.class)
                .single();
        account();

        assertThat(taken).isTrue();
        assertThat(newest(ConditionKind.TRIGGER_STUCK).condition().detail()).startsWith("state ACQUIRED, due ");
        assertThat(wrong()).isEmpty();
        assertThat(Installation.sql(database)
                        .sql("SELECT trigger_state FROM qrtz_triggers WHERE sched_name = 'clock'")
                        .query(String.class)
                        .list())
                .containsExactly("WAITING");
    }

    @Test
    void sees_a_run_that_stands_still_once_for_as_long_as_it_does_and_tells_it_everywhere() throws Exception {
        sql("INSERT INTO node (name, host, pid, home, serves) VALUES ('elsewhere', 'far', 1, '/', true)");
        sql("""
                WITH stopped AS (
                    INSERT INTO run (job, job_type, cluster, cause, actor, settings, state, started_at, progressed_at)
                    VALUES ('yearly', 'rehearsal', 'stage', 'request', 'ann', '{}', 'running',
                            clock_timestamp() - interval '1 hour', clock_timestamp() - interval '20 minutes')
                    RETURNING id)
                INSERT INTO lease (name, owner, token)
                SELECT 'run/' || stopped.id, 'elsewhere', nextval('lease_token') FROM stopped
                """);

        List<ConditionKind> first = wrong();
        Instant began = newest(ConditionKind.STUCK).beganAt();
        List<ConditionKind> second = wrong();
        Conditions.Lasting lasting = newest(ConditionKind.STUCK);
        String health = get("/actuator/health");
        String metrics = get("/actuator/prometheus");
        sql("DELETE FROM lease");
        sql("DELETE FROM node WHERE name = 'elsewhere'");
        sql("DELETE FROM attempt");
        sql("DELETE FROM condition WHERE run IS NOT NULL");
        sql("DELETE FROM run WHERE job = 'yearly'");

        assertThat(first).containsExactly(ConditionKind.STUCK);
        assertThat(second).containsExactly(ConditionKind.STUCK);
        assertThat(lasting.beganAt()).isEqualTo(began);
        assertThat(lasting.endedAt()).isNull();
        assertThat(lasting.condition().detail()).isEqualTo("no progress for 20m; expected within 10m");
        assertThat(health).contains("\"status\":\"UP\"").contains("no progress for 20m");
        assertThat(metrics).contains("nightshift_conditions_open{kind=\"stuck\"} 1.0");
    }

    private static String get(String path) throws IOException, InterruptedException {
        URI address = URI.create("http://127.0.0.1:" + nightshift.httpPort() + path);
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(address).build(), HttpResponse.BodyHandlers.ofString())
                .body();
    }

    @Test
    void ends_what_another_node_saw_of_itself_only_with_that_node() {
        sql("INSERT INTO node (name, host, pid, home, serves) VALUES ('far', 'far', 1, '/', true)");
        Condition skewed = new Condition(
                Conditions.keyOfNode("far", "clock-skew"),
                ConditionKind.CLOCK,
                null,
                null,
                null,
                io.nightshift.infra.run.Severity.ERROR,
                "Nightshift node far",
                "its clock is 1m behind",
                "timedatectl status");
        new TransactionTemplate(new JdbcTransactionManager(database.pool())).executeWithoutResult(status -> {
            Conditions ofFar = new Conditions(database.pool());
            ofFar.lock();
            ofFar.record(List.of(skewed), "far", Instant.EPOCH);
        });

        watchdog.look();
        boolean lastsWithTheNode = newest(ConditionKind.CLOCK).endedAt() == null;
        sql("DELETE FROM node WHERE name = 'far'");
        watchdog.look();

        assertThat(lastsWithTheNode).isTrue();
        assertThat(newest(ConditionKind.CLOCK).endedAt()).isNotNull();
    }

    @Test
    void pings_a_monitor_only_while_the_node_does_its_work() throws Exception {
        AtomicInteger pings = new AtomicInteger();
        AtomicInteger answer = new AtomicInteger(200);
        HttpServer monitor = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        monitor.createContext("/alive", exchange -> {
            pings.incrementAndGet();
            exchange.sendResponseHeaders(answer.get(), -1);
            exchange.close();
        });
        monitor.start();
        var deadMan = new DeadMan(new DeadManSettings(
                new Secret("http://127.0.0.1:" + monitor.getAddress().getPort() + "/alive"), Duration.ofMinutes(1)));

        deadMan.ping(Optional.of("the watchdog has not looked yet"));
        int whileStanding = pings.get();
        deadMan.ping(Optional.empty());
        String whileHeard = deadMan.failure();
        answer.set(503);
        deadMan.ping(Optional.empty());
        String whileRefused = deadMan.failure();
        monitor.stop(0);
        deadMan.ping(Optional.empty());
        String whileAway = deadMan.failure();

        assertThat(whileStanding).isZero();
        assertThat(pings).hasValue(2);
        assertThat(whileHeard).isNull();
        assertThat(whileRefused).isEqualTo("127.0.0.1 answers HTTP 503");
        assertThat(whileAway).startsWith("127.0.0.1 does not answer: ConnectException");
    }

    @Test
    void knows_whether_its_node_does_its_work() {
        Turning turning = new Turning(System::nanoTime);

        Optional<String> before = turning.whyNot();
        watchdog.look();

        assertThat(before).contains("the watchdog has not looked yet");
        assertThat(watchdog.whyNotTurning()).isEmpty();
    }
}
