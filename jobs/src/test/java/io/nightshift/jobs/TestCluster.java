package io.nightshift.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.backup.BackupCatalog;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.DatabaseSelection;
import io.nightshift.infra.config.DirectoryStorageConfig;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.config.Passwords;
import io.nightshift.infra.config.Secret;
import io.nightshift.infra.config.SslMode;
import io.nightshift.infra.config.StorageConfig;
import io.nightshift.infra.config.StorageDuty;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.restore.RestoredCopies;
import io.nightshift.infra.run.WorkFolder;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.PostgresServer;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.infra.storage.ClusterStorages;
import io.nightshift.infra.storage.KnownStorages;
import io.nightshift.infra.storage.Storage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.IntSupplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * A real server as a configured cluster named {@value #NAME}, with storages in a temporary directory: {@code local}, and
 * others on demand. Closing it deletes everything.
 */
public final class TestCluster implements AutoCloseable {

    public static final String NAME = "chanuka";

    private final TestPostgres postgres;
    private final IntSupplier port;
    private final Path directory;
    private final boolean owner;
    private final String username;
    private final Secret password;
    private final List<String> storages;
    private final List<NodeAddress> standbys;
    private final UnaryOperator<Storage> layer;

    private TestCluster(
            TestPostgres postgres,
            IntSupplier port,
            Path directory,
            boolean owner,
            String username,
            Secret password,
            List<String> storages,
            List<NodeAddress> standbys,
            UnaryOperator<Storage> layer) {
        this.postgres = postgres;
        this.port = port;
        this.directory = directory;
        this.owner = owner;
        this.username = username;
        this.password = password;
        this.storages = storages;
        this.standbys = standbys;
        this.layer = layer;
    }

    public static TestCluster start(int major, Map<String, String> settings) {
        return on(TestPostgres.start(major, settings));
    }

    /** On a server that was made for it; it is closed with this. */
    public static TestCluster on(TestPostgres postgres) {
        return new TestCluster(
                postgres,
                postgres::port,
                TestPostgres.temporaryDirectory("storages-"),
                true,
                postgres.username(),
                new Secret(postgres.password()),
                List.of("local"),
                List.of(),
                UnaryOperator.identity());
    }

    /** The same cluster with new, empty storages: another test on the same server. Close it before the first. */
    public TestCluster withStorages(String... names) {
        return new TestCluster(
                postgres,
                port,
                TestPostgres.temporaryDirectory("storages-"),
                false,
                username,
                password,
                List.of(names),
                standbys,
                layer);
    }

    /** The same cluster and storages, with one more node. */
    public TestCluster withStandby(PostgresServer standby) {
        return withNode(standby.port());
    }

    /** The same with a node at this port, whoever answers there. */
    public TestCluster withNode(int another) {
        List<NodeAddress> nodes = new ArrayList<>(standbys);
        nodes.add(new NodeAddress("127.0.0.1", another));
        return new TestCluster(
                postgres, port, directory, false, username, password, storages, List.copyOf(nodes), layer);
    }

    /** The same cluster and storages, which runs see only through this layer. */
    public TestCluster behind(UnaryOperator<Storage> other) {
        return new TestCluster(postgres, port, directory, false, username, password, storages, standbys, other);
    }

    /** The same cluster and storages, with its server at another port: behind a network that a test breaks. */
    public TestCluster through(int otherPort) {
        return new TestCluster(
                postgres, () -> otherPort, directory, false, username, password, storages, standbys, layer);
    }

    /** The same cluster and storages, worked on as another role. */
    public TestCluster as(String role, String itsPassword) {
        return new TestCluster(
                postgres, port, directory, false, role, new Secret(itsPassword), storages, standbys, layer);
    }

    /** What another process needs to be told to {@link #attach}. */
    public String[] coordinates() {
        return new String[] {Integer.toString(port.getAsInt()), username, password.reveal(), directory.toString()};
    }

    /**
     * A cluster and its storage {@code local} that another process has started, and will close; perhaps behind relays.
     *
     * @param coordinates port, role, password and directory; then the ports of standbys
     */
    public static TestCluster attach(String[] coordinates) {
        return attach(coordinates, "local");
    }

    /** The same with other storages. */
    public static TestCluster attach(String[] coordinates, String... storages) {
        return new TestCluster(
                null,
                () -> Integer.parseInt(coordinates[0]),
                Path.of(coordinates[3]),
                false,
                coordinates[1],
                new Secret(coordinates[2]),
                List.of(storages),
                Stream.of(coordinates)
                        .skip(4)
                        .map(port -> new NodeAddress("127.0.0.1", Integer.parseInt(port)))
                        .toList(),
                UnaryOperator.identity());
    }

    public TestPostgres postgres() {
        return postgres;
    }

    public Path storage(String name) {
        return directory.resolve(name);
    }

    public DatabaseOrchestrator orchestrator() {
        return new DatabaseOrchestrator(Map.of(NAME, config()), Passwords.of(Map.of("HOME", "")), Clock.systemUTC());
    }

    public ClusterStorages clusterStorages() {
        Map<String, StorageConfig> configured = new TreeMap<>();
        storages.forEach(name -> configured.put(name, new DirectoryStorageConfig(name, storage(name))));
        return new ClusterStorages(
                Map.of(NAME, config()),
                configured,
                "test-installation",
                new KnownStorages(directory.resolve("known")),
                Clock.systemUTC(),
                layer);
    }

    public WorkFolder workFolder() {
        return new WorkFolder(directory.resolve("work"));
    }

    public RestoredCopies restoredCopies() {
        return new RestoredCopies(
                directory.resolve("work").resolve("copies"), major -> Optional.of(TestPostgres.binaries(major)));
    }

    public BackupCatalog catalog() {
        return new BackupCatalog(clusterStorages().forReading(NAME));
    }

    public List<StoredBackup> backups() {
        return catalog().backups(NAME);
    }

    /** Every file in the storages, below their directory, sorted; also what no listing shows, such as parts. */
    public List<String> files() {
        try (Stream<Path> found = Files.walk(directory)) {
            return found.filter(Files::isRegularFile)
                    .map(file -> directory.relativize(file).toString())
                    .filter(file -> !file.startsWith("known/") && !file.startsWith("work/"))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What Nightshift has on the server now: its WAL senders, its other sessions, and all replication slots. */
    public List<String> traces() {
        String sql = """
                SELECT 'walsender ' || application_name FROM pg_stat_replication
                UNION ALL
                SELECT 'session ' || application_name FROM pg_stat_activity
                 WHERE application_name LIKE 'nightshift %' AND backend_type = 'client backend'
                UNION ALL
                SELECT 'slot ' || slot_name FROM pg_replication_slots
                """;
        return postgres.texts(sql);
    }

    /** A server ends a session a moment after it was closed. */
    public void awaitNoTraces() {
        await("no traces").untilAsserted(() -> assertThat(traces()).isEmpty());
    }

    private ClusterConfig config() {
        Map<String, StorageDuty> duties = new TreeMap<>();
        storages.forEach(name -> duties.put(name, StorageDuty.REQUIRED));
        List<NodeAddress> nodes = new ArrayList<>(List.of(new NodeAddress("127.0.0.1", port.getAsInt())));
        nodes.addAll(standbys);
        return new ClusterConfig(
                NAME,
                nodes,
                username,
                password,
                SslMode.DISABLE,
                null,
                null,
                null,
                postgres == null || port.getAsInt() != postgres.port(),
                "postgres",
                DatabaseSelection.ALL,
                duties,
                1,
                Map.of());
    }

    @Override
    public void close() {
        if (owner) {
            postgres.close();
        }
        try {
            FileTree.delete(directory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
