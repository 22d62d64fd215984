package io.nightshift.jobs.verify;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.storage.ClusterStorages;
import io.nightshift.infra.storage.Installation;
import io.nightshift.infra.storage.MeteredStorage;
import io.nightshift.infra.storage.ReadRate;
import io.nightshift.infra.storage.Storage;
import java.nio.file.AccessDeniedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/** The storages of a cluster that answer. One that stops answering is left out from then on, and the report says so. */
final class Places {

    private final RunContext run;
    private final String installation;
    private final List<String> required;
    private final List<MeteredStorage> all = new ArrayList<>();
    private final List<MeteredStorage> open = new ArrayList<>();

    private Places(RunContext run, String installation, List<String> required) {
        this.run = run;
        this.installation = installation;
        this.required = List.copyOf(required);
    }

    /** Fails if none answers. */
    static Places of(RunContext run, ClusterStorages storages, ReadRate rate) {
        var places = new Places(run, storages.installation(), storages.required(run.cluster()));
        List<NightshiftException> failures = new ArrayList<>();
        for (Storage storage : storages.forRepairing(run.cluster())) {
            MeteredStorage metered = new MeteredStorage(storage, rate);
            places.all.add(metered);
            try {
                Installation.check(metered, places.installation);
                places.open.add(metered);
            } catch (NightshiftException failed) {
                requireOfStorage(failed);
                failures.add(failed);
                places.notEvaluated(metered, failed);
            }
        }
        if (places.open.isEmpty()) {
            throw failures.get(0);
        }
        return places;
    }

    /** Throws what does not come from a storage. */
    static void requireOfStorage(NightshiftException failed) {
        if (failed.kind() == FailureKind.CANCELLED || failed.kind() == FailureKind.BUG) {
            throw failed;
        }
    }

    List<Storage> open() {
        return List.copyOf(open);
    }

    Optional<Storage> open(String name) {
        return open.stream()
                .filter(storage -> storage.name().equals(name))
                .map(Storage.class::cast)
                .findFirst();
    }

    List<Storage> others(Storage one) {
        return open().stream().filter(storage -> !storage.equals(one)).toList();
    }

    /** Whether all backups and WAL go there at once. */
    boolean isRequired(String storage) {
        return required.contains(storage);
    }

    /**
     * Something in a storage could not be read. If the storage does not answer any more nothing else is asked of it, and
     * nothing that was found in it before counts as mended.
     */
    void failed(Storage storage, String subject, String key, NightshiftException failed) {
        requireOfStorage(failed);
        Optional<NightshiftException> away = away(storage);
        if (away.isEmpty()) {
            run.notEvaluated(new NotEvaluated(subject, String.valueOf(failed.getMessage()), List.of(key)));
        } else if (open.removeIf(storage::equals)) {
            notEvaluated(storage, away.get());
        }
    }

    /**
     * Reads, and reads again what cannot be read. If it is one object that cannot be read twice, as on a bad sector of a disk,
     * that is damage: a restore could not read it either. If the storage is away, or this process may not read it, it is not.
     *
     * @param damaged makes a result of why it cannot be read
     */
    <T> T read(Storage storage, Supplier<T> reading, Function<String, T> damaged) {
        try {
            return reading.get();
        } catch (NightshiftException first) {
            if (first.kind() != FailureKind.STORAGE_UNAVAILABLE) {
                throw first;
            }
            try {
                return reading.get();
            } catch (NightshiftException second) {
                boolean isOneObject = second.kind() == FailureKind.STORAGE_UNAVAILABLE
                        && !(second.getCause() instanceof AccessDeniedException)
                        && Objects.equals(first.getMessage(), second.getMessage())
                        && away(storage).isEmpty();
                if (!isOneObject) {
                    throw second;
                }
                return damaged.apply("cannot be read: " + second.getMessage());
            }
        }
    }

    private Optional<NightshiftException> away(Storage storage) {
        try {
            Installation.check(storage, installation);
            return Optional.empty();
        } catch (NightshiftException failed) {
            requireOfStorage(failed);
            return Optional.of(failed);
        }
    }

    private void notEvaluated(Storage storage, NightshiftException away) {
        run.notEvaluated(new NotEvaluated(
                "storage " + storage.name(),
                String.valueOf(away.getMessage()),
                List.of(DamageReport.key(storage.name(), ""))));
    }

    long bytesRead() {
        return all.stream().mapToLong(MeteredStorage::bytesRead).sum();
    }

    long requests() {
        return all.stream().mapToLong(MeteredStorage::requests).sum();
    }
}
