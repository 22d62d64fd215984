package io.nightshift.jobs.proof;

import io.nightshift.infra.postgres.Identifiers;
import io.nightshift.infra.restore.RestoredCopy;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Timings;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A session in one database of the copy, or of its source. No statement runs longer than the checks may take, and a stopped run does not
 * wait for one.
 */
final class CopySession implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(CopySession.class);
    private static final String SCHEMA = "nightshift_restore_test";

    private final Connection connection;
    private final CheckTime time;
    private final Cancellation cancellation;
    private final long opened = System.nanoTime();

    private CopySession(Connection connection, CheckTime time, Cancellation cancellation) {
        this.connection = connection;
        this.time = time;
        this.cancellation = cancellation;
    }

    static CopySession open(RestoredCopy copy, String database, CheckTime time, Cancellation cancellation)
            throws SQLException {
        return new CopySession(copy.connect(database), time, cancellation);
    }

    /** One on any server. */
    static CopySession of(Connection connection, CheckTime time, Cancellation cancellation) {
        return new CopySession(connection, time, cancellation);
    }

    /** Every row as texts. */
    @SuppressWarnings("try") // the registration is held, not used
    List<List<@Nullable String>> rows(String sql) throws SQLException {
        cancellation.check();
        try (Statement statement = connection.createStatement();
                Cancellation.Registration freeing = cancellation.onCancel(() -> cancel(statement))) {
            statement.execute("SET statement_timeout = " + Math.max(1, time.millisLeft()));
            try (ResultSet result = statement.executeQuery(sql)) {
                List<List<@Nullable String>> rows = new ArrayList<>();
                int columns = result.getMetaData().getColumnCount();
                while (result.next()) {
                    List<@Nullable String> row = new ArrayList<>();
                    for (int column = 1; column <= columns; column++) {
                        row.add(result.getString(column));
                    }
                    rows.add(row);
                }
                return rows;
            }
        }
    }

    /** What is asked of a session. */
    @FunctionalInterface
    interface Question<T> {
        T ask() throws SQLException;
    }

    /** Asks something in a transaction, which goes on when the answer is a failure, and keeps none of the locks. */
    <T> T attempt(Question<T> question) throws SQLException {
        Savepoint before = connection.setSavepoint();
        try {
            T answer = question.ask();
            connection.rollback(before); // releasing alone would keep the locks, of all tables and indexes in the end
            connection.releaseSavepoint(before);
            return answer;
        } catch (SQLException failed) {
            try {
                connection.rollback(before);
            } catch (SQLException over) {
                failed.addSuppressed(over);
            }
            throw failed;
        }
    }

    /** The text in the first row and column; empty if there is no row. */
    Optional<String> text(String sql) throws SQLException {
        return rows(sql).stream().map(row -> row.get(0)).findFirst();
    }

    void execute(String sql) throws SQLException {
        cancellation.check();
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /**
     * Makes sure that an extension is there, in the newest version that this machine has.
     *
     * @return the schema of its functions, quoted; empty if it is not installed on this machine
     */
    Optional<String> extension(String name) throws SQLException {
        String literal = Identifiers.literal(name);
        if (text("SELECT name FROM pg_available_extensions WHERE name = " + literal)
                .isEmpty()) {
            return Optional.empty();
        }
        String schema = "SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace"
                + " WHERE extname = " + literal;
        if (text(schema).isPresent()) {
            execute("ALTER EXTENSION " + Identifiers.quoted(name) + " UPDATE");
        } else {
            execute("CREATE SCHEMA IF NOT EXISTS " + SCHEMA);
            execute("CREATE EXTENSION " + Identifiers.quoted(name) + " SCHEMA " + SCHEMA);
        }
        return text(schema);
    }

    /** So that nothing of the source's own runs when an extension is made; a session can do so for itself from 17 on. */
    void disableEventTriggers() throws SQLException {
        for (List<@Nullable String> row :
                rows("SELECT quote_ident(evtname) FROM pg_event_trigger WHERE evtenabled <> 'D'")) {
            execute("ALTER EVENT TRIGGER " + row.get(0) + " DISABLE");
        }
    }

    private static void cancel(Statement statement) {
        try {
            statement.cancel();
        } catch (SQLException over) {
            LOG.debug("statement not cancelled: {}", over.getMessage());
        }
    }

    @Override
    public void close() throws SQLException {
        connection.close();
        Timings.spent(Timings.Kind.SQL, Duration.ofNanos(System.nanoTime() - opened));
    }
}
