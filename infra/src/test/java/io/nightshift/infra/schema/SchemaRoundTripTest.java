package io.nightshift.infra.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.TestPostgres;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Schemas of real servers, changed at random and mended. */
class SchemaRoundTripTest {

    /** A server with two databases, and the sessions in which they are read and changed. */
    private record Server(TestPostgres postgres, Connection reading, Connection writing) implements AutoCloseable {

        static Server start(int major) {
            TestPostgres postgres = TestPostgres.start(major);
            postgres.execute("postgres", "CREATE ROLE clerk", "CREATE ROLE auditor", "CREATE DATABASE shop");
            postgres.execute("shop", OddSchema.STATEMENTS.toArray(String[]::new));
            try {
                return new Server(postgres, postgres.connect("shop"), postgres.connect("shop"));
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }

        Schema read() {
            return SchemaRoundTripTest.read(reading);
        }

        /** Returns what is there then. */
        Schema mend(Schema expected, Schema before, String what) {
            return SchemaRoundTripTest.mend(reading, writing, expected, before, what);
        }

        void fill() {
            postgres.execute("shop", OddSchema.ROWS.toArray(String[]::new));
        }

        @Override
        public void close() {
            try (Connection first = reading;
                    Connection second = writing) {
                assertThat(first).isNotSameAs(second);
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            } finally {
                postgres.close();
            }
        }
    }

    /** 22: a value is not of the type; 23: a constraint is violated. */
    private static final Pattern REFUSED_VALUES = Pattern.compile("2[23].*");

    private static int mended;
    private static int refused;

    private static Server oldest;
    private static Server newest;

    @BeforeAll
    static void start() {
        oldest = Server.start(15);
        newest = Server.start(18);
    }

    @AfterAll
    static void stop() {
        oldest.close();
        newest.close();
    }

    private static Schema read(Connection session) {
        try {
            return SchemaReader.read(session, Duration.ofSeconds(30), new Cancellation());
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<String> differences(Schema expected, Schema actual) {
        return SchemaComparison.of(expected, actual).differences().stream()
                .filter(difference -> !difference.isInformation())
                .map(difference -> difference.word() + " " + difference.object() + ": " + difference.expected() + " / "
                        + difference.actual())
                .toList();
    }

    /** Values of columns that are there before and after, where nothing was said of them, are the same. */
    private static Schema mend(Connection reading, Connection writing, Schema expected, Schema before, String what) {
        List<String> run = new ArrayList<>();
        Schema now = before;
        List<String> left;
        int passes = 0;
        do {
            String script = SchemaComparison.of(expected, now).script();
            run.add(script);
            run(reading, writing, script, now, what);
            now = read(reading);
            left = differences(expected, now);
            passes++;
            // What a table has by itself that is detached or attached is seen when that is done.
        } while (!left.isEmpty() && passes < 2 && run.stream().anyMatch(SchemaRoundTripTest::isTie));
        assertThat(left).as("%s, after%n%s", what, String.join(";\n", run)).isEmpty();
        return now;
    }

    private static boolean isTie(String sql) {
        return sql.contains("TACH PARTITION") || sql.contains("INHERIT ");
    }

    private static void run(Connection reading, Connection writing, String script, Schema now, String what) {
        try (Statement statement = writing.createStatement()) {
            statement.setEscapeProcessing(false);
            StoredValues before = StoredValues.read(writing);
            try {
                execute(statement, script);
                before.lostIn(StoredValues.read(writing), script)
                        .forEach(lost -> fail("%s is lost in silence%n%s, by%n%s", lost, what, script));
                mended++;
            } catch (SQLException e) {
                if (!REFUSED_VALUES.matcher(e.getSQLState()).matches()) {
                    fail("%s%n%s, of%n%s", e.getMessage(), what, script);
                }
                // Rows do not fit: then all is as it was.
                statement.execute("ROLLBACK");
                assertThat(differences(now, read(reading))).as(what).isEmpty();
                assertThat(before.lostIn(StoredValues.read(writing), ""))
                        .as(what)
                        .isEmpty();
                StoredValues.delete(writing);
                execute(statement, script);
                refused++;
            }
        } catch (SQLException e) {
            throw new IllegalStateException(what + "\n" + script, e);
        }
    }

    private static void execute(Statement statement, String script) throws SQLException {
        // What is sent at once is one transaction; psql sends each statement by itself.
        for (String part : script.replaceAll("(?m)^\\\\(set|warn) .*", "").split("(?=BEGIN;)", -1)) {
            statement.execute(part);
        }
    }

    @Test
    void two_versions_of_PostgreSQL_have_the_same_schema() {
        Schema old = oldest.read();
        Schema young = newest.read();

        assertThat(differences(old, young)).isEmpty();
        assertThat(young.fingerprint()).isEqualTo(old.fingerprint());
        assertThat(young.size()).isGreaterThan(150);
    }

    @Test
    void what_is_made_by_the_statements_for_all_of_it_is_the_same() throws SQLException {
        for (Server server : Effort.number() > 1 ? List.of(newest, oldest) : List.of(newest)) {
            server.postgres().execute("postgres", "CREATE DATABASE made_anew");
            Schema expected = server.read();
            try (Connection reading = server.postgres().connect("made_anew");
                    Connection writing = server.postgres().connect("made_anew")) {
                Schema made = mend(reading, writing, expected, read(reading), "made anew");

                assertThat(made.fingerprint()).isEqualTo(expected.fingerprint());
            }
        }
    }

    @Test
    void random_changes_are_mended_and_the_mended_is_changed_back() {
        round(newest, Effort.of(2, 1000));
        round(oldest, Effort.of(1, 1000));

        assertThat(mended).isGreaterThan(refused);
    }

    private static void round(Server server, int rounds) {
        Schema base = server.read();
        Schema now = base;
        for (int seed = 0; seed < rounds; seed++) {
            server.fill();
            List<String> applied = change(server, new Random(seed));
            String what = "seed " + seed + " " + applied;
            Schema changed = server.read();

            now = server.mend(base, changed, "to the base from " + what);
            now = server.mend(changed, now, "from the base to " + what);
            now = server.mend(base, now, "back to the base from " + what);
        }
    }

    private static List<String> change(Server server, Random random) {
        List<String> applied = new ArrayList<>();
        try (Statement statement = server.writing().createStatement()) {
            int changes = 1 + random.nextInt(8);
            while (applied.size() < changes) {
                String sql = OddSchema.CHANGES.get(random.nextInt(OddSchema.CHANGES.size()));
                try {
                    statement.execute(sql);
                    applied.add(sql);
                } catch (SQLException cannotNow) {
                    changes--;
                }
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        return applied;
    }
}
