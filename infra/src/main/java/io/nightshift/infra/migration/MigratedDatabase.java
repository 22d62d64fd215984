package io.nightshift.infra.migration;

import io.nightshift.infra.config.Durations;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.RestoredCopies;
import io.nightshift.infra.restore.RestoredCopy;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.StepThreads;
import io.nightshift.infra.schema.ObjectKind;
import io.nightshift.infra.schema.Schema;
import io.nightshift.infra.schema.SchemaReader;
import io.nightshift.infra.server.PostgresBinaries;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.postgresql.PGConnection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes an empty database, on a server of this machine that nobody else can enter and that is thrown away at once, into what
 * the migrations of a folder make of it. Ends when it is cancelled, or after its limit, whatever the migrations do.
 *
 * @param limit for all of them
 */
public record MigratedDatabase(RestoredCopies copies, Duration limit, Cancellation cancellation) {

    private static final Logger LOG = LoggerFactory.getLogger(MigratedDatabase.class);

    /** How often sessions are asked to end before they are cut off, which nobody could explain to Flyway. */
    private static final int PATIENCE = 10;

    /** The sessions of migrations, until they are over. */
    private static final class Sessions {

        private final List<Connection> open = new CopyOnWriteArrayList<>();
        private final AtomicInteger ends = new AtomicInteger();

        /** What migrations print is nothing that anybody asked for. */
        Connection made(Connection session) throws SQLException {
            open.add(session);
            if (areOver()) {
                session.close();
                throw new SQLException("the migrations are over");
            }
            try (Statement statement = session.createStatement()) {
                statement.execute("SET client_min_messages = error");
            }
            return session;
        }

        boolean areOver() {
            return ends.get() > 0;
        }

        /** Again, because the next statement may have begun meanwhile; what does not let itself be cancelled is cut off. */
        void endAgain() {
            if (areOver()) {
                end();
            }
        }

        void end() {
            int rounds = ends.incrementAndGet();
            for (Connection session : open) {
                try {
                    if (rounds > PATIENCE) {
                        session.abort(Runnable::run);
                    } else if (!session.isClosed()) {
                        session.unwrap(PGConnection.class).cancelQuery();
                    }
                } catch (SQLException gone) {
                    LOG.debug("migrations not cancelled: {}", gone.getMessage());
                }
            }
        }
    }

    /**
     * The schema after the versions that a history has reached.
     *
     * @param name of the folder where the server lies meanwhile
     * @param major version of the server
     * @param now what a killed process has left until then is ended and removed before
     */
    public Schema schema(String name, int major, MigrationFolder folder, MigrationHistory history, Instant now) {
        PostgresBinaries binaries = copies.binaries(major)
                .orElseThrow(() -> new NightshiftException(
                        FailureKind.CONFIGURATION,
                        "this machine has no server of PostgreSQL " + major
                                + " on which migrations could be applied to an empty database"));
        copies.sweep(now);
        try (RestoredCopy scratch = copies.create(name)) {
            scratch.initialise(binaries);
            migrate(scratch, folder, history);
            try (Connection session = scratch.connect("postgres")) {
                return SchemaReader.read(session, limit, cancellation);
            }
        } catch (SQLException e) {
            cancellation.check();
            throw SqlStates.failure("schema after the migrations of folder " + folder.path() + " not read", e);
        }
    }

    @SuppressWarnings("try") // the registration is held, not used
    private void migrate(RestoredCopy scratch, MigrationFolder folder, MigrationHistory history) {
        var sessions = new Sessions();
        ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(StepThreads.named("migrations"));
        Future<?> end = clock.schedule(sessions::end, limit.toMillis(), TimeUnit.MILLISECONDS);
        Future<?> again = clock.scheduleWithFixedDelay(sessions::endAgain, 1, 1, TimeUnit.SECONDS);
        try (Cancellation.Registration freeing = cancellation.onCancel(sessions::end)) {
            folder.migrate(new SessionSource(() -> sessions.made(scratch.connect("postgres"))), history);
        } catch (NightshiftException failed) {
            cancellation.check();
            if (!sessions.areOver()) {
                throw failed;
            }
            throw new NightshiftException(
                    FailureKind.RESOURCES_EXHAUSTED,
                    "migrations of folder " + folder.path() + " not applied to an empty database within "
                            + Durations.print(limit),
                    null,
                    failed);
        } finally {
            end.cancel(false);
            again.cancel(false);
            clock.shutdown();
        }
    }

    /** What of a live schema must be like it: extensions come from administrators too, such as amcheck for us. */
    public static Schema comparable(Schema live, Schema migrated) {
        return new Schema(live.objects().stream()
                .filter(object -> object.kind() != ObjectKind.EXTENSION
                        || migrated.find(object.identity()).isPresent())
                .toList());
    }
}
