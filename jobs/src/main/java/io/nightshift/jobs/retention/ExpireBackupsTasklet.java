package io.nightshift.jobs.retention;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.Debris;
import io.nightshift.infra.backup.Expiry;
import io.nightshift.infra.backup.PinNote;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.BackupCopies;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.retention.RetentionPast;
import io.nightshift.infra.retention.RetentionRecord;
import io.nightshift.infra.retention.RetentionRecords;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.storage.ClusterStorages;
import io.nightshift.infra.storage.MeteredStorage;
import io.nightshift.infra.storage.ReadRate;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StoredObject;
import io.nightshift.infra.wal.KeptWal;
import io.nightshift.infra.wal.ListedWal;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/**
 * Decides, says why, and deletes what earlier runs have let expire for a night: backups in all storages, what builds on
 * others first, then WAL. What was broken off is decided anew, with the same result.
 */
final class ExpireBackupsTasklet implements Tasklet {

    private final RunContext run;
    private final ClusterStorages storages;
    private final Clock clock;

    ExpireBackupsTasklet(RunContext run, ClusterStorages storages, Clock clock) {
        this.run = run;
        this.storages = storages;
        this.clock = clock;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        expire();
        return RepeatStatus.FINISHED;
    }

    void expire() {
        RetentionSettings settings = run.settings(RetentionSettings.class);
        Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
        run.progress().begin("look into the storages", null, "");
        long began = System.nanoTime();
        var unlimited = new ReadRate(null, run.cancellation());
        List<MeteredStorage> metered = storages.forDeleting(run.cluster()).stream()
                .map(storage -> new MeteredStorage(storage, unlimited))
                .toList();
        List<Storage> places = List.copyOf(metered);
        Inventory inventory = Inventory.of(run.cluster(), places, storages.required(run.cluster()), now);
        var records = new RetentionRecords(run.cluster(), places);
        RetentionPast past = records.past();
        RetentionDecision decision =
                settings.policy().decide(inventory.candidates(), now).with(past.ended());
        Forecast forecast = Forecast.of(settings.policy(), inventory.candidates(), past, now);
        List<Holding> holdings = holdings(places, inventory, decision, forecast, past, now);
        RetentionReport report = new RetentionReport(run, decision, forecast, holdings, past, now);
        report.say(settings);

        Optional<String> objection = settings.confirmed()
                ? Optional.empty()
                : new Caution(past.lastRunAt().orElse(null))
                        .objection(
                                holdings.stream()
                                        .map(holding -> holding.going(past, now))
                                        .toList(),
                                inventory.newest(past.ahead()).orElse(null),
                                now);
        if (run.dryRun()) {
            report.wouldDelete(objection);
            return;
        }
        objection.ifPresent(this::refuse);
        RetentionRecord record = record(decision, forecast, inventory, now);
        boolean said = say(records, record);
        unmark(decision, past, places);
        List<Candidate> saved = deleteBackups(decision.due(past, now), inventory, places);
        deleteDebris(inventory, past, places, now);
        if (saved.isEmpty()) {
            deleteWal(holdings);
        }
        if (!said) {
            records.add(record);
        }
        report.deleted(saved);
        report.took(metered, Duration.ofNanos(System.nanoTime() - began));
    }

    /** @return false if a storage is too full for it; what goes makes room */
    private boolean say(RetentionRecords records, RetentionRecord record) {
        run.checkOwnership();
        try {
            records.add(record);
            return true;
        } catch (NightshiftException failed) {
            if (failed.kind() != FailureKind.RESOURCES_EXHAUSTED) {
                throw failed;
            }
            return false;
        }
    }

    /** What was about to be deleted when a run died, and is kept now. */
    private static void unmark(RetentionDecision decision, RetentionPast past, List<Storage> places) {
        decision.kept().stream()
                .filter(backup -> past.expiredSince(backup.label()).isPresent())
                .forEach(backup -> places.stream()
                        .filter(storage -> Expiry.isMarked(storage, backup.paths(), backup.label()))
                        .forEach(storage -> Expiry.unmark(storage, backup.paths(), backup.label())));
    }

    private void refuse(String objection) {
        throw new NightshiftException(
                FailureKind.REFUSED,
                "nothing of cluster " + run.cluster() + " was deleted: " + objection,
                "look at the report; if it is what you want: nightshift run " + run.job() + " --cluster "
                        + run.cluster() + " --yes");
    }

