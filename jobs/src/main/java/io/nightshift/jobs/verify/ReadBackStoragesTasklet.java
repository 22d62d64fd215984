package io.nightshift.jobs.verify;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.storage.ClusterStorages;
import io.nightshift.infra.storage.ReadRate;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.wal.WalCopy;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/**
 * Reads back what is planned for this run, after what is damaged already and could be repaired. What was read is noted in
 * the storages, so that a restart goes on behind it.
 */
final class ReadBackStoragesTasklet implements Tasklet {

    private static final String LAST_READ = "last reading before this run";

    private final RunContext run;
    private final ClusterStorages storages;
    private final Clock clock;

    ReadBackStoragesTasklet(RunContext run, ClusterStorages storages, Clock clock) {
        this.run = run;
        this.storages = storages;
        this.clock = clock;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        readBack();
        return RepeatStatus.FINISHED;
    }

    void readBack() {
        VerifyStorageSettings settings = run.settings(VerifyStorageSettings.class);
        long began = System.nanoTime();
        Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
        run.progress().begin("look into the storages", null, "");
        Places places = Places.of(run, storages, new ReadRate(settings.maxRate(), run.cancellation()));
        Holdings holdings = Holdings.of(run, places, now);
        List<Reading> readings = holdings.readings();
        List<Reading> planned = ReadingPlan.within(holdings.suspects(), settings.budget(), now);
        ReadingPlan plan = ReadingPlan.of(
                readings,
                settings.every(),
                ReadingPlan.left(settings.budget(), planned),
                lastReadAt(readings, now),
                now);
        List<Reading> all = new ArrayList<>(holdings.suspects());
        all.addAll(readings);
        VerifyStorageReport report = new VerifyStorageReport(run, settings, all, now);
        planned.addAll(plan.readings());
        if (run.dryRun()) {
            report.wouldRead(planned);
            return;
        }
        Repairs repairs = new Repairs(run, settings.repair());
        Set<Reading> done = new LinkedHashSet<>();
        WalReader wal = new WalReader(run, places, holdings, repairs, now);
        try {
            read(planned, places, wal, new BackupReader(run, places, repairs, clock), done);
            holdings.wal().forEach(archived -> read(archived, places, wal));
        } catch (RuntimeException | Error broken) {
            keepWhatWasRead(wal, broken);
            throw broken;
        }
        wal.keep(run::checkOwnership);
        wal.sayDifferingHistories();
        int damaged = new DamageReport(run, places, holdings, repairs).say();
        report.done(done, places, repairs, damaged, Duration.ofNanos(System.nanoTime() - began));
    }

    /** Of the time before the first attempt, so that a restart has the share that is left of it. */
    private @Nullable Instant lastReadAt(List<Reading> readings, Instant now) {
        Optional<String> remembered = run.recall(LAST_READ);
        if (remembered.isPresent()) {
            return remembered.get().isEmpty() ? null : Instant.parse(remembered.get());
        }
        Optional<Instant> last = ReadingPlan.lastReadAt(readings, now);
        run.remember(LAST_READ, last.map(Instant::toString).orElse(""));
        return last.orElse(null);
    }

    private void read(List<Reading> planned, Places places, WalReader wal, BackupReader backups, Set<Reading> done) {
        boolean inWal = false;
        long left = planned.stream()
                .filter(WalReading.class::isInstance)
                .mapToLong(Reading::bytes)
                .sum();
        for (Reading reading : planned) {
            run.cancellation().check();
            Optional<Storage> storage = places.open(reading.storage());
            if (storage.isEmpty()) {
                continue;
            }
            if (reading instanceof WalReading && !inWal) {
                run.progress().begin("read WAL back", left, "bytes");
            }
            inWal = reading instanceof WalReading;
            guarded(places, storage.get(), subject(reading), object(reading), () -> {
                if (read(reading, storage.get(), wal, backups)) {
                    done.add(reading);
                }
            });
            if (inWal) {
                run.progress().advance(reading.bytes());
                left -= reading.bytes();
            }
        }
    }

    private static boolean read(Reading reading, Storage storage, WalReader wal, BackupReader backups) {
        return reading instanceof BackupReading backup
                ? backups.read(backup, storage)
                : reading instanceof WalReading archived
                        && wal.read(archived.wal(), archived.item().object());
    }

    private void read(WalCopy archived, Places places, WalReader wal) {
        if (places.open().contains(archived.storage())) {
            String folder = archived.paths().folder() + "/wal/";
            guarded(places, archived.storage(), "WAL of " + archived.paths().folder(), folder, () -> {
                wal.readHistories(archived);
                wal.readDamaged(archived);
                wal.bringBack(archived);
            });
        }
    }

    /** Whatever a storage does, the others are read. */
    private static void guarded(Places places, Storage storage, String subject, String object, Runnable reading) {
        try {
            reading.run();
        } catch (NightshiftException failed) {
            if (failed.kind() == FailureKind.REFUSED) {
                throw failed; // somebody else does this run by now
            }
            places.failed(
                    storage,
                    subject + " in storage " + storage.name(),
                    DamageReport.key(storage.name(), object),
                    failed);
        }
    }

    /** Also when the run was stopped; but not when it is somebody else's by now, whose word is newer. */
    private static void keepWhatWasRead(WalReader wal, Throwable broken) {
        if (broken instanceof NightshiftException failed && failed.kind() == FailureKind.REFUSED) {
            return;
        }
        try {
            wal.keep(() -> {});
        } catch (NightshiftException lost) {
            broken.addSuppressed(lost);
        }
    }

    private static String subject(Reading reading) {
        return reading instanceof BackupReading backup
                ? "backup " + backup.backup().label()
                : "WAL " + ((WalReading) reading).item().object().name();
    }

    private static String object(Reading reading) {
        return reading instanceof BackupReading backup
                ? BackupReader.object(backup.backup().paths(), backup.backup().label())
                : DamageReport.object(
                        ((WalReading) reading).wal(),
                        ((WalReading) reading).item().object());
    }
}
