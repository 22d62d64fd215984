package io.nightshift.infra.storage;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.DirectoryStorageConfig;
import io.nightshift.infra.config.StorageConfig;
import io.nightshift.infra.config.StorageDuty;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.nio.file.Files;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** Which storages a cluster uses, opened. Thread-safe. */
public final class ClusterStorages {

    private final Map<String, ClusterConfig> clusters;
    private final Map<String, StorageConfig> storages;
    private final String installation;
    private final KnownStorages known;
    private final Clock clock;
    private final UnaryOperator<Storage> layer;

    public ClusterStorages(
            Map<String, ClusterConfig> clusters,
            Map<String, StorageConfig> storages,
            String installation,
            KnownStorages known,
            Clock clock) {
        this(clusters, storages, installation, known, clock, UnaryOperator.identity());
    }

    /** @param layer lies between each storage and who works with it, such as one that breaks when a test says so */
    public ClusterStorages(
            Map<String, ClusterConfig> clusters,
            Map<String, StorageConfig> storages,
            String installation,
            KnownStorages known,
            Clock clock,
            UnaryOperator<Storage> layer) {
        this.clusters = Map.copyOf(clusters);
        this.storages = Map.copyOf(storages);
        this.installation = installation;
        this.known = known;
        this.clock = clock;
        this.layer = layer;
    }

    /** Which installation works with them. */
    public String installation() {
        return installation;
    }

    /** The required storages as one, for writing: each belongs to this installation, or does from now on. */
    public StorageSet forWriting(String cluster) {
        List<DirectoryStorage> required =
                required(cluster).stream().map(this::open).toList();
        required.forEach(this::own);
        return new StorageSet(required.stream().map(layer).toList());
    }

    /**
     * Every storage of the cluster, required ones first; each belongs to this installation, or REFUSED. A best-effort one
     * to which nothing was ever written is left out.
     */
    public List<Storage> forDeleting(String cluster) {
        return used(cluster)
                .map(storage -> {
                    Installation.check(storage, installation);
                    return layer.apply(storage);
                })
                .toList();
    }

    /**
     * Every storage to which something of the cluster should have been written, required ones first; whether they answer, and
     * are this installation's, is for the caller to {@link Installation#check}, one by one.
     */
    public List<Storage> forRepairing(String cluster) {
        return used(cluster).map(layer).toList();
    }

    private Stream<DirectoryStorage> used(String cluster) {
        return cluster(cluster).storages().entrySet().stream()
                .sorted(Map.Entry.comparingByValue())
                .map(use -> Map.entry(open(use.getKey()), use.getValue()))
                .filter(use -> use.getValue() == StorageDuty.REQUIRED || isUsed(use.getKey()))
                .map(Map.Entry::getKey);
    }

    private boolean isUsed(DirectoryStorage storage) {
        if (known.isKnown(storage.name(), storage.root())) {
            return true;
        }
        return Files.isDirectory(storage.root()) && Installation.read(storage).isPresent();
    }

    /** The names of the storages that every backup of the cluster goes to. */
    public List<String> required(String cluster) {
        return cluster(cluster).storages().entrySet().stream()
                .filter(use -> use.getValue() == StorageDuty.REQUIRED)
                .map(Map.Entry::getKey)
                .toList();
    }

    private void own(DirectoryStorage storage) {
        if (known.isKnown(storage.name(), storage.root())) {
            if (Installation.read(storage).isEmpty()) {
                throw new NightshiftException(
                        FailureKind.STORAGE_UNAVAILABLE,
                        "storage " + storage.name() + " holds no " + Installation.OBJECT + " any more",
                        "is the right disk mounted at " + storage.root() + "? if it is a new one, remove "
                                + known.file(storage.name()));
            }
            Installation.check(storage, installation);
            return;
        }
        storage.prepare();
        Installation.claim(storage, installation, clock);
        known.remember(storage.name(), storage.root());
    }

    /** Every storage that may hold something of the cluster, required ones first. */
    public List<Storage> forReading(String cluster) {
        return cluster(cluster).storages().entrySet().stream()
                .sorted(Map.Entry.comparingByValue())
                .map(use -> layer.apply(open(use.getKey())))
                .toList();
    }

    private ClusterConfig cluster(String name) {
        ClusterConfig cluster = clusters.get(name);
        if (cluster == null) {
            throw ClusterConfig.notConfigured(name, clusters.keySet());
        }
        return cluster;
    }

    private DirectoryStorage open(String name) {
        StorageConfig config = Objects.requireNonNull(storages.get(name));
        if (config instanceof DirectoryStorageConfig directory) {
            return new DirectoryStorage(name, directory.path());
        }
        throw new IllegalStateException("no storage of type " + config.type());
    }
}
