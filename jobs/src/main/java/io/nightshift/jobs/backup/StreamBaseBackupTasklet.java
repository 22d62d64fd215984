package io.nightshift.jobs.backup;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupType;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.load.Brake;
import io.nightshift.infra.load.WatchedNode;
import io.nightshift.infra.orchestrator.DatabaseOrchestrator;
import io.nightshift.infra.orchestrator.HeavyWork;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.Intent;
import io.nightshift.infra.routing.Lineage;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Severity;
import io.nightshift.infra.run.WorkFolder;
import io.nightshift.infra.storage.ClusterStorages;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.batch.core.scope.context.ChunkContext;
import org.springframework.batch.core.step.StepContribution;
import org.springframework.batch.core.step.tasklet.Tasklet;
import org.springframework.batch.infrastructure.repeat.RepeatStatus;

/**
 * Streams a base backup, with the WAL it needs, into a new backup that nobody sees yet. A restart streams again only if
 * no backup of the run is waiting to be read back and published.
 */
final class StreamBaseBackupTasklet implements Tasklet {

    private static final Logger LOG = LoggerFactory.getLogger(StreamBaseBackupTasklet.class);

    /** Of building on a parent, before a full backup is taken: what a server must send whole may change meanwhile. */
    private static final int ATTEMPTS = 2;

    private final RunContext run;
    private final DatabaseOrchestrator clusters;
    private final ClusterStorages storages;
    private final WorkFolder folder;
    private final Clock clock;

    StreamBaseBackupTasklet(
            RunContext run, DatabaseOrchestrator clusters, ClusterStorages storages, WorkFolder folder, Clock clock) {
        this.run = run;
        this.clusters = clusters;
        this.storages = storages;
        this.folder = folder;
        this.clock = clock;
    }

    @Override
    public RepeatStatus execute(StepContribution contribution, ChunkContext chunkContext) {
        if (run.dryRun() || WrittenBackup.find(run).isPresent()) {
            return RepeatStatus.FINISHED;
        }
        try (Source source = source()) {
            run.progress().begin("wait for the checkpoint", null, "");
            new SourceCheck(run, clock).requireUnlessChecked(source.node());
            stream(source.node());
        }
        return RepeatStatus.FINISHED;
    }

    /** A node, and our place on it. */
    private record Source(ManagedNode node, HeavyWork.Place place) implements AutoCloseable {
        @Override
        public void close() {
            place.close();
        }
    }

    /** Who has waited for a place finds another cluster than before: the node is chosen again where it fits no more. */
    private Source source() {
        ManagedCluster cluster = clusters.cluster(run.cluster());
        Intent intent = BackupSettings.of(run).intent();
        Lineage asked = cluster.observeNow().lineage();
        while (true) {
            cluster.requireNoConflict();
            ManagedNode node = cluster.node(intent);
            HeavyWork.Place place = node.heavyWork(run);
            boolean fits = false;
            try {
                fits = cluster.isStill(intent, node.address());
            } finally {
                if (!fits) {
                    place.close();
                }
            }
            if (fits) {
                sayIfPromoted(asked, cluster.known().lineage(), node);
                return new Source(node, place);
            }
            run.cancellation().check();
        }
    }

    private void sayIfPromoted(@Nullable Lineage asked, @Nullable Lineage now, ManagedNode node) {
        if (asked != null && now != null && asked.newest().compareTo(now.newest()) < 0) {
            run.report(new Finding(
                    "backup/promotion",
                    Severity.INFO,
                    "cluster " + run.cluster(),
                    "went from timeline " + asked.newest() + " to timeline " + now.newest()
                            + " while the run waited for its place: the backup is read from " + node.address(),
                    null));
        }
    }

    /** Until one is sound: what a server must send whole may change while it sends. */
    private void stream(ManagedNode node) {
        BackupType type = BackupSteps.type(run.type());
        ManagedCluster cluster = clusters.cluster(run.cluster());
        List<String> objections = new ArrayList<>();
        Optional<BackupDocument> written = Optional.empty();
        for (int attempt = 1; written.isEmpty(); attempt++) {
            BackupType asked = attempt <= ATTEMPTS ? type : BackupType.FULL;
            if (asked != type) {
                BackupReport.requireFullWanted(run, type, objections);
            }
            try (Brake brake = brake(node)) {
                written =
                        new BackupAttempt(run, asked, cluster, node, storages, folder, clock).stream(brake, objections);
            }
        }
        WrittenBackup.remember(run, written.get());
    }

    /** The primary says how far its standbys are, and the node that is read how busy it is. */
    private Brake brake(ManagedNode source) {
        Map<NodeAddress, ManagedNode> watched = new LinkedHashMap<>();
        if (BackupSettings.of(run).source() != BackupSettings.Source.PRIMARY) {
            primary().ifPresent(primary -> watched.put(primary.address(), primary));
        }
        watched.put(source.address(), source);
        String purpose = run.purpose() + " load";
        return new Brake(
                BackupSettings.of(run).yield(),
                watched.values().stream()
                        .map(node -> new WatchedNode(node.address().toString(), () -> node.direct(purpose)))
                        .toList(),
                run.cancellation(),
                clock);
    }

    /** A backup of a standby goes on without one. */
    private Optional<ManagedNode> primary() {
        try {
            return Optional.of(clusters.cluster(run.cluster()).node(Intent.PRIMARY));
        } catch (NightshiftException none) {
            LOG.warn("load of the primary of cluster {} not observed: {}", run.cluster(), none.getMessage());
            return Optional.empty();
        }
    }
}
