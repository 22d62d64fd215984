package io.nightshift.jobs.backup;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.restore.Restore;
import io.nightshift.infra.restore.RestorePlan;
import io.nightshift.infra.restore.RestoreTarget;
import io.nightshift.infra.restore.RestoreTimeline;
import io.nightshift.infra.restore.Restored;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.PostgresServer;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A server on a backup that was restored by the product, with the WAL that the backup brought. Closing deletes it. */
final class RestoredBackup implements AutoCloseable {

    private final Path directory = TestPostgres.temporaryDirectory("restored-");
    private final Path data = directory.resolve("data");
    private final PostgresServer server;
    private final Restored restored;

    private RestoredBackup(TestCluster cluster, BackupLabel label) throws IOException {
        restored = restore(cluster, label, data, 2);
        Files.copy(
                cluster.postgres().dataDirectory().resolveSibling("data.password"), directory.resolve("data.password"));
        server = PostgresServer.open(data, cluster.postgres().server().binaries());
        server.start(Map.of("fsync", "off", "autovacuum", "off"));
    }

    static RestoredBackup of(TestCluster cluster, BackupLabel label) throws IOException {
        return new RestoredBackup(cluster, label);
    }

    /** Writes the data directory, and starts nothing. */
    static Restored restore(TestCluster cluster, BackupLabel label, Path data, int workers) {
        return restore(cluster, label, data, workers, false);
    }

    /** @param over whether over what is there */
    static Restored restore(TestCluster cluster, BackupLabel label, Path data, int workers, boolean over) {
        List<StoredBackup> backups = cluster.backups();
        StoredBackup wanted = backups.stream()
                .filter(backup -> backup.label().equals(label))
                .findFirst()
                .orElseThrow();
        RestorableCluster source = RestorableCluster.of(
                TestCluster.NAME, cluster.clusterStorages().forReading(TestCluster.NAME), backups, wanted);
        RestorePlan plan = source.plan(wanted, new RestoreTarget.Immediate(), new RestoreTimeline.Latest());
        return new Restore(
                        source.chain(plan),
                        plan,
                        RestorePlan.Action.PROMOTE,
                        source.wal(),
                        new Restore.Destination(data, elsewhere(plan, data), over, false))
                .run(workers, new Progress(), new Cancellation());
    }

    /** Beside it, because the source's are on this machine too. */
    private static Map<String, Path> elsewhere(RestorePlan plan, Path data) {
        Map<String, Path> places = new TreeMap<>();
        plan.document().archives().stream()
                .filter(archive -> archive.location().startsWith("/"))
                .forEach(archive ->
                        places.put(archive.tablespace(), data.resolveSibling("tablespace-" + archive.tablespace())));
        return places;
    }

    Path data() {
        return data;
    }

    Restored restored() {
        return restored;
    }

    Connection connect(String database) throws SQLException {
        return server.connect(database);
    }

    /** The first column of all rows. */
    List<String> texts(String... statements) throws SQLException {
        try (Connection connection = connect("postgres");
                Statement statement = connection.createStatement()) {
            List<String> texts = new ArrayList<>();
            for (String sql : statements) {
                if (statement.execute(sql)) {
                    try (ResultSet rows = statement.getResultSet()) {
                        while (rows.next()) {
                            texts.add(rows.getString(1));
                        }
                    }
                }
            }
            return texts;
        }
    }

    @Override
    public void close() throws IOException {
        server.stop();
        FileTree.delete(directory);
    }
}
