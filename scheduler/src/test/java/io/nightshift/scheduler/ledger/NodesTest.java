package io.nightshift.scheduler.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.scheduler.ControlDatabase;
import io.nightshift.scheduler.Installation;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class NodesTest {

    private static final Duration SILENCE = Duration.ofSeconds(2);

    private static Installation installation;
    private static ControlDatabase database;

    private final NightshiftNode observer = NightshiftNode.thisProcess(installation.home());
    private final Nodes nodes = new Nodes(database.pool(), new NodeLocks(observer), SILENCE);

    @BeforeAll
    static void open() {
        installation = Installation.withOwnControlDatabase();
        database = installation.controlDatabase();
    }

    @AfterAll
    static void close() {
        database.close();
        installation.close();
    }

    @BeforeEach
    void nobodyIsThere() {
        Installation.sql(database).sql("DELETE FROM lease").update();
        Installation.sql(database).sql("DELETE FROM node").update();
    }

    private static NightshiftNode elsewhere(String name) {
        return new NightshiftNode(name, "another-host", 17, Path.of("/elsewhere"));
    }

    @Test
    void counts_a_node_as_dead_only_after_an_unbroken_watch_over_its_silence() {
        nodes.enter(elsewhere("silent"), true);
        Instant began = Instant.now();

        await().pollInterval(Duration.ofMillis(100)).until(() -> nodes.isDead("silent"));

        assertThat(Duration.between(began, Instant.now())).isGreaterThanOrEqualTo(SILENCE.minusMillis(1));
    }

    @Test
    void begins_the_watch_anew_after_a_beat() {
        nodes.enter(elsewhere("alive"), true);
        Instant until = Instant.now().plus(SILENCE.multipliedBy(2));

        await().pollInterval(Duration.ofMillis(100)).until(() -> {
            nodes.beat(elsewhere("alive"), true);
            assertThat(nodes.isDead("alive")).isFalse();
            return Instant.now().isAfter(until);
        });
    }

    @Test
    void counts_nobody_as_dead_when_it_did_not_look_in_between() {
        nodes.enter(elsewhere("unwatched"), true);
        nodes.isDead("unwatched");
        Instant later = Instant.now().plus(SILENCE).plusMillis(100);

        await().until(() -> Instant.now().isAfter(later));

        assertThat(nodes.isDead("unwatched")).isFalse();
    }

    @Test
    void does_not_believe_the_time_that_a_skewed_clock_wrote() {
        nodes.enter(elsewhere("skewed"), true);
        Installation.sql(database)
                .sql(
                        "UPDATE node SET beaten_at = beaten_at - interval '1 day', started_at = started_at - interval '1 day'")
                .update();

        assertThat(nodes.isDead("skewed")).isFalse();
    }

    @Test
    void knows_at_once_that_a_process_of_the_same_home_has_let_its_lock_go() throws Exception {
        var another = new NightshiftNode("another", observer.host(), 18, installation.home());
        var locks = new NodeLocks(another);
        locks.hold();
        nodes.enter(another, false);

        boolean deadWhileHeld = nodes.isDead("another");
        locks.release();

        assertThat(deadWhileHeld).isFalse();
        assertThat(nodes.isDead("another")).isTrue();
    }

    @Test
    void never_takes_itself_for_dead_while_it_holds_its_lock() {
        var locks = new NodeLocks(observer);
        locks.hold();
        nodes.enter(observer, true);

        boolean dead = nodes.isDead(observer.name());
        nodes.forgetTheDead();

        assertThat(dead).isFalse();
        assertThat(nodes.someoneServes()).isTrue();
        assertThat(installation.home().resolve("nodes").resolve(observer.name()))
                .exists();
        locks.release();
    }

    @Test
    void forgets_rows_and_lock_files_of_the_dead_but_not_while_they_own_something() throws Exception {
        Path lockFile = installation.home().resolve("nodes").resolve("dead");
        Files.createDirectories(lockFile.getParent());
        Files.createFile(lockFile);
        nodes.enter(new NightshiftNode("dead", observer.host(), 19, installation.home()), true);
        Installation.sql(database)
                .sql("INSERT INTO lease (name, owner, token) VALUES ('run/1', 'dead', 1)")
                .update();
        nodes.forgetTheDead();
        boolean keptAsOwner = names().contains("dead");

        Installation.sql(database).sql("DELETE FROM lease").update();
        nodes.forgetTheDead();

        assertThat(keptAsOwner).isTrue();
        assertThat(names()).isEmpty();
        assertThat(lockFile).doesNotExist();
    }

    @Test
    void enters_again_when_it_was_taken_for_dead_although_it_lives() {
        nodes.enter(elsewhere("frozen"), true);
        Installation.sql(database).sql("DELETE FROM node").update();
        boolean deadMeanwhile = nodes.isDead("frozen");

        nodes.beat(elsewhere("frozen"), true);

        assertThat(deadMeanwhile).isTrue();
        assertThat(nodes.isDead("frozen")).isFalse();
    }

    private static java.util.List<String> names() {
        return Installation.sql(database)
                .sql("SELECT name FROM node")
                .query(String.class)
                .list();
    }
}
