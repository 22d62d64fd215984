package io.nightshift.jobs.wal;

import static io.nightshift.jobs.wal.ArchiveTrial.PATIENCE;
import static io.nightshift.jobs.wal.ArchiveTrial.QUICK;
import static io.nightshift.jobs.wal.ArchiveTrial.SEGMENT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.restore.RestoreTarget;
import io.nightshift.infra.restore.RestoreTimeline;
import io.nightshift.infra.server.ChildJvm;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.ReplicatedCluster;
import io.nightshift.infra.server.TcpRelay;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.StorageSet;
import io.nightshift.infra.wal.StoredWal;
import io.nightshift.infra.wal.WalArchive;
import io.nightshift.infra.wal.WalCoverage;
import io.nightshift.infra.wal.WalEvent;
import io.nightshift.infra.wal.WalEvents;
import io.nightshift.infra.wal.WalLineage;
import io.nightshift.infra.wal.WalObject;
import io.nightshift.infra.wal.WalPath;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * A primary with two standbys under load, archivers in other processes that are killed one after the other, and what
 * happens to them before. One thread writes, one compares the slots with the storage, all the time.
 */
final class ArchiveOrdeal implements AutoCloseable {

    private enum Mishap {
        NOTHING,
        CONNECTIONS_CUT,
        STORAGE_AWAY,
        SHUTDOWN,
        FAILOVER
    }

    private static final int LONGEST_WAIT_MILLIS = 1_000;
    private static final int ROWS_PER_SEGMENT = 2_000;

    private final int major;
    private final Random random;
    private final Path directory = TestPostgres.temporaryDirectory("storages-");
    private final ReplicatedCluster servers;
    private final List<TcpRelay> relays;
    private final SystemIdentifier system;
    private final List<Mishap> deck = new ArrayList<>();
    private final Object storageMoves = new Object();
    private final Map<TestPostgres, Lsn> made = new ConcurrentHashMap<>();
    private final ConcurrentLinkedQueue<String> ahead = new ConcurrentLinkedQueue<>();
    private final Thread load;
    private final Thread watch;
    private volatile boolean writes = true;
    private volatile boolean watches = true;
    private volatile TestPostgres primary;
    private final AtomicInteger looks = new AtomicInteger();
    private TestPostgres lost;
    private Lsn begun;
    private Lsn written;
    private int kills;

    ArchiveOrdeal(int major, Random random) {
        this.major = major;
        this.random = random;
        this.servers = ReplicatedCluster.start(major);
        this.primary = servers.primary();
        this.relays =
                servers.nodes().stream().map(node -> TcpRelay.to(node.port())).toList();
        this.system = SystemIdentifier.parse(primary.text("SELECT system_identifier FROM pg_control_system()"));
        primary.execute(
                "postgres",
                "CREATE TABLE note (id int GENERATED ALWAYS AS IDENTITY,"
                        + " xid bigint DEFAULT pg_current_xact_id()::text::bigint, filler text)");
        if (Effort.number() >= 20) {
            RestoreTrial.backup(direct());
        }
        this.load = begin("load", this::write);
        this.watch = begin("slots", this::watchSlots);
    }

