package io.nightshift.jobs.backup;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupType;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.replication.ReplicationConnection;
import io.nightshift.infra.replication.SystemIdentity;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.WorkFolder;
import io.nightshift.infra.storage.ClusterStorages;
import io.nightshift.infra.storage.Installation;
import io.nightshift.infra.storage.Storage;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
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
    private final WorkFolder folder;
    private final Clock clock;

    CheckClusterTasklet(
            RunContext run, DatabaseOrchestrator clusters, ClusterStorages storages, WorkFolder folder, Clock clock) {
        this.run = run;
        this.clusters = clusters;
        this.storages = storages;
        this.folder = folder;
        this.clock = clock;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        try {
            check();
        } catch (NightshiftException e) {
            // A stopped run ends as such, whatever a server that hangs, or was cut off, has led to.
            run.cancellation().check();
            throw e;
        }
        return RepeatStatus.FINISHED;
    }

    private void check() {
        run.progress().begin("check cluster", null, "");
        String cluster = run.cluster();
        ManagedNode node = clusters.cluster(cluster).node(BackupSettings.of(run).intent());
        SourceState state = new SourceCheck(run, clock).require(node);
        if (!run.dryRun()) {
            requireRoom(storages.forWriting(cluster).storages(), state);
        } else {
            requireRoom(readable(storages.forReading(cluster)), state);
            run.summary(possible(node) + " is possible; nothing was read or written");
        }
    }

    /** Over a replication connection: the stream would find out only then whether pg_hba.conf lets us replicate. */
    private String possible(ManagedNode node) {
        BackupType type = BackupSteps.type(run.type());
        try (ReplicationConnection server = node.replication(run.purpose())) {
            SystemIdentity identity = server.identifySystem();
            if (!type.needsParent()) {
                return "a full backup of cluster " + run.cluster();
            }
            ParentChoice choice = new Parents(run, type, storages, folder.path(), clock).choose(server, identity);
            BackupLabel parent =
                    choice.parent() == null ? null : choice.parent().label();
            if (parent == null) {
                BackupReport.requireFullWanted(run, type, choice.reasons());
            }
            BackupReport.parent(run, parent, choice.reasons());
            return parent == null
                    ? "a full backup of cluster " + run.cluster()
                    : "a backup of cluster " + run.cluster() + " that builds on " + parent;
        }
    }

    private void requireRoom(List<Storage> places, SourceState state) {
        List<StorageSpace> spaces = StorageSpace.of(places, run.cluster(), state.bytes());
        spaces.forEach(StorageSpace::requireRoom);
        spaces.forEach(space -> space.finding().ifPresent(run::report));
    }

    /** Only a look: opening a storage for writing makes its directory and takes it for this installation. */
    private List<Storage> readable(List<Storage> configured) {
        List<Storage> readable = new ArrayList<>();
        for (Storage storage : configured) {
            try (Stream<String> folders = storage.folders("")) {
                if (Installation.read(storage).isEmpty() && folders.findAny().isPresent()) {
                    run.notEvaluated("storage " + storage.name(), "holds folders but no " + Installation.OBJECT);
                }
                readable.add(storage);
            } catch (NightshiftException failed) {
                if (failed.kind() != FailureKind.STORAGE_UNAVAILABLE) {
                    throw failed;
                }
                // A new storage, whose directory its first backup makes, or one that is not mounted.
                run.notEvaluated("storage " + storage.name(), String.valueOf(failed.getMessage()));
            }
        }
        return readable;
    }
}
