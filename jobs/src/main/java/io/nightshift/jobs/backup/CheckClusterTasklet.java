package io.nightshift.jobs.backup;

import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.storage.ClusterStorages;
import io.nightshift.infra.storage.Installation;
import io.nightshift.infra.storage.Storage;
import java.sql.SQLException;
import java.time.Clock;
import java.util.stream.Stream;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/** Makes sure, before anything is read, that the cluster can give a backup and the storages can take one. */
final class CheckClusterTasklet implements Tasklet {

    private final RunContext run;
    private final DatabaseOrchestrator clusters;
    private final ClusterStorages storages;
    private final Clock clock;

    CheckClusterTasklet(RunContext run, DatabaseOrchestrator clusters, ClusterStorages storages, Clock clock) {
        this.run = run;
        this.clusters = clusters;
        this.storages = storages;
        this.clock = clock;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        run.progress().begin("check cluster", null, "");
        String cluster = run.cluster();
        ServerFacts facts = facts(cluster);
        Preflight preflight = new Preflight(cluster, facts);
        preflight.requireBackupPossible();
        preflight.findings().forEach(run::report);
        run.remember(ServerFacts.VERSION, facts.version().toString());
        if (!run.dryRun()) {
            storages.forWriting(cluster).storages().forEach(storage -> checkRoom(storage, facts));
        } else {
            storages.forReading(cluster).forEach(storage -> look(storage, facts));
            run.summary("a full backup of cluster " + cluster + " is possible; nothing was read or written");
        }
        return RepeatStatus.FINISHED;
    }

    private ServerFacts facts(String cluster) {
        try (ServerSession session = ServerSession.open(clusters.cluster(cluster), run)) {
            return ServerFacts.of(session.connection(), clock);
        } catch (SQLException e) {
            // A stopped run ends as such, whatever the cut session said.
            run.cancellation().check();
            throw SqlStates.failure("check of cluster " + cluster, e);
        }
    }

    private void checkRoom(Storage storage, ServerFacts facts) {
        storage.freeBytes().ifPresent(free -> {
            StorageSpace space = new StorageSpace(
                    storage.name(),
                    free,
                    PastBackups.lastStoredBytes(storage, run.cluster()).orElse(null),
                    facts.bytes());
            space.requireRoom();
            space.finding().ifPresent(run::report);
        });
    }

    /** Only a look: opening a storage for writing makes its directory and takes it for this installation. */
    private void look(Storage storage, ServerFacts facts) {
        try (Stream<String> folders = storage.folders("")) {
            if (Installation.read(storage).isEmpty() && folders.findAny().isPresent()) {
                run.notEvaluated("storage " + storage.name(), "holds folders but no " + Installation.OBJECT);
            }
            checkRoom(storage, facts);
        } catch (NightshiftException failed) {
            if (failed.kind() != FailureKind.STORAGE_UNAVAILABLE) {
                throw failed;
            }
            // A new storage, whose directory its first backup makes, or one that is not mounted.
            run.notEvaluated("storage " + storage.name(), String.valueOf(failed.getMessage()));
        }
    }
}
