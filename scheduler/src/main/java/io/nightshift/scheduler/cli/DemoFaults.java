package io.nightshift.scheduler.cli;

import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.server.SharedServer;
import io.nightshift.scheduler.DemoCluster;
import io.nightshift.scheduler.Surroundings;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/**
 * Faults in the cluster demo for integrity validation to find: two pages that are not what was written, and rows that come
 * about where triggers were off, an index had lost its meaning or a constraint was believed unread.
 */
final class DemoFaults {

    private static final int BLOCK_SIZE = 8192;
    private static final int DAMAGED_BLOCK = 1;
    /** From the end of the page, where its first rows are. */
    private static final int DAMAGED_BYTES = 200;

    /** Relations of which a page is damaged. */
    private static final List<String> DAMAGED = List.of("chanuka.bill_status_history", "chanuka.users_county_idx");

    private static final String ARE_PLANTED = "SELECT EXISTS (SELECT FROM chanuka.bill_follows WHERE bill_id = 0)";

    /** What is planted, and what the report calls it. */
    record Fault(String object, String what) {}

    private static final List<Fault> FAULTS = List.of(
            new Fault("chanuka.bill_status_history", "block " + DAMAGED_BLOCK + " of the table changed on disk"),
            new Fault("chanuka.users_county_idx", "block " + DAMAGED_BLOCK + " of the index changed on disk"),
            new Fault("chanuka.bill_follows", "somebody follows bill 0, which is not there"),
            new Fault("chanuka.tags", "two tags share a slug that is unique, and another slug breaks its constraint"),
            new Fault("chanuka.notifications", "triggers are off, those of its foreign keys among them"));

    private static final List<String> STATEMENTS = List.of(
            "SET search_path = chanuka",
            "BEGIN",
            "ALTER TABLE tags DROP CONSTRAINT tags_slug_check",
            "INSERT INTO tags (slug, name) VALUES ('Shouting', 'in capitals')",
            "ALTER TABLE tags ADD CONSTRAINT tags_slug_check CHECK (slug = lower(slug)) NOT VALID",
            "UPDATE pg_constraint SET convalidated = true WHERE conname = 'tags_slug_check'",
            "UPDATE pg_index SET indisunique = false WHERE indexrelid = 'tags_slug_key'::regclass",
            "COMMIT",
            "BEGIN",
            "INSERT INTO tags (slug, name) SELECT slug, 'once more' FROM tags WHERE slug <> 'Shouting' ORDER BY id LIMIT 1",
            "UPDATE pg_index SET indisunique = true WHERE indexrelid = 'tags_slug_key'::regclass",
            "ALTER TABLE notifications DISABLE TRIGGER ALL",
            "SET LOCAL session_replication_role = replica",
            // The last one: it says that all are there.
            "INSERT INTO bill_follows (user_id, bill_id) SELECT id, 0 FROM users ORDER BY id LIMIT 1",
            "COMMIT");

    private DemoFaults() {}

    /** Plants them; the server is stopped and started. REFUSED if it is in use, has no sample data or has them already. */
    static List<Fault> plant(Surroundings surroundings) {
        Path cluster = surroundings.home().demoCluster();
        if (!SharedServer.exists(cluster)) {
            throw nothingThere();
        }
        try {
            damage(cluster, damagedFiles(surroundings));
            try (DemoCluster demo = DemoCluster.join(surroundings);
                    Connection connection = demo.connect();
                    Statement statement = connection.createStatement()) {
                for (String sql : STATEMENTS) {
                    statement.execute(sql);
                }
            }
        } catch (SQLException e) {
            throw SqlStates.failure("faults not planted in cluster " + DemoCluster.NAME, e);
        } catch (IOException e) {
            throw new NightshiftException(
                    FailureKind.RESOURCES_EXHAUSTED,
                    "faults not planted in " + cluster + ": " + e.getMessage(),
                    null,
                    e);
        }
        return FAULTS;
    }

    private static NightshiftException nothingThere() {
        return new NightshiftException(
                FailureKind.REFUSED,
                "there is no cluster " + DemoCluster.NAME + " with sample data in this home",
                "make it: nightshift demo");
    }

    private static List<Path> damagedFiles(Surroundings surroundings) throws SQLException {
        try (DemoCluster demo = DemoCluster.join(surroundings)) {
            if (!demo.isFilled()) {
                throw nothingThere();
            }
            try (Connection connection = demo.connect();
                    Statement statement = connection.createStatement()) {
                if (answer(statement, ARE_PLANTED).equals("t")) {
                    throw new NightshiftException(
                            FailureKind.REFUSED,
                            "the faults are in cluster " + DemoCluster.NAME + " already",
                            "throw them away: nightshift demo --reset");
                }
                List<Path> files = new ArrayList<>();
                for (String relation : DAMAGED) {
                    files.add(demo.server()
                            .dataDirectory()
                            .resolve(answer(statement, "SELECT pg_relation_filepath('" + relation + "')")));
                }
                return files;
            }
        }
    }

    private static String answer(Statement statement, String sql) throws SQLException {
        try (ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    /** No server has these pages in memory meanwhile. */
    @SuppressWarnings("try") // the claim is held, not used
    private static void damage(Path cluster, List<Path> files) throws IOException {
        try (SharedServer.Unused unused = SharedServer.claimUnused(cluster)) {
            for (Path file : files) {
                try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                    channel.write(
                            ByteBuffer.wrap("planted by nightshift demo".getBytes(StandardCharsets.US_ASCII)),
                            (long) (DAMAGED_BLOCK + 1) * BLOCK_SIZE - DAMAGED_BYTES);
                    channel.force(true);
                }
            }
        }
    }
}
