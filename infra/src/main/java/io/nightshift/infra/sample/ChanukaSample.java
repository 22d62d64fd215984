package io.nightshift.infra.sample;

import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Progress;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;

/**
 * The Chanuka sample in the schema {@code chanuka} of a database. At scale 1 about 150 MB with indexes; everything but
 * legislators and tags grows in proportion. Creation is one transaction: a creation that was killed leaves nothing.
 * Thread-safe.
 */
public final class ChanukaSample {

    public static final String SCHEMA = "chanuka";

    private static final long DEFAULT_SEED = 2026;
    private static final double LARGEST_SCALE = 1000;
    private static final List<String> SCRIPTS = List.of("schema.sql", "data.sql", "constraints.sql");

    private final long seed;

    public ChanukaSample() {
        this(DEFAULT_SEED);
    }

    /** @param seed another seed gives other rows, of the same number but for the outcome of chance */
    public ChanukaSample(long seed) {
        this.seed = seed;
    }

    /**
     * Creates the sample, with statistics, and makes its schema the first in the {@code search_path} of new sessions. Of two
     * creations at once the second waits and is then refused. Needs the database's owner.
     *
     * @param connection in auto-commit mode, which it has again afterwards
     * @param scale above 0, up to 1000
     * @throws NightshiftException REFUSED if the schema exists already; otherwise by what the server said
     */
    public void create(Connection connection, double scale, Progress progress) {
        requireScale(scale);
        try {
            OneTransaction.of(connection, () -> {
                begin(connection);
                for (String script : SCRIPTS) {
                    for (SqlScript.Step step : SqlScript.read(script, variables(scale))) {
                        progress.begin(step.name(), null, "rows");
                        run(connection, step.sql(), progress);
                    }
                }
                return true;
            });
            vacuum(connection, progress);
        } catch (SQLException refused) {
            throw SqlStates.failure("creation of the Chanuka sample", refused);
        }
    }

    /** Whether a whole sample is there, whatever its scale. Needs no right on the schema. */
    public boolean isPresent(Connection connection) {
        try (Statement statement = connection.createStatement();
                ResultSet found = statement.executeQuery("""
                        SELECT EXISTS (SELECT FROM pg_class
                                        WHERE relname = 'sample_info'
                                          AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'chanuka'))""")) {
            found.next();
            return found.getBoolean(1);
        } catch (SQLException refused) {
            throw SqlStates.failure("search for the Chanuka sample", refused);
        }
    }

    /**
     * What the sample holds at this moment, as one snapshot. Needs SELECT on its tables; works on a standby and beside the
     * workload.
     *
     * @param connection in auto-commit mode, which it has again afterwards
     */
    public ChanukaFingerprint fingerprint(Connection connection) {
        try {
            return OneTransaction.of(connection, () -> ChanukaFingerprint.take(connection));
        } catch (SQLException refused) {
            throw SqlStates.failure("fingerprint of the Chanuka sample", refused);
        }
    }

    private static void begin(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("""
                    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
                    SET LOCAL TimeZone = 'UTC';
                    SET LOCAL statement_timeout = 0;
                    SET LOCAL idle_in_transaction_session_timeout = 0;
                    SET LOCAL jit = off;
                    SELECT pg_advisory_xact_lock(hashtextextended('creation of the Chanuka sample', 0))""");
            try (ResultSet taken =
                    statement.executeQuery("SELECT current_database() FROM pg_namespace WHERE nspname = 'chanuka'")) {
                if (taken.next()) {
                    throw new NightshiftException(
                            FailureKind.REFUSED,
                            "database " + taken.getString(1) + " has a schema chanuka already",
                            "use it as it is, or create the sample in another database");
                }
            }
        }
    }

    private static void run(Connection connection, String sql, Progress progress) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            boolean rows = statement.execute(sql);
            while (rows || statement.getUpdateCount() >= 0) {
                progress.advance(Math.max(0, statement.getUpdateCount()));
                rows = statement.getMoreResults();
            }
        }
    }

    /** Freezes the new rows, so that the first readers need not write to their pages. */
    private static void vacuum(Connection connection, Progress progress) throws SQLException {
        progress.begin("vacuum", null, "rows");
        try (Statement statement = connection.createStatement()) {
            statement.execute("""
                    VACUUM (FREEZE) chanuka.users, chanuka.legislators, chanuka.tags, chanuka.bills, chanuka.bill_sponsors,
                        chanuka.bill_tags, chanuka.bill_status_history, chanuka.votes, chanuka.comments, chanuka.bill_follows,
                        chanuka.notifications, chanuka.engagement_events, chanuka.topic_engagement, chanuka.sample_info""");
        }
    }

    private Map<String, String> variables(double scale) {
        return Map.of(
                "seed", Long.toString(seed),
                "scale", Double.toString(scale),
                "users", rows(50_000, scale),
                "bills", rows(20_000, scale),
                "comments", rows(90_000, scale),
                "follows", rows(100_000, scale),
                "notifications", rows(90_000, scale),
                "events", rows(300_000, scale));
    }

    /** Never a multiple of 7919, with which the scripts spread what is hot. */
    private static String rows(int atScaleOne, double scale) {
        long rows = Math.max(1, Math.round(atScaleOne * scale));
        return Long.toString(rows % 7919 == 0 ? rows + 1 : rows);
    }

    private static void requireScale(double scale) {
        if (!(scale > 0 && scale <= LARGEST_SCALE)) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "scale " + scale + " of the Chanuka sample is not above 0 and up to " + LARGEST_SCALE,
                    "1 is about 150 MB");
        }
    }
}
