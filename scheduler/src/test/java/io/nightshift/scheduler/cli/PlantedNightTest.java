package io.nightshift.scheduler.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.run.Progress;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.scheduler.DemoCluster;
import io.nightshift.scheduler.Home;
import io.nightshift.scheduler.Installation;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** Nights of the cluster demo: what is planted in it is found, and told again as long as it is there. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class PlantedNightTest {

    private static Installation installation;

    private record Answer(int exitStatus, String out, String err) {}

    @BeforeAll
    static void make() {
        installation = Installation.embedded();
        Home home = new Home(installation.home());
        TestPostgres.initialised(home.controlDatabase());
    }

    @AfterAll
    static void remove() {
        installation.close();
    }

    private static Answer nightshift(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] all = Stream.concat(
                        Stream.of(
                                "--home",
                                installation.home().toString(),
                                "--config",
                                installation.configuration().toString()),
                        Stream.of(arguments))
                .toArray(String[]::new);
        int status = CommandLineOfNightshift.run(all, new PrintWriter(out, true), new PrintWriter(err, true), Map.of());
        return new Answer(status, out.toString(), err.toString());
    }

    private static void mend(String... statements) throws SQLException {
        try (DemoCluster demo = DemoCluster.join(installation.surroundings());
                Connection connection = demo.connect();
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    @Test
    @Order(1) // it begins without a cluster
    void planted_faults_are_found_by_name_and_the_next_night_says_which_are_still_there_and_which_are_not()
            throws Exception {
        Answer nothing = nightshift("demo", "--faults");
        TestPostgres.initialised(new Home(installation.home()).demoCluster());
        Answer empty = nightshift("demo", "--faults");
        try (DemoCluster demo = DemoCluster.join(installation.surroundings())) {
            demo.fill(0.02, new Progress());
        }
        Answer both = nightshift("demo", "--faults", "--reset");
        Answer used;
        try (DemoCluster demo = DemoCluster.join(installation.surroundings())) {
            demo.ensureRunning();
            used = nightshift("demo", "--faults");
        }
        Answer planted = nightshift("demo", "--faults");
        Answer again = nightshift("demo", "--faults");
        Answer first = nightshift("run", "integrity-validation", "--cluster", "demo");
        mend(
                "REINDEX INDEX chanuka.users_county_idx",
                "DELETE FROM chanuka.bill_follows WHERE bill_id = 0",
                "ALTER TABLE chanuka.notifications ENABLE TRIGGER ALL");
        Answer second = nightshift("run", "integrity-validation", "--cluster", "demo");

        assertThat(nothing.err())
                .contains("there is no cluster demo with sample data", "HINT: make it: nightshift demo");
        assertThat(empty.err()).contains("there is no cluster demo with sample data");
        assertThat(both.exitStatus()).isEqualTo(2);
        assertThat(used.exitStatus()).isEqualTo(4);
        assertThat(used.err()).contains("is in use");
        assertThat(planted.exitStatus()).as(planted.toString()).isZero();
        assertThat(again.err()).contains("the faults are in cluster demo already", "nightshift demo --reset");
        assertThat(first.exitStatus()).as(first.toString()).isEqualTo(3);
        assertThat(first.out())
                .contains(
                        "findings: 6 new",
                        "critical (new)  chanuka.chanuka.bill_status_history: invalid page in block 1 of ",
                        "critical (new)  chanuka.chanuka.users_county_idx: invalid page in block 1 of ",
                        "critical (new)  chanuka.chanuka.notifications: 4 triggers of constraints are off",
                        "error (new)  chanuka.chanuka.bill_follows.bill_follows_bill_id_fkey: user_id 1, bill_id 0 at ",
                        "bill_id 0 not in chanuka.bills (primary 127.0.0.1:",
                        "error (new)  chanuka.chanuka.tags_slug_key: slug ",
                        "error (new)  chanuka.chanuka.tags.tags_slug_check: id 97 at (0,97): not (slug = lower(slug))");
        assertThat(second.exitStatus()).as(second.toString()).isEqualTo(3);
        assertThat(second.out())
                .contains(
                        "findings: 1 new, 3 still, 3 resolved",
                        " pages read with a wrong checksum, the last at ",
                        "critical (still)  chanuka.chanuka.bill_status_history: ",
                        "error (still)  chanuka.chanuka.tags_slug_key: ",
                        "error (still)  chanuka.chanuka.tags.tags_slug_check: ",
                        "critical (resolved)  chanuka.chanuka.users_county_idx: ",
                        "critical (resolved)  chanuka.chanuka.notifications: ",
                        "error (resolved)  chanuka.chanuka.bill_follows.bill_follows_bill_id_fkey: ");
    }

    /** As many as make an index unused at full effort; at less effort also less data, and nothing is called unused. */
    @Test
    @Order(2)
    void after_weeks_on_a_moved_clock_index_analysis_names_what_is_planted_and_nothing_else() {
        int nights = Effort.of(2, 40);
        boolean areWeeks = nights > 36;

        Answer none = nightshift("demo", "--nights", "0");
        Answer both = nightshift("demo", "--nights", "2", "--faults");
        Answer played =
                nightshift("demo", "--reset", "--nights", Integer.toString(nights), "--scale", areWeeks ? "1" : "0.2");
        Answer again = nightshift("demo", "--nights", "1", "--scale", "0.2");

        assertThat(none.err()).contains("nights 0 is not accepted", "HINT: accepted: 1 to 400");
        assertThat(both.err()).contains("--nights and --faults do not go together");
        assertThat(played.exitStatus()).as(played.toString()).isZero();
        assertThat(played.err()).contains("night 1 of " + nights + ", ", "night " + nights + " of " + nights + ", ");
        assertThat(played.out())
                .contains(
                        nights + " nights on a moved clock, one a day; the last one is now",
                        "smallest-index           64kB",
                        "chanuka.chanuka.votes_bill_id_idx: has the keys (bill_id)",
                        "chanuka.chanuka.users_display_name_key: no query uses it: a CREATE");
        if (areWeeks) {
            assertThat(played.out())
                    .contains("chanuka.chanuka.users_county_idx: was used by no query in 35 nights")
                    .contains("1 unused, 1 redundant, 1 broken, 0 bloated, ")
                    .contains("missing  chanuka.chanuka.bills(topic, status, introduced_on) ");
        } else {
            assertThat(played.out())
                    .contains(
                            "0 unused, 1 redundant, 1 broken, 0 bloated, ",
                            " needs " + (36 - nights) + " more nights: what it uses is known since ");
        }
        assertThat(again.out()).contains(" needs 35 more nights: what it uses is known since ");
    }
}
