package io.nightshift.scheduler.cli;

import io.nightshift.infra.backup.BackupCopy;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.storage.Storage;
import io.nightshift.scheduler.DemoCluster;
import io.nightshift.scheduler.Surroundings;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Whatever the storages of a cluster hold under a label, with a backup.json or without one.
 *
 * @param storages that may hold something of the cluster
 * @param copies by the name of the storage
 * @param failures of storages that do not answer, by their names
 */
record BackupSearch(
        String cluster,
        List<Storage> storages,
        Map<String, BackupCopy> copies,
        Map<String, NightshiftException> failures) {

    /** Looks in the storages of every cluster. */
    static BackupSearch of(Surroundings surroundings, Configuration configured, String text) {
        Configuration configuration = DemoCluster.storagesIn(configured, surroundings.home());
        Optional<BackupLabel> label = BackupLabel.tryParse(text);
        NightshiftException failure = null;
        for (String cluster :
                label.isEmpty() ? List.<String>of() : configuration.clusters().keySet()) {
            BackupSearch search =
                    in(cluster, BackupList.storagesOf(surroundings, configured, cluster), label.orElseThrow());
            if (!search.copies().isEmpty()) {
                return search;
            }
            failure = search.firstFailure(failure);
        }
        if (failure != null) {
            throw failure;
        }
        throw new NightshiftException(
                FailureKind.CONFIGURATION, "there is no backup " + text, "nightshift backups lists what there is");
    }

    private static BackupSearch in(String cluster, List<Storage> storages, BackupLabel label) {
        Map<String, BackupCopy> copies = new LinkedHashMap<>();
        Map<String, NightshiftException> failures = new LinkedHashMap<>();
        for (Storage storage : storages) {
            try {
                BackupCopy.find(storage, cluster, label).ifPresent(copy -> copies.put(storage.name(), copy));
            } catch (NightshiftException failed) {
                if (failed.kind() != FailureKind.STORAGE_UNAVAILABLE) {
                    throw failed;
                }
                failures.put(storage.name(), failed);
            }
        }
        return new BackupSearch(cluster, storages, copies, failures);
    }

    /** Whether some storage has its backup.json, readable or not. */
    boolean isBackup() {
        return copies.values().stream().anyMatch(BackupCopy::isPublished);
    }

    private @Nullable NightshiftException firstFailure(@Nullable NightshiftException earlier) {
        return earlier != null
                ? earlier
                : failures.values().stream().findFirst().orElse(null);
    }
}