    private static RetentionRecord record(
            RetentionDecision decision, Forecast forecast, Inventory inventory, Instant now) {
        Set<BackupLabel> expired = new HashSet<>();
        decision.expired().forEach(backup -> expired.add(backup.label()));
        inventory.debris().forEach(debris -> expired.add(debris.label()));
        Map<BackupLabel, Instant> expiring = new HashMap<>();
        forecast.expiring().forEach((label, day) -> expiring.put(label, now.plus(Duration.ofDays(day))));
        Set<BackupLabel> ahead = inventory.candidates().stream()
                .filter(backup -> backup.endedAt().isAfter(now.plus(Caution.SKEW)))
                .map(Candidate::label)
                .collect(Collectors.toSet());
        return new RetentionRecord(now, expired, expiring, decision.wal(), forecast.wal(), ahead);
    }

    private static List<Holding> holdings(
            List<Storage> places,
            Inventory inventory,
            RetentionDecision decision,
            Forecast forecast,
            RetentionPast past,
            Instant now) {
        List<Holding> holdings = new ArrayList<>();
        Map<KeptWal, OptionalLong> segmentSizes = new HashMap<>();
        for (Storage storage : places) {
            List<Holding.SystemWal> wal = new ArrayList<>();
            for (KeptWal system : decision.wal()) {
                segmentSizes
                        .computeIfAbsent(system, unknown -> segmentSize(system, inventory, places))
                        .ifPresent(size -> wal.add(Holding.SystemWal.of(
                                ListedWal.list(storage, system.paths(), size),
                                system,
                                decision.lingering(system.paths(), past, now),
                                forecast,
                                past,
                                now)));
            }
            holdings.add(Holding.of(storage, decision, wal, past, now));
        }
        return holdings;
    }

    /** Empty where nobody knows: what WAL is worth there is not known either. Where none is kept, any does. */
    private static OptionalLong segmentSize(KeptWal system, Inventory inventory, List<Storage> places) {
        for (StoredBackup backup : inventory.restorable(system.paths())) {
            try {
                return OptionalLong.of(RestorableCluster.segmentSize(BackupCopies.of(backup, places)));
            } catch (NightshiftException failed) {
                if (failed.kind() != FailureKind.DATA_DAMAGED) {
                    throw failed;
                }
            }
        }
        return system.from() == null && system.also().isEmpty()
                ? OptionalLong.of(WalSegment.SMALLEST)
                : OptionalLong.empty();
    }

    /** @return those that somebody has pinned meanwhile: they stay, with what they build on */
    private List<Candidate> deleteBackups(List<Candidate> due, Inventory inventory, List<Storage> places) {
        run.progress().begin("delete backups", (long) due.size(), "backups");
        List<Candidate> saved = new ArrayList<>();
        for (Candidate backup : due) {
            run.cancellation().check();
            boolean isNeeded = saved.stream().anyMatch(builtOn -> backup.label().equals(builtOn.parent()));
            if (isNeeded || !delete(backup, inventory.pin(backup).orElse(null), places)) {
                saved.add(backup);
            }
            run.progress().advance(1);
        }
        return saved;
    }

    private boolean delete(Candidate backup, @Nullable PinNote pin, List<Storage> places) {
        for (Storage storage : places) {
            if (!Expiry.expire(storage, backup.paths(), backup.label(), pin, run::checkOwnership)) {
                return false;
            }
            CrashPoint.reach("retention.backup-deleted");
        }
        return true;
    }

    /** What was broken off goes on; what a writer has left is looked at for a night, as all else. */
    private void deleteDebris(Inventory inventory, RetentionPast past, List<Storage> places, Instant now) {
        List<Debris> going = new ArrayList<>(inventory.broken());
        inventory.debris().stream()
                .filter(debris -> past.deletedFrom(debris.label())
                        .filter(from -> !from.isAfter(now))
                        .isPresent())
                .forEach(going::add);
        run.progress().begin("delete what was left", (long) going.size(), "backups");
        for (Debris debris : going) {
            run.cancellation().check();
            places.stream()
                    .filter(storage -> storage.name().equals(debris.storage()))
                    .forEach(storage ->
                            Expiry.expire(storage, debris.paths(), debris.label(), null, run::checkOwnership));
            run.progress().advance(1);
        }
    }

    private void deleteWal(List<Holding> holdings) {
        long objects =
                holdings.stream().mapToLong(holding -> holding.dueWal().size()).sum();
        run.progress().begin("delete WAL", objects, "objects");
        for (Holding holding : holdings) {
            for (StoredObject object : holding.dueWal()) {
                run.cancellation().check();
                run.checkOwnership();
                holding.storage().delete(object.name());
                CrashPoint.reach("retention.wal-deleted");
                run.progress().advance(1);
            }
        }
    }
}
