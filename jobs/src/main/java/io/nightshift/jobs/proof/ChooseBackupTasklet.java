package io.nightshift.jobs.proof;

import io.nightshift.infra.backup.BackupCatalog;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.restore.BackupCopies;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.restore.RestorePlan;
import io.nightshift.infra.restore.RestoreTarget;
import io.nightshift.infra.restore.RestoreTimeline;
import io.nightshift.infra.restore.RestoredCopies;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.server.PostgresBinaries;
import io.nightshift.infra.storage.ClusterStorages;
import io.nightshift.infra.storage.Storage;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.random.RandomGenerator;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/** Clears up what killed runs have left; then chooses what is restored, as {@code nightshift restore} would, if it fits. */
final class ChooseBackupTasklet implements Tasklet {

    private final RunContext run;
    private final TestedCopies tested;
    private final DatabaseOrchestrator clusters;
    private final ClusterStorages storages;
    private final RestoredCopies copies;
    private final Clock clock;

    ChooseBackupTasklet(
            RunContext run,
            TestedCopies tested,
            DatabaseOrchestrator clusters,
            ClusterStorages storages,
            RestoredCopies copies,
            Clock clock) {
        this.run = run;
        this.tested = tested;
        this.clusters = clusters;
        this.storages = storages;
        this.copies = copies;
        this.clock = clock;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        RestoreTestSettings settings = run.settings(RestoreTestSettings.class);
        run.progress().begin("choose a backup", null, "");
        if (!run.dryRun()) {
            copies.sweep().stream()
                    .map(Path::getFileName)
                    .forEach(left -> run.report(RestoreTestReport.swept(run.cluster(), left.toString())));
        }
        SourcePoint source = SourcePoint.ask(clusters.cluster(run.cluster()), run.purpose(), clock);
        List<Storage> places = storages.forReading(run.cluster());
        List<StoredBackup> backups = new BackupCatalog(places).backups(run.cluster());
        RestorableCluster cluster = RestorableCluster.of(run.cluster(), places, backups, null);
        RestorePlan plan = plan(cluster, settings.backup());
        List<BackupCopies> chain = cluster.chain(plan);
        requireRoom(settings, plan, chain)
                .flatMap(binaries -> dry(plan, chain, binaries))
                .ifPresent(binaries -> tested.begin(
                        run.id(), new TestedCopy(new ChosenBackup(cluster, plan, chain, binaries, source))));
        return RepeatStatus.FINISHED;
    }

    private RestorePlan plan(RestorableCluster cluster, RestoreTestSettings.Choice choice) {
        List<StoredBackup> restorable = cluster.restorable();
        StoredBackup newest = restorable.get(restorable.size() - 1);
        StoredBackup only =
                choice == RestoreTestSettings.Choice.RANDOM ? random(restorable, ThreadLocalRandom.current()) : null;
        RestorePlan plan = cluster.plan(only, new RestoreTarget.Latest(), new RestoreTimeline.Latest());
        if (only == null && !plan.backup().label().equals(newest.label())) {
            run.report(new Finding(
                    "restore-test/newest/" + run.cluster(),
                    Severity.WARNING,
                    "backup " + newest.label(),
                    "does not lead to the end of the archived WAL; "
                            + plan.document().label() + " does, and is restored",
                    "nightshift restore " + newest.label() + " --to DIR --preview says why"));
        }
        return plan;
    }

    static StoredBackup random(List<StoredBackup> restorable, RandomGenerator random) {
        return restorable.get(random.nextInt(restorable.size()));
    }

    /** The servers for it; empty if it does not fit here or there are none, which is said. */
    private Optional<PostgresBinaries> requireRoom(
            RestoreTestSettings settings, RestorePlan plan, List<BackupCopies> chain) {
        DataSize needed = new DataSize(ChosenBackup.bytes(plan, chain));
        DataSize free = new DataSize(copies.usableBytes());
        DataSize limit = settings.scratchLimit();
        if (limit != null && needed.compareTo(limit) > 0) {
            return notEvaluated(
                    plan,
                    needed.rounded() + " needed, scratch-limit is " + limit.rounded()
                            + ": raise it to test this backup");
        }
        if (needed.compareTo(free) > 0) {
            return notEvaluated(
                    plan,
                    needed.rounded() + " needed, " + free.rounded() + " free in " + copies.scratch()
                            + ": make room there to test this backup");
        }
        int major = plan.document().major();
        Optional<PostgresBinaries> binaries = copies.binaries(major);
        if (binaries.isEmpty()) {
            return notEvaluated(
                    plan,
                    "no server of PostgreSQL " + major
                            + " on this machine: install its server package (Debian: postgresql-" + major
                            + "; Red Hat: postgresql" + major + "-server)");
        }
        return binaries;
    }

    private Optional<PostgresBinaries> notEvaluated(RestorePlan plan, String reason) {
        run.notEvaluated(RestoreTestReport.nothingChecked(plan.document(), reason));
        run.summary("backup " + plan.document().label() + " not restored: " + reason);
        return Optional.empty();
    }

    private Optional<PostgresBinaries> dry(RestorePlan plan, List<BackupCopies> chain, PostgresBinaries binaries) {
        if (!run.dryRun()) {
            return Optional.of(binaries);
        }
        run.summary("would restore " + RestoreTestReport.chain(plan.document().label(), chain.size()) + ", up to "
                + new DataSize(ChosenBackup.bytes(plan, chain)).rounded() + ", and check it with PostgreSQL "
                + binaries.version());
        return Optional.empty();
    }
}
