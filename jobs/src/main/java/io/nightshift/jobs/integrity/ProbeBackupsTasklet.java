package io.nightshift.jobs.integrity;

import io.nightshift.infra.backup.BackupCatalog;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.chunk.Chunk;
import io.nightshift.infra.chunk.ChunkBook;
import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.restore.RestorePlan;
import io.nightshift.infra.restore.RestoreTarget;
import io.nightshift.infra.restore.RestoreTimeline;
import io.nightshift.infra.restore.RestoredCopies;
import io.nightshift.infra.restore.RestoredCopy;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.server.PostgresBinaries;
import io.nightshift.infra.storage.ClusterStorages;
import io.nightshift.infra.storage.Storage;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/**
 * Restores one backup after the other into scratch space and looks for the finding's subject there, each as it was when the
 * backup ended. What each has shown is kept at once, so that a restart goes on behind it; nothing of a copy is kept.
 */
final class ProbeBackupsTasklet implements Tasklet {

    private static final int WORKERS =
            Math.max(2, Math.min(8, Runtime.getRuntime().availableProcessors()));

    private final RunContext run;
    private final ClusterStorages storages;
    private final RestoredCopies copies;
    private final ChunkBook book;
    private final Clock clock;

    ProbeBackupsTasklet(RunContext run, ClusterStorages storages, RestoredCopies copies, ChunkBook book, Clock clock) {
        this.run = run;
        this.storages = storages;
        this.copies = copies;
        this.book = book;
        this.clock = clock;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        BisectSettings settings = run.settings(BisectSettings.class);
        ProbedSubject subject = ProbedSubject.of(settings.finding());
        run.progress().begin("choose backups", null, "");
        List<Storage> places = storages.forReading(run.cluster());
        List<StoredBackup> all = new BackupCatalog(places).backups(run.cluster());
        RestorableCluster cluster = RestorableCluster.of(run.cluster(), places, all, null);
        if (run.dryRun()) {
            int backups = cluster.restorable().size();
            run.summary("would restore " + BisectReport.atMost(backups) + " of " + BisectReport.backups(backups)
                    + " at most, and look for " + subject.object() + " in each");
            return RepeatStatus.FINISHED;
        }
        copies.sweep(clock.instant());
        if (book.chunks(run, place(subject)).isEmpty()) {
            List<String> newestFirst = new ArrayList<>();
            cluster.restorable()
                    .forEach(backup ->
                            newestFirst.add(0, BisectedBackup.of(backup).json()));
            book.plan(run, place(subject), newestFirst);
        }
        for (OptionalInt next = search(subject).next();
                next.isPresent();
                next = search(subject).next()) {
            int number = next.getAsInt();
            Chunk chunk = book.chunks(run, place(subject)).get(number);
            Probe probe = probe(cluster, BisectedBackup.parse(chunk.work()), subject, settings);
            book.finish(run, Map.of(chunk.number(), probe.json()));
            CrashPoint.reach("bisect-damage.probed-" + number);
        }
        run.checkOwnership();
        new BisectReport(subject, book.chunks(run, place(subject))).write(run);
        return RepeatStatus.FINISHED;
    }

    private static String place(ProbedSubject subject) {
        return "backups with " + subject.check() + " " + subject.object();
    }

    private DamageSearch search(ProbedSubject subject) {
        return BisectReport.search(book.chunks(run, place(subject)));
    }

    private Probe probe(
            RestorableCluster cluster, BisectedBackup backup, ProbedSubject subject, BisectSettings settings) {
        Instant begun = clock.instant();
        Probe probe = cluster.restorable().stream()
                .filter(there -> there.label().toString().equals(backup.label()))
                .findFirst()
                .map(there -> probe(cluster, there, subject, settings))
                .orElseGet(() -> Probe.notTestable("it is not there any more"));
        return probe.taking(Duration.between(begun, clock.instant()).toSeconds());
    }

    private Probe probe(
            RestorableCluster cluster, StoredBackup backup, ProbedSubject subject, BisectSettings settings) {
        try {
            RestorePlan plan = cluster.plan(backup, new RestoreTarget.Immediate(), new RestoreTimeline.Latest());
            DataSize needed = new DataSize(cluster.bytes(plan));
            Optional<String> lack = lackOfRoom(needed, settings);
            if (lack.isPresent()) {
                return Probe.notTestable(lack.get());
            }
            int major = plan.document().major();
            Optional<PostgresBinaries> binaries = copies.binaries(major);
            if (binaries.isEmpty()) {
                return Probe.notTestable("no server of PostgreSQL " + major + " on this machine");
            }
            return probe(cluster, plan, binaries.get(), subject, settings);
        } catch (NightshiftException failed) {
            run.cancellation().check();
            if (failed.kind() != FailureKind.DATA_DAMAGED && failed.kind() != FailureKind.REFUSED) {
                throw failed;
            }
            return Probe.notTestable("cannot be restored: " + failed.getMessage());
        }
    }

    private Optional<String> lackOfRoom(DataSize needed, BisectSettings settings) {
        DataSize limit = settings.scratchLimit();
        if (limit != null && needed.compareTo(limit) > 0) {
            return Optional.of(needed.rounded() + " needed, scratch-limit is " + limit.rounded());
        }
        copies.makeRoom(needed.bytes());
        DataSize free = new DataSize(copies.usableBytes());
        return needed.compareTo(free) > 0
                ? Optional.of(needed.rounded() + " needed, " + free.rounded() + " free in " + copies.scratch())
                : Optional.empty();
    }

    private Probe probe(
            RestorableCluster cluster,
            RestorePlan plan,
            PostgresBinaries binaries,
            ProbedSubject subject,
            BisectSettings settings) {
        try (RestoredCopy copy = copies.create("run-" + run.id())) {
            copy.restore(cluster.chain(plan), plan, cluster.wal(), WORKERS, run.progress(), run.cancellation());
            try {
                copy.recover(binaries, plan.replayedBytes(), run.progress(), run.cancellation());
            } catch (NightshiftException failed) {
                run.cancellation().check();
                if (failed.kind() != FailureKind.DATA_DAMAGED && failed.kind() != FailureKind.POSTGRES_UNAVAILABLE) {
                    throw failed;
                }
                return Probe.notTestable("does not recover: " + failed.getMessage());
            }
            CrashPoint.reach("bisect-damage.open-" + plan.document().label());
            return subject.lookIn(copy, plan.document().label().toString(), settings.checkLimit(), run);
        }
    }
}
