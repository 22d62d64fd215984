package io.nightshift.jobs.retention;

import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.backup.Debris;
import io.nightshift.infra.backup.Expiry;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.BackupCopies;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.storage.ClusterStorages;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StoredObject;
import io.nightshift.infra.wal.ExpiredWal;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/**
 * Decides, says why, and deletes: backups in all storages, what builds on others first, then WAL. What was broken off is
 * decided anew, with the same result.
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
        List<Storage> places = storages.forDeleting(run.cluster());
        Inventory inventory = Inventory.of(run.cluster(), places, now);
        RetentionDecision decision = settings.policy().decide(inventory.candidates(), now);
        Forecast forecast = Forecast.of(settings.policy(), inventory.candidates(), now);
        Map<Storage, ExpiredWal> wal = wal(places, inventory, decision);
        var announcements = new Announcements(run.cluster(), places);
        RetentionReport report = new RetentionReport(run, decision, forecast, wal, now);
        report.say(settings);
        Caution caution = announcements.caution(now);
        boolean othersGo = !inventory.debris().isEmpty()
                || wal.values().stream().anyMatch(each -> !each.expired().isEmpty());
        Optional<String> objection =
                settings.confirmed() ? Optional.empty() : caution.objection(decision, othersGo, now);
        if (run.dryRun()) {
            report.wouldDelete(objection);
            return;
        }
        objection.ifPresent(this::refuse);
        if (settings.confirmed() || caution.clock(decision, now).isEmpty()) {
            announcements.say(forecast, now);
        }
        delete(places, inventory, decision, wal);
        report.deleted();
    }

    private void refuse(String objection) {
        throw new NightshiftException(
                FailureKind.REFUSED,
                "nothing of cluster " + run.cluster() + " was deleted: " + objection,
                "look at the report; if it is what you want: nightshift run " + run.job() + " --cluster "
                        + run.cluster() + " --yes");
    }

    /** Of a system without a backup that can be restored, nobody knows what WAL is worth. */
    private static Map<Storage, ExpiredWal> wal(List<Storage> places, Inventory inventory, RetentionDecision decision) {
        Map<Storage, ExpiredWal> expired = new LinkedHashMap<>();
        places.forEach(storage -> expired.put(storage, new ExpiredWal(List.of(), List.of())));
        for (WalDecision system : decision.wal()) {
            Optional<StoredBackup> any = inventory.restorable(system.paths());
            if (any.isEmpty()) {
                continue;
            }
            long segmentSize = RestorableCluster.segmentSize(BackupCopies.of(any.get(), places));
            for (Storage storage : places) {
                expired.merge(
                        storage, ExpiredWal.of(storage, system.paths(), segmentSize, system::keeps), ExpiredWal::plus);
            }
        }
        return expired;
    }

    private void delete(
            List<Storage> places, Inventory inventory, RetentionDecision decision, Map<Storage, ExpiredWal> wal) {
        long backups = decision.expired().size() + (long) inventory.debris().size();
        run.progress().begin("delete backups", backups, "backups");
        for (Candidate expired : decision.expired()) {
            run.cancellation().check();
            for (Storage storage : places) {
                Expiry.expire(storage, expired.paths(), expired.label(), run::checkOwnership);
                CrashPoint.reach("retention.backup-deleted");
            }
            run.progress().advance(1);
        }
        for (Debris debris : inventory.debris()) {
            run.cancellation().check();
            Storage storage = storage(places, debris.storage());
            BackupPaths paths = debris.paths();
            Expiry.expire(storage, paths, debris.label(), run::checkOwnership);
            run.progress().advance(1);
        }
        long objects =
                wal.values().stream().mapToLong(each -> each.expired().size()).sum();
        run.progress().begin("delete WAL", objects, "objects");
        wal.forEach((storage, expired) -> {
            for (StoredObject object : expired.expired()) {
                run.cancellation().check();
                run.checkOwnership();
                storage.delete(object.name());
                CrashPoint.reach("retention.wal-deleted");
                run.progress().advance(1);
            }
        });
    }

    private static Storage storage(List<Storage> places, String name) {
        return places.stream()
                .filter(storage -> storage.name().equals(name))
                .findFirst()
                .orElseThrow();
    }
}