    private static Thread begin(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    /** Begins an archiver, lets something happen to it or not, and kills it, each at a random moment. */
    void kill() {
        Mishap mishap = nextMishap();
        try (var archiver = ChildJvm.start(ArchiveChild.class, behindRelays())) {
            if (kills == 0) {
                awaitBegin();
            } else if (random.nextInt(3) > 0) {
                awaitStreaming();
            }
            letPass();
            if (random.nextInt(4) == 0) {
                kill(archiver);
                happen(mishap);
            } else {
                happen(mishap);
                letPass();
                kill(archiver);
            }
        }
        storageIsBack();
    }

    private void kill(ChildJvm archiver) {
        archiver.kill();
        assertThat(archiver.exitStatus()).as(archiver.toString()).isEqualTo(137);
        kills++;
    }

    private Mishap nextMishap() {
        if (deck.isEmpty()) {
            deck.addAll(List.of(Mishap.values()));
            Collections.shuffle(deck, random);
        }
        return deck.remove(0);
    }

    private void happen(Mishap mishap) {
        switch (mishap) {
            case NOTHING -> {}
            case CONNECTIONS_CUT -> relays.forEach(TcpRelay::cut);
            case STORAGE_AWAY -> {
                storageIsAway();
                letPass();
                if (random.nextBoolean()) {
                    storageIsBack();
                }
            }
            case SHUTDOWN -> {
                primary.signalPostmaster("INT");
                Path running = primary.dataDirectory().resolve("postmaster.pid");
                await().atMost(Duration.ofSeconds(10)).until(() -> !Files.exists(running));
                primary.restart();
            }
            case FAILOVER -> {
                if (lost != null) {
                    servers.rebuild(lost);
                    made.clear(); // it has the slot of the standby that it is a copy of
                }
                lost = servers.failOver();
                primary = servers.primary();
            }
        }
    }

    /** The random moment is what is tested: nothing is waited for. */
    private void letPass() {
        LockSupport.parkNanos(
                Duration.ofMillis(random.nextInt(LONGEST_WAIT_MILLIS)).toNanos());
    }

    /** Before the first archiver has stored something there is nothing to lose. */
    private void awaitBegin() {
        await().atMost(PATIENCE).until(() -> made.containsKey(primary) && stored().isValid());
        begun = made.get(primary);
    }

    private void awaitStreaming() {
        await().atMost(PATIENCE)
                .until(() -> "1"
                        .equals(primary.text(
                                "SELECT count(*) FROM pg_stat_replication WHERE application_name = 'nightshift'")));
    }

    /** As the archivers see it: all connections can be cut. */
    private String[] behindRelays() {
        return coordinates(relays.stream().map(TcpRelay::port).toList());
    }

    private TestCluster direct() {
        return TestCluster.attach(
                coordinates(servers.nodes().stream().map(TestPostgres::port).toList()));
    }

    private String[] coordinates(List<Integer> ports) {
        List<String> words = new ArrayList<>(
                List.of(Integer.toString(ports.get(0)), primary.username(), primary.password(), directory.toString()));
        ports.stream().skip(1).map(port -> Integer.toString(port)).forEach(words::add);
        return words.toArray(String[]::new);
    }

    private Path here() {
        return directory.resolve("local");
    }

    private Path elsewhere() {
        return directory.resolve("elsewhere");
    }

    private void storageIsAway() {
        move(here(), elsewhere());
    }

    /** In the moment it went, its folders may have been made anew; nothing may have been put there. */
    private void storageIsBack() {
        if (Files.exists(elsewhere())) {
            try (Stream<Path> made = Files.exists(here()) ? Files.walk(here()) : Stream.empty()) {
                assertThat(made.filter(Files::isRegularFile)).isEmpty();
                FileTree.delete(here());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            move(elsewhere(), here());
        }
    }

    private void move(Path from, Path to) {
        synchronized (storageMoves) {
            try {
                Files.move(from, to);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Commits row after row wherever the primary is. */
    private void write() {
        while (writes) {
            try (Connection connection = primary.connect("postgres");
                    Statement statement = connection.createStatement()) {
                for (int row = 1; writes; row++) {
                    statement.execute("INSERT INTO note (filler) SELECT repeat(md5(random()::text), 30)");
                    if (row % ROWS_PER_SEGMENT == 0) {
                        statement.execute("SELECT pg_switch_wal()");
                    }
                    LockSupport.parkNanos(Duration.ofMillis(1).toNanos());
                }
            } catch (SQLException | RuntimeException down) {
                LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
            }
        }
    }

    private void watchSlots() {
        while (watches) {
            servers.nodes().forEach(this::lookAtSlot);
            LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
        }
    }

    /**
     * The slot first, then the storage: what that holds only grows. A new slot begins where the server
     * decides, and goes back from there to the beginning of the segment, where the archive begins.
     */
    private void lookAtSlot(TestPostgres node) {
        Optional<Lsn> kept;
        try {
            kept = ArchiveTrial.slot(node);
        } catch (RuntimeException down) {
            return;
        }
        if (kept.isEmpty() || kept.get().compareTo(made.computeIfAbsent(node, none -> kept.get())) <= 0) {
            return;
        }
        looks.incrementAndGet();
        Lsn stored = stored();
        if (stored.isBefore(kept.get())) {
            ahead.add("the slot of " + node.server() + " was at " + kept.get() + ", stored was up to " + stored);
        }
    }

    /** Up to where the storage holds everything on the newest way, wherever it is now. */
    private Lsn stored() {
        synchronized (storageMoves) {
            Path present = Stream.of(here(), elsewhere())
                    .filter(Files::exists)
                    .findFirst()
                    .orElse(null);
            return present == null
                    ? Lsn.INVALID
                    : way(new DirectoryStorage("local", present)).end();
        }
    }

    private BackupPaths paths() {
        return new BackupPaths(TestCluster.NAME, major, system);
    }

    private WalArchive archive(DirectoryStorage storage) {
        return new WalArchive(StorageSet.of(storage), paths(), SEGMENT);
    }

    private WalPath way(DirectoryStorage storage) {
        WalArchive archive = archive(storage);
        WalCoverage coverage = archive.coverage();
        Lsn begin = coverage.ranges().isEmpty()
                ? Lsn.INVALID
                : coverage.ranges().get(0).start();
        return WalPath.of(lineage(archive, coverage), coverage, SEGMENT, begin);
    }

    private static WalLineage lineage(WalArchive archive, WalCoverage coverage) {
        Optional<Timeline> newest = coverage.histories().stream().max(Comparator.naturalOrder());
        if (newest.isEmpty()) {
            return WalLineage.of(new Timeline(1));
        }
        try (InputStream history =
                archive.open(new WalObject.History(newest.get())).orElseThrow()) {
            return WalLineage.of(newest.get(), history.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** With everything mended; ends the load. */
    void archiveTheRest() throws Exception {
        try (var trial = new ArchiveTrial(direct(), major, QUICK).begin()) {
            awaitStreaming();
            writes = false;
            load.join();
            written = trial.awaitArchived(primary, timeline());
            trial.endDay();
            assertThat(trial.run().requests()).isEmpty();
        }
        watches = false;
        watch.join();
    }

    private Timeline timeline() {
        return new Timeline(
                Integer.parseInt(primary.text("SELECT left(pg_walfile_name(pg_current_wal_flush_lsn()), 8)"), 16));
    }

    /** Every record is there with its checksum, every row's transaction among them, and no two objects contradict. */
    void assertNothingIsLost() throws Exception {
        var storage = new DirectoryStorage("local", here());
        WalPath way = way(storage);
        assertThat(archive(storage).gaps()).isEmpty();
        assertThat(way.end()).isGreaterThanOrEqualTo(written);

        assertThat(way.steps().get(0).segment().start()).isLessThanOrEqualTo(begun);

        TreeSet<Long> committed = new TreeSet<>();
        try (var events = new WalEvents(
                StoredWal.of(List.of(storage), paths(), SEGMENT),
                major,
                SEGMENT,
                way::timeline,
                way.steps().get(0).segment().start())) {
            for (Optional<WalEvent> event = events.next(); event.isPresent(); event = events.next()) {
                if (event.get() instanceof WalEvent.TransactionEnd end && end.committed()) {
                    committed.add(end.xid());
                }
            }
            assertThat(events.position()).isGreaterThanOrEqualTo(written);
        }
        List<Long> rows = transactions(committed.first());
        assertThat(committed.containsAll(rows)).as("%s in %s", rows, committed).isTrue();
        ArchiveTrial.assertHoldsWhatWasWritten(
                primary, archive(storage), archive(storage).coverage());
        assertBeginningsAgree(storage);
        System.out.printf(
                "FIGURE archiver killed %d times on PostgreSQL %d: %d segments, %d rows, %d looks at moved slots%n",
                kills, major, way.steps().size(), rows.size(), looks.get());
    }

    /** Those that began when there was an archive. */
    private List<Long> transactions(long first) throws SQLException {
        List<Long> all = new ArrayList<>();
        try (Connection connection = primary.connect("postgres");
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT xid FROM note WHERE xid >= " + first)) {
            while (rows.next()) {
                all.add(rows.getLong(1));
            }
        }
        assertThat(all).isNotEmpty();
        return all;
    }

    /** Whatever was stored of one segment begins with the same bytes. */
    private void assertBeginningsAgree(DirectoryStorage storage) throws IOException {
        Map<WalSegment, List<WalObject>> bySegment = new HashMap<>();
        String folder = paths().folder() + "/wal/";
        try (Stream<WalObject> objects = storage.list(folder)
                .flatMap(stored -> WalObject.parse(stored.name().substring(folder.length()), SEGMENT).stream())) {
            objects.forEach(object -> {
                if (object instanceof WalObject.Segment whole) {
                    bySegment
                            .computeIfAbsent(whole.segment(), none -> new ArrayList<>())
                            .add(object);
                } else if (object instanceof WalObject.Partial partial) {
                    bySegment
                            .computeIfAbsent(partial.segment(), none -> new ArrayList<>())
                            .add(object);
                }
            });
        }
        WalArchive archive = archive(storage);
        for (List<WalObject> ofOne : bySegment.values()) {
            byte[] longest = {};
            for (WalObject object : ofOne) {
                byte[] bytes = archive.open(object).orElseThrow().readAllBytes();
                int both = Math.min(bytes.length, longest.length);
                assertThat(Arrays.mismatch(bytes, 0, both, longest, 0, both))
                        .as(ofOne.toString())
                        .isEqualTo(-1);
                longest = bytes.length > longest.length ? bytes : longest;
            }
        }
    }

    void assertNoSlotWasAhead() {
        assertThat(ahead).isEmpty();
        assertThat(looks.get()).isPositive();
    }

    /** A server recovers from what is stored alone, and has every row. */
    void assertRecovers() throws Exception {
        try (var trial = new RestoreTrial(servers.nodes().get(0));
                Connection connection = primary.connect("postgres");
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT id FROM note ORDER BY id")) {
            List<Integer> expected = new ArrayList<>();
            while (row.next()) {
                expected.add(row.getInt(1));
            }
            RestorableCluster source = RestoreTrial.source(direct());
            trial.restore(source, source.plan(null, new RestoreTarget.Latest(), new RestoreTimeline.Latest()));

            assertThat(trial.rows()).isEqualTo(expected);
        }
    }

    @Override
    public void close() throws IOException {
        writes = false;
        watches = false;
        relays.forEach(TcpRelay::close);
        servers.close();
        FileTree.delete(directory);
    }
}
