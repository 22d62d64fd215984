package io.nightshift.scheduler.cli;

import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.restore.Restore;
import io.nightshift.infra.restore.RestorePlan;
import io.nightshift.infra.restore.RestoreTarget;
import io.nightshift.infra.restore.RestoreTimeline;
import io.nightshift.infra.restore.TableRows;
import io.nightshift.infra.restore.Throughput;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.PostgresServer;
import io.nightshift.infra.storage.Storage;
import io.nightshift.scheduler.DemoCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * The second half of the demo: somebody empties a table, and it comes back from the second before, out of a server that
 * was restored beside the first.
 */
final class DemoAccident {

    static final String TABLE = "votes";

    private static final Duration PATIENCE = Duration.ofMinutes(1);
    private static final int WORKERS = 2;

    /**
     * What happened.
     *
     * @param before rows of the table
     * @param lost rows right after the accident
     * @param target the moment that was restored to
     * @param restored rows on the restored server
     * @param now rows of the table after they were copied back
     * @param plan of the restore
     * @param throughput of the files, without starting the server
     * @param took until the restored server had shown its rows
     */
    record Story(
            long before,
            long lost,
            Instant target,
            long restored,
            long now,
            RestorePlan plan,
            Throughput throughput,
            Duration took) {}

    private final DemoCluster demo;
    private final List<Storage> storages;
    private final List<StoredBackup> backups;
    private final Path directory;

    /** @param directory for the restored server; what is in it is removed before and after */
    DemoAccident(DemoCluster demo, List<Storage> storages, List<StoredBackup> backups, Path directory) {
        this.demo = demo;
        this.storages = storages;
        this.backups = backups;
        this.directory = directory;
    }

    Story happen(Progress progress, Cancellation cancellation) {
        try (Connection connection = demo.connect()) {
            long before = rows(connection);
            Instant target = now(connection);
            execute(connection, "TRUNCATE " + TABLE);
            long lost = rows(connection);
            long begun = System.nanoTime();
            RestorableCluster source = archived(new RestoreTarget.AtTime(target, true), cancellation);
            RestorePlan plan = source.plan(null, new RestoreTarget.AtTime(target, true), new RestoreTimeline.Latest());
            removeDirectory();
            Path data = directory.resolve("data");
            Throughput throughput = new Restore(
                            source.chain(plan),
                            plan,
                            RestorePlan.Action.PROMOTE,
                            source.wal(),
                            new Restore.Destination(data, Map.of(), false, false))
                    .run(WORKERS, progress, cancellation)
                    .throughput();
            PostgresServer copy = demo.serverOn(data);
            copy.start(Map.of());
            try (Connection restored = copy.connect(DemoCluster.DATABASE)) {
                long found = rows(restored);
                Duration took = Duration.ofNanos(System.nanoTime() - begun);
                TableRows.copy(restored, connection, TABLE);
                return new Story(before, lost, target, found, rows(connection), plan, throughput, took);
            } finally {
                copy.stop();
                removeDirectory();
            }
        } catch (SQLException e) {
            throw SqlStates.failure("table " + TABLE + " of cluster " + DemoCluster.NAME + " not brought back", e);
        } catch (IOException e) {
            throw new NightshiftException(
                    FailureKind.RESOURCES_EXHAUSTED,
                    "the restored server in " + directory + ": " + e.getMessage(),
                    "make room there, and try again",
                    e);
        }
    }

    /** Waits until the WAL of the accident is in the archive: before, nobody can know that nothing else came before it. */
    private RestorableCluster archived(RestoreTarget target, Cancellation cancellation) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            cancellation.check();
            RestorableCluster source = RestorableCluster.of(DemoCluster.NAME, storages, backups, null);
            try {
                source.plan(null, target, new RestoreTimeline.Latest());
                return source;
            } catch (NightshiftException notYet) {
                if (notYet.kind() != FailureKind.REFUSED || System.nanoTime() - deadline > 0) {
                    throw notYet;
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(ProgressWatch.GLANCE_MILLIS));
            }
        }
    }

    private void removeDirectory() throws IOException {
        if (Files.exists(directory)) {
            FileTree.delete(directory);
        }
    }

    private static long rows(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT count(*) FROM " + TABLE)) {
            row.next();
            return row.getLong(1);
        }
    }

    private static Instant now(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT clock_timestamp()")) {
            row.next();
            return row.getObject(1, OffsetDateTime.class).toInstant();
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
