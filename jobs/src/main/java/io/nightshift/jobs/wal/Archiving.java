package io.nightshift.jobs.wal;

import io.nightshift.infra.config.Durations;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.replication.ReplicationConnection;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.run.StepThreads;
import io.nightshift.infra.run.WorkFolder;
import io.nightshift.infra.storage.ClusterStorages;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A day of archiving: one stream after the other, with growing pauses while something is away. It needs no control
 * database.
 */
final class Archiving {

    private static final Logger LOG = LoggerFactory.getLogger(Archiving.class);

    /** The slot is not as it was a moment ago: in use, gone, or no longer usable. The next look says what it is. */
    private static final Set<String> SLOT_CHANGED = Set.of("55006", "42704", "55000");

    /** How long the server may take to notice that the process that used the slot before is gone. */
    private static final Duration SLOT_IN_USE = Duration.ofSeconds(2);

    private static final Duration WORTH_A_FINDING = Duration.ofMinutes(1);
    private static final Duration ASK_LEDGER_EVERY = Duration.ofSeconds(30);

    private final RunContext run;
    private final ManagedCluster cluster;
    private final ClusterStorages storages;
    private final Clock clock;
    private final ArchiveWatch watch;
    private final ArchiveReport report;
    private final ArchiveStream stream;
    private final GapKeeper gaps;
    private final Pause pause = new Pause();
    private @Nullable NightshiftException removed;
    private @Nullable Instant heldUpSince;
    private Lsn before = Lsn.INVALID;
    private final long begunAt = System.nanoTime();
    private boolean asksLedger;
    private volatile boolean handsOver;

    Archiving(RunContext run, ManagedCluster cluster, ClusterStorages storages, WorkFolder folder, Clock clock) {
        this.run = run;
        this.cluster = cluster;
        this.storages = storages;
        this.clock = clock;
        this.watch = new ArchiveWatch(run, cluster, ArchiveSlot.name(storages.installation(), cluster.name()));
        this.report = new ArchiveReport(run);
        this.gaps = new GapKeeper(run, storages, clock);
        this.stream = new ArchiveStream(run, cluster, watch, report, spool(folder), clock);
    }

    /** What a process that was killed has left there is streamed again. */
    private Path spool(WorkFolder work) {
        Path folder = work.of("wal-" + cluster.name());
        try (DirectoryStream<Path> left = Files.newDirectoryStream(folder, "*.spool")) {
            for (Path file : left) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return folder;
    }

    void work() {
        run.progress().begin("look at the slots", null, "");
        try (watch) {
            watch.look();
            watch.start();
            while (goesOn()) {
                attempt();
            }
            watch.look();
        } finally {
            report.end();
        }
        run.cancellation().check();
        watch.check();
    }

    private void attempt() {
        try {
            stream.stream(storages.forWriting(cluster.name()), removed, gaps, this::goesOn);
            removed = null;
            heldUpSince = null;
        } catch (NightshiftException e) {
            run.cancellation().check();
            watch.check();
            if (ArchiveStream.isRemoved(e)) {
                removed = e;
            } else if (!passes(e)) {
                throw e;
            }
            waitAfter(e);
        }
    }

    private boolean goesOn() {
        return !run.cancellation().isCancelled() && !handsOver();
    }

    /**
     * Whether the day ends now. It is time for that at its end, and when a full backup was asked for, which is queued then;
     * but not while the control database is away and nobody could begin the next run. The question may take long, so that
     * no stream waits for its answer.
     */
    private boolean handsOver() {
        boolean isTime = gaps.fullIsWanted()
                || run.endsDayAt().map(end -> !clock.instant().isBefore(end)).orElse(false);
        if (isTime && !asksLedger) {
            asksLedger = true;
            StepThreads.named("wal-archive-ledger").start(this::askLedger);
        }
        return handsOver;
    }

    private void askLedger() {
        while (!handsOver && !run.cancellation().isCancelled()) {
            try {
                run.checkOwnership();
                handsOver = true;
            } catch (RuntimeException e) {
                LOG.info("the day ends later: {}", e.getMessage());
                handsOver = e instanceof NightshiftException refused && refused.kind() == FailureKind.REFUSED;
                LockSupport.parkNanos(ASK_LEDGER_EVERY.toNanos());
            }
        }
    }

    /** Whether it may be otherwise in a moment. */
    private boolean passes(NightshiftException failure) {
        if (failure.kind().isTransient()
                || SLOT_CHANGED.contains(ReplicationConnection.sqlState(failure).orElse(""))) {
            return true;
        }
        if (failure.kind() == FailureKind.CANCELLED) {
            return watch.objection() != null;
        }
        return ArchiveStream.isSlotInUse(failure)
                && (watch.durable().isValid() || System.nanoTime() - begunAt < SLOT_IN_USE.toNanos());
    }

    private void waitAfter(NightshiftException failure) {
        String objection = watch.objection();
        String why = objection == null ? String.valueOf(failure.getMessage()) : objection;
        if (before.isBefore(watch.durable())) {
            before = watch.durable();
            pause.reset();
            heldUpSince = null;
        }
        Instant now = clock.instant();
        Instant since = heldUpSince == null ? now : heldUpSince;
        heldUpSince = since;
        LOG.warn("WAL of cluster {} not archived, again in {}: {}", cluster.name(), Durations.print(pause.next()), why);
        if (Duration.between(since, now).compareTo(WORTH_A_FINDING) >= 0) {
            run.report(new Finding(
                    "wal/held-up",
                    Severity.WARNING,
                    "WAL archive of " + cluster.name(),
                    "nothing was archived from " + since + " to " + now + " at least: " + why,
                    failure.hint()));
        }
        run.progress().begin("wait to stream WAL again: " + why, null, "");
        pause.await(run.cancellation(), this::goesOn);
    }
}
