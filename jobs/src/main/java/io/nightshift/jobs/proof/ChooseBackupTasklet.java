package io.nightshift.jobs.proof;

import io.nightshift.infra.backup.BackupCatalog;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.BackupCopies;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.restore.RestorePlan;
import io.nightshift.infra.restore.RestoreTarget;
import io.nightshift.infra.restore.RestoreTimeline;
import io.nightshift.infra.restore.RestoredCopies;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.server.PostgresBinaries;
import io.nightshift.infra.storage.ClusterStorages;
import io.nightshift.infra.storage.Storage;
import io.nightshift.jobs.proof.RestoreTestSettings.Choice;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
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
            tell(copies.sweep(clock.instant()));
        }
        SourcePoint source = SourcePoint.ask(clusters.cluster(run.cluster()), run.purpose(), clock);
        List<Storage> places = storages.forReading(run.cluster());
        List<StoredBackup> backups = new BackupCatalog(places).backups(run.cluster());
        RestorableCluster cluster = RestorableCluster.of(run.cluster(), places, backups, null);
        Planned planned = plan(cluster, settings);
        RestorePlan plan = planned.plan();
        List<BackupCopies> chain = cluster.chain(plan);
        DataSize needed = new DataSize(cluster.bytes(plan));
        requireRoom(settings, plan, needed)
                .flatMap(binaries -> dry(plan, needed, binaries))
                .ifPresent(binaries -> tested.begin(
                        run.id(),
                        new TestedCopy(new ChosenBackup(cluster, plan, chain, binaries, source, planned.archived()))));
        return RepeatStatus.FINISHED;
    }

    /** @param archived how far it could be restored; null where the plan goes there */
    private record Planned(RestorePlan plan, @Nullable ReachedPoint archived) {}

    private Planned plan(RestorableCluster cluster, RestoreTestSettings settings) {
        if (settings.backup() == Choice.NEWEST) {
            return new Planned(newest(cluster), null);
        }
        long seed = settings.seed() == null ? ThreadLocalRandom.current().nextLong(1_000_000) : settings.seed();
        run.measured(new Figure("seed", seed, ""));
        RandomGenerator random = new Random(seed);
        return settings.backup() == Choice.RANDOM
                ? new Planned(furthest(cluster, random(cluster.lasting(), random)), null)
                : atMoment(cluster, random);
    }

    private static RestorePlan furthest(RestorableCluster cluster, @Nullable StoredBackup only) {
        return cluster.plan(only, new RestoreTarget.Latest(), new RestoreTimeline.Latest());
    }

    private RestorePlan newest(RestorableCluster cluster) {
        List<StoredBackup> restorable = cluster.restorable();
        StoredBackup newest = restorable.get(restorable.size() - 1);
        RestorePlan plan = furthest(cluster, null);
        if (!plan.backup().label().equals(newest.label())) {
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

    /** A moment that turns out to be behind the last known one is drawn again, before it. */
    private Planned atMoment(RestorableCluster cluster, RandomGenerator random) {
        RestorePlan furthest = newest(cluster);
        var moments = new RandomMoment(cluster.restorability().windows(), random);
        Optional<RandomMoment.Drawn> drawn = moments.next();
        while (drawn.isPresent()) {
            run.cancellation().check();
            try {
                return new Planned(
                        cluster.plan(
                                null,
                                new RestoreTarget.AtTime(drawn.get().at(), true),
                                new RestoreTimeline.Given(drawn.get().window().timeline())),
                        ChosenBackup.end(furthest));
            } catch (NightshiftException refused) {
                if (refused.kind() != FailureKind.REFUSED) {
                    throw refused;
                }
                moments.tooLate(drawn.get());
                drawn = moments.next();
            }
        }
        run.notEvaluated("a random moment", "there is none: no WAL is archived behind any backup");
        return new Planned(furthest, null);
    }

    static StoredBackup random(List<StoredBackup> restorable, RandomGenerator random) {
        return restorable.get(random.nextInt(restorable.size()));
    }

    /** The servers for it; empty if it does not fit here or there are none, which is said. */
    private Optional<PostgresBinaries> requireRoom(RestoreTestSettings settings, RestorePlan plan, DataSize needed) {
        DataSize limit = settings.scratchLimit();
        if (limit != null && needed.compareTo(limit) > 0) {
            return notEvaluated(
                    plan,
                    needed.rounded() + " needed, scratch-limit is " + limit.rounded()
                            + ": raise it to test this backup");
        }
        if (!run.dryRun()) {
            tell(copies.makeRoom(needed.bytes()));
        }
        DataSize free = new DataSize(copies.usableBytes());
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

    private void tell(List<RestoredCopies.Discarded> discarded) {
        discarded.forEach(copy -> run.report(RestoreTestReport.discarded(run.cluster(), copy)));
    }

    private Optional<PostgresBinaries> notEvaluated(RestorePlan plan, String reason) {
        run.notEvaluated(RestoreTestReport.nothingChecked(plan.document(), reason));
        run.summary("backup " + plan.document().label() + " not restored: " + reason);
        return Optional.empty();
    }

    private Optional<PostgresBinaries> dry(RestorePlan plan, DataSize needed, PostgresBinaries binaries) {
        if (!run.dryRun()) {
            return Optional.of(binaries);
        }
        run.summary("would restore "
                + RestoreTestReport.chain(
                        plan.document().label(), plan.chain().links().size())
                + ", up to " + needed.rounded() + ", and check it with PostgreSQL " + binaries.version());
        return Optional.empty();
    }
}
