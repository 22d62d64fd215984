package io.nightshift.scheduler.cli;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.scheduler.DemoCluster;
import io.nightshift.scheduler.Surroundings;
import io.nightshift.scheduler.report.NightReport.BackupState;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What each cluster could be restored from, asked of its storages; one that is away hides no other cluster. */
final class BackupStates {

    private BackupStates() {}

    static List<BackupState> of(Surroundings surroundings, Configuration configuration) {
        return DemoCluster.storagesIn(configuration, surroundings.home()).clusters().keySet().stream()
                .map(cluster -> state(surroundings, configuration, cluster))
                .toList();
    }

    private static BackupState state(Surroundings surroundings, Configuration configuration, String cluster) {
        try {
            BackupList backups = BackupList.of(surroundings, configuration, cluster);
            Optional<StoredBackup> newest = backups.restorable().stream()
                    .max(Comparator.comparing(
                            backup -> backup.document().orElseThrow().endedAt()));
            if (newest.isPresent()) {
                BackupDocument document = newest.get().document().orElseThrow();
                return new BackupState(
                        cluster,
                        newest.get().label().toString(),
                        document.endedAt(),
                        // backup.json is written after everything was read back
                        true,
                        null,
                        document.bytes(),
                        null);
            }
            return none(
                    cluster,
                    backups.failures().isEmpty()
                            ? null
                            : backups.failures().get(0).getMessage());
        } catch (NightshiftException storagesAreAway) {
            return none(cluster, storagesAreAway.getMessage());
        }
    }

    private static BackupState none(String cluster, @Nullable String problem) {
        return new BackupState(cluster, null, null, false, null, null, problem);
    }
}
