package io.nightshift.infra.storage;

import io.nightshift.infra.resilience.NightshiftException;
import java.io.InputStream;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The required storages of a cluster as one: written at once from one stream, read from the first that has the object
 * and answers. Best-effort storages do not belong here; a later job copies to them.
 *
 * <p>A write fails when one storage fails. If that happens while committing, the storages before it hold the object and
 * those after it do not; such a backup has no backup.json everywhere and is debris or shows as missing.
 */
public final class StorageSet implements Storage {

    private final List<Storage> storages;

    /** The storages in the order in which they are read. */
    public StorageSet(List<Storage> storages) {
        if (storages.isEmpty()) {
            throw new IllegalArgumentException("a storage set needs at least one storage");
        }
        this.storages = List.copyOf(storages);
    }

    public static StorageSet of(Storage... storages) {
        return new StorageSet(List.of(storages));
    }

    public List<Storage> storages() {
        return storages;
    }

    @Override
    public String name() {
        return storages.stream().map(Storage::name).collect(Collectors.joining("+"));
    }

    @Override
    public StoredObjectWriter create(String object) {
        return storages.size() == 1
                ? storages.get(0).create(object)
                : TeeWriter.begin(storages, object, storage -> storage.create(object));
    }

    @Override
    public StoredObjectWriter replace(String object) {
        return storages.size() == 1
                ? storages.get(0).replace(object)
                : TeeWriter.begin(storages, object, storage -> storage.replace(object));
    }

    @Override
    public InputStream open(String object) {
        return openRange(object, 0, Long.MAX_VALUE);
    }

    /** Goes on in the next storage, at the same place, when one fails; the bytes themselves are not judged here. */
    @Override
    public InputStream openRange(String object, long offset, long length) {
        return new FallbackStream(storages, object, offset, length);
    }

    /** The objects that any of the storages has. Fails if one of them does not answer. */
    @Override
    public Stream<StoredObject> list(String prefix) {
        return MergedListing.of(storages, prefix);
    }

    @Override
    public Stream<String> folders(String folder) {
        return storages.stream()
                .flatMap(storage -> storage.folders(folder))
                .distinct()
                .sorted();
    }

    /** The first storage's answer that knows the object; a storage that fails matters only if no other knows it. */
    @Override
    public Optional<StoredObject> stat(String object) {
        return first(storage -> storage.stat(object));
    }

    /** Deletes everywhere; every storage is tried before the first failure is thrown. */
    @Override
    public void delete(String object) {
        NightshiftException failure = null;
        for (Storage storage : storages) {
            try {
                storage.delete(object);
            } catch (NightshiftException failed) {
                failure = Objects.requireNonNullElse(failure, failed);
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    private <T> Optional<T> first(Function<Storage, Optional<T>> question) {
        NightshiftException failure = null;
        for (Storage storage : storages) {
            try {
                Optional<T> answer = question.apply(storage);
                if (answer.isPresent()) {
                    return answer;
                }
            } catch (NightshiftException failed) {
                failure = Objects.requireNonNullElse(failure, failed);
            }
        }
        if (failure != null) {
            throw failure;
        }
        return Optional.empty();
    }
}
