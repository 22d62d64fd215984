package io.nightshift.jobs.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.replication.WalRange;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.StorageSet;
import io.nightshift.infra.wal.WalArchive;
import io.nightshift.infra.wal.WalCoverage;
import io.nightshift.infra.wal.WalGap;
import io.nightshift.infra.wal.WalObject;
import io.nightshift.jobs.JobRun;
import io.nightshift.jobs.JobRun.Outcome;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Runs of the archive of a cluster, and what they have stored, compared with what its server has written. */
final class ArchiveTrial implements AutoCloseable {

    static final Duration PATIENCE = Duration.ofSeconds(60);
    static final int SEGMENT = 16 << 20;
    static final String SLOT = ArchiveSlot.name("test-installation", TestCluster.NAME);
    static final WalArchiveSettings QUICK =
            new WalArchiveSettings(Duration.ofSeconds(1), DataSize.ofMegabytes(1024), WalArchiveSettings.OnLimit.DROP);

    private final TestCluster cluster;
    private final int major;
    private final Record settings;
    private JobRun run;
    private CompletableFuture<Outcome> outcome;

    ArchiveTrial(TestCluster cluster, int major, WalArchiveSettings settings) {
        this.cluster = cluster;
        this.major = major;
        this.settings = settings;
    }

    ArchiveTrial begin() {
        run = JobRun.of(new WalArchiveJobType(), cluster, settings);
        outcome = run.begin();
        return this;
    }

    JobRun run() {
        return run;
    }

    Outcome endDay() {
        run.endDay();
        return outcome().completed();
    }

    /** Of a run that ends by itself. */
    Outcome outcome() {
        try {
            return outcome.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new AssertionError("the run does not end: " + run.progress() + run.report(), e);
        }
    }

    static Lsn flushed(TestPostgres server) {
        return Lsn.parse(server.text("SELECT pg_current_wal_flush_lsn()"));
    }

    /** Where the archive's slot keeps WAL from; empty without one. */
    static Optional<Lsn> slot(TestPostgres server) {
        return Optional.ofNullable(
                        server.text("SELECT restart_lsn FROM pg_replication_slots WHERE slot_name = '" + SLOT + "'"))
                .map(Lsn::parse);
    }

    /** Fills so many segments, each with a little data. */
    static void write(TestPostgres server, int segments) {
        List<String> statements = new ArrayList<>(List.of("CREATE TABLE IF NOT EXISTS filler (i int, t text)"));
        for (int i = 0; i < segments; i++) {
            statements.add("INSERT INTO filler SELECT i, md5(i::text) FROM generate_series(1, 5000) i");
            statements.add("SELECT pg_switch_wal()");
        }
        statements.add("INSERT INTO filler VALUES (0, 'the end')");
        server.execute("postgres", statements.toArray(String[]::new));
    }

    WalArchive archive(TestPostgres server) {
        var system = SystemIdentifier.parse(server.text("SELECT system_identifier FROM pg_control_system()"));
        return new WalArchive(
                StorageSet.of(new DirectoryStorage("local", cluster.storage("local"))),
                new BackupPaths(TestCluster.NAME, major, system),
                SEGMENT);
    }

    /** Waits until everything that the server has written so far is in the archive, and says how far that is. */
    Lsn awaitArchived(TestPostgres server, Timeline timeline) {
        Lsn written = flushed(server);
        WalArchive archive = archive(server);
        try {
            await().atMost(PATIENCE)
                    .ignoreExceptionsInstanceOf(NightshiftException.class)
                    .until(() -> outcome.isDone()
                            || archive.coverage()
                                    .end(timeline)
                                    .filter(end -> !end.isBefore(written))
                                    .isPresent());
        } catch (RuntimeException e) {
            throw new AssertionError(
                    "archived " + archive.coverage() + ", written " + written + ": " + run.progress() + run.report(),
                    e);
        }
        if (outcome.isDone()) {
            throw new AssertionError("the run has ended: " + outcome());
        }
        return written;
    }

    /** No gap, every stored byte is the server's, and the slot is not beyond what is stored. */
    WalCoverage assertComplete(TestPostgres server) throws IOException {
        Lsn kept = slot(server).orElseThrow();
        WalArchive archive = archive(server);
        WalCoverage coverage = archive.coverage();
        WalRange last = coverage.ranges().get(coverage.ranges().size() - 1);
        assertThat(coverage.gaps()).isEmpty();
        assertThat(kept).isLessThanOrEqualTo(last.end());
        assertHoldsWhatWasWritten(server, archive, coverage);
        return coverage;
    }

    static void assertHoldsWhatWasWritten(TestPostgres server, WalArchive archive, WalCoverage coverage)
            throws IOException {
        int compared = 0;
        for (WalRange range : coverage.ranges()) {
            for (WalSegment segment = WalSegment.at(range.timeline(), range.start(), SEGMENT);
                    segment.start().isBefore(range.end());
                    segment = segment.next()) {
                Path file = server.dataDirectory().resolve("pg_wal").resolve(segment.name());
                if (!Files.exists(file)) {
                    continue;
                }
                boolean whole = segment.end().compareTo(range.end()) <= 0;
                int length = whole ? SEGMENT : (int) range.end().minus(segment.start());
                WalObject object = whole ? new WalObject.Segment(segment) : new WalObject.Partial(segment, range.end());
                try (InputStream stored = archive.open(object).orElseThrow();
                        InputStream written = Files.newInputStream(file)) {
                    assertThat(stored.readAllBytes()).as(object.name()).isEqualTo(written.readNBytes(length));
                }
                compared++;
            }
        }
        assertThat(compared).isPositive();
    }

    List<WalGap> gaps(TestPostgres server) {
        return archive(server).gaps();
    }

    @Override
    public void close() {
        if (run != null) {
            run.endDay();
            outcome();
        }
    }
}
