package io.nightshift.jobs.wal;

import io.nightshift.infra.config.RecordBinder;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.restore.Restore;
import io.nightshift.infra.restore.RestorePlan;
import io.nightshift.infra.restore.RestorePlan.Action;
import io.nightshift.infra.restore.Restored;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.PostgresServer;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageSet;
import io.nightshift.infra.wal.WalArchive;
import io.nightshift.infra.wal.WalObject;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.TestCluster;
import io.nightshift.jobs.backup.FullBackupJobType;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Restores of a cluster whose transactions are all known: each put one row into the table {@code note}. One restored
 * directory at a time; closing deletes it.
 */
final class RestoreTrial implements AutoCloseable {

    private static final FullBackupJobType FULL = new FullBackupJobType();
    private static final Record FAST =
            RecordBinder.fromMap(FULL.settings(), Map.of("compression", "zstd:1", "checkpoint", "fast"));

    /** A committed transaction, and everything one can call it by. */
    record Committed(int id, long xid, Instant at, Lsn behind) {}

    private final TestPostgres original;
    private final Path directory = TestPostgres.temporaryDirectory("restored-");

    /** @param original whose binaries run what was restored, and whose password opens it */
    RestoreTrial(TestPostgres original) {
        this.original = original;
    }

    static void backup(TestCluster cluster) {
        JobRun.of(FULL, cluster, FAST).attempt().completed();
    }

    /** A server that goes on from where another one has stopped, on a timeline of its own. */
    static TestPostgres promoteCopy(TestPostgres stopped, int major, Map<String, String> settings) throws Exception {
        TestPostgres copy = TestPostgres.prepare(major, settings);
        FileTree.delete(copy.dataDirectory());
        int copied = new ProcessBuilder(
                        "cp",
                        "-a",
                        stopped.dataDirectory().toString(),
                        copy.dataDirectory().toString())
                .inheritIO()
                .start()
                .waitFor();
        if (copied != 0) {
            throw new IOException("cp ended with " + copied);
        }
        Files.createFile(copy.dataDirectory().resolve("recovery.signal"));
        copy.restart();
        return copy;
    }

    /** One transaction for each row. Needs {@code track_commit_timestamp}. */
    static List<Committed> commit(TestPostgres postgres, int from, int to) throws SQLException {
        List<Committed> done = new ArrayList<>();
        try (Connection connection = postgres.connect("postgres");
                Statement statement = connection.createStatement()) {
            for (int id = from; id <= to; id++) {
                long xid;
                connection.setAutoCommit(false);
                statement.execute("INSERT INTO note VALUES (" + id + ")");
                try (ResultSet row = statement.executeQuery("SELECT pg_current_xact_id()::text::bigint")) {
                    row.next();
                    xid = row.getLong(1);
                }
                connection.commit();
                connection.setAutoCommit(true);
                try (ResultSet row = statement.executeQuery(
                        "SELECT pg_xact_commit_timestamp('" + xid + "'::xid), pg_current_wal_insert_lsn()")) {
                    row.next();
                    done.add(new Committed(
                            id,
                            xid,
                            row.getObject(1, OffsetDateTime.class).toInstant().truncatedTo(ChronoUnit.MICROS),
                            Lsn.parse(row.getString(2))));
                }
            }
        }
        return done;
    }

    /** Stores what a server has written on a timeline so far, as the archive does. */
    static void archive(TestCluster cluster, TestPostgres server, Timeline timeline, String... storages)
            throws IOException {
        List<Storage> all = new ArrayList<>();
        for (String storage : storages.length == 0 ? new String[] {"local"} : storages) {
            all.add(new DirectoryStorage(storage, cluster.storage(storage)));
        }
        var archive =
                new WalArchive(new StorageSet(all), cluster.backups().get(0).paths(), ArchiveTrial.SEGMENT);
        Lsn flushed = ArchiveTrial.flushed(server);
        List<Path> files;
        try (Stream<Path> listed = Files.list(server.dataDirectory().resolve("pg_wal"))) {
            files = listed.filter(Files::isRegularFile).sorted().toList();
        }
        for (Path file : files) {
            String name = file.getFileName().toString();
            if (name.endsWith(".history")) {
                archive.store(
                        WalObject.parse(name, ArchiveTrial.SEGMENT).orElseThrow(), () -> Files.newInputStream(file));
            }
            WalSegment segment = WalSegment.parse(name, ArchiveTrial.SEGMENT)
                    .filter(one ->
                            one.timeline().equals(timeline) && one.start().isBefore(flushed))
                    .orElse(null);
            if (segment != null) {
                boolean whole = segment.end().compareTo(flushed) <= 0;
                byte[] bytes = Files.readAllBytes(file);
                int length = whole ? bytes.length : (int) flushed.minus(segment.start());
                archive.store(
                        whole ? new WalObject.Segment(segment) : new WalObject.Partial(segment, flushed),
                        () -> new ByteArrayInputStream(bytes, 0, length));
            }
        }
    }

    /** Where a storage keeps an object. */
    static Path object(TestCluster cluster, String storage, WalObject object) {
        return cluster.storage(storage)
                .resolve(cluster.backups().get(0).paths().folder())
                .resolve("wal")
                .resolve(object.name());
    }

    /** As the storages show it now. */
    static RestorableCluster source(TestCluster cluster) {
        return RestorableCluster.of(
                TestCluster.NAME, cluster.clusterStorages().forReading(TestCluster.NAME), cluster.backups(), null);
    }

    Path data() {
        return directory.resolve("data");
    }

    Restored restore(RestorableCluster source, RestorePlan plan) {
        return new Restore(
                        source.chain(plan),
                        plan,
                        Action.PROMOTE,
                        source.wal(),
                        new Restore.Destination(data(), Map.of(), false, false))
                .run(2, new Progress(), new Cancellation());
    }

    /** Lets a server recover the directory and open it. */
    PostgresServer start() throws IOException {
        Path password = directory.resolve("data.password");
        if (!Files.exists(password)) {
            Files.copy(original.dataDirectory().resolveSibling("data.password"), password);
        }
        PostgresServer server = PostgresServer.open(data(), original.server().binaries());
        server.start(Map.of("fsync", "off"));
        return server;
    }

    /** The rows that are there when recovery has ended; deletes the directory. */
    List<Integer> rows() throws Exception {
        PostgresServer server = start();
        try (Connection connection = server.connect("postgres");
                ResultSet rows = connection
                        .createStatement()
                        .executeQuery("SELECT id, pg_is_in_recovery() FROM note ORDER BY 1")) {
            List<Integer> ids = new ArrayList<>();
            while (rows.next()) {
                if (rows.getBoolean(2)) {
                    throw new AssertionError("still in recovery");
                }
                ids.add(rows.getInt(1));
            }
            return ids;
        } finally {
            server.stop();
            delete();
        }
    }

    void delete() throws IOException {
        FileTree.delete(data());
    }

    @Override
    public void close() throws IOException {
        FileTree.delete(directory);
    }
}
