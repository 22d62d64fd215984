package io.nightshift.infra.retention;

import io.nightshift.infra.backup.BackupJson;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.replication.WalRange;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageFailures;
import io.nightshift.infra.storage.StoredObject;
import io.nightshift.infra.storage.StoredObjectWriter;
import io.nightshift.infra.wal.KeptWal;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/** Where runs of retention write what they say: {@code <cluster>/retention/<time>.json}, in each storage. */
public final class RetentionRecords {

    private static final int LARGEST = 16 << 20;
    private static final int FORMAT_VERSION = 1;

    /** The newest stay, however old. */
    private static final int LEAST = 10;

    /** Longer than anything is announced before. */
    private static final Duration KEPT = Duration.ofDays(9);

    /** What a record looks like in a storage. What an earlier version has not written is null. */
    private record Document(
            int formatVersion,
            @Nullable Instant at,
            @Nullable List<String> expired,
            @Nullable Map<String, Instant> expiring,
            @Nullable List<Wal> wal,
            @Nullable List<Wal> later,
            @Nullable List<String> ahead) {}

    /**
     * What is kept of a system's WAL.
     *
     * @param system the name of its folder
     * @param at of what will be kept, from when on
     */
    private record Wal(
            String system,
            @Nullable Lsn from,
            @Nullable List<WalRange> also,
            @Nullable Instant at) {}

    private final String cluster;
    private final String folder;
    private final List<Storage> storages;

    public RetentionRecords(String cluster, List<Storage> storages) {
        this.cluster = cluster;
        this.folder = cluster + "/retention/";
        this.storages = List.copyOf(storages);
    }

    /** What was said, in whichever storage; of an object that is not readable, nothing. */
    public RetentionPast past() {
        Map<Instant, RetentionRecord> records = new TreeMap<>();
        for (Storage storage : storages) {
            for (String name : names(storage)) {
                read(storage, name).ifPresent(record -> records.putIfAbsent(record.at(), record));
            }
        }
        return new RetentionPast(List.copyOf(records.values()));
    }

    /** Says it in every storage. What was said under a clock that was ahead is taken back. */
    public void add(RetentionRecord record) {
        byte[] json = BackupJson.bytes(document(record));
        String said = folder + BackupLabel.text(record.at()) + ".json";
        String old = folder + BackupLabel.text(record.at().minus(KEPT)) + ".json";
        List<NightshiftException> failures = new ArrayList<>();
        for (Storage storage : storages) {
            try {
                write(storage, said, json);
            } catch (NightshiftException failed) {
                failures.add(failed);
                continue;
            }
            List<String> names = names(storage);
            names.stream().filter(name -> name.compareTo(said) > 0).forEach(storage::delete);
            List<String> past =
                    names.stream().filter(name -> name.compareTo(said) <= 0).toList();
            past.subList(0, Math.max(0, past.size() - LEAST)).stream()
                    .filter(name -> name.compareTo(old) < 0)
                    .forEach(storage::delete);
        }
        if (!failures.isEmpty()) {
            throw failures.get(0);
        }
    }

    private static void write(Storage storage, String object, byte[] json) {
        try (StoredObjectWriter writer = storage.create(object)) {
            writer.write(json);
            writer.commit();
        } catch (NightshiftException failed) {
            if (!StorageFailures.isExisting(failed)) {
                throw failed;
            }
            // A restart within the second; it says the same.
        }
    }

    private List<String> names(Storage storage) {
        try (Stream<StoredObject> listed = storage.list(folder)) {
            return listed.map(StoredObject::name).toList();
        }
    }

    private Optional<RetentionRecord> read(Storage storage, String object) {
        try (InputStream in = storage.openRange(object, 0, LARGEST)) {
            Document document = BackupJson.MAPPER.readValue(in.readAllBytes(), Document.class);
            return Optional.ofNullable(document.at()).map(at -> record(at, document));
        } catch (IOException failed) {
            throw StorageFailures.unreadable(storage, object, failed);
        } catch (JacksonException unreadable) {
            return Optional.empty();
        } catch (NightshiftException failed) {
            if (failed.kind() == FailureKind.DATA_DAMAGED) {
                return Optional.empty();
            }
            throw failed;
        }
    }

    private static Document document(RetentionRecord record) {
        Map<String, Instant> expiring = new TreeMap<>();
        record.expiring().forEach((label, at) -> expiring.put(label.toString(), at));
        return new Document(
                FORMAT_VERSION,
                record.at().truncatedTo(ChronoUnit.SECONDS),
                texts(record.expired()),
                expiring,
                record.wal().stream()
                        .map(wal -> new Wal(system(wal.paths()), wal.from(), wal.also(), null))
                        .toList(),
                record.later().stream()
                        .map(wal -> new Wal(system(wal.paths()), wal.from(), null, wal.at()))
                        .toList(),
                texts(record.ahead()));
    }

    private static List<String> texts(Set<BackupLabel> labels) {
        return labels.stream().map(BackupLabel::toString).sorted().toList();
    }

    private static Set<BackupLabel> labels(@Nullable List<String> texts) {
        return orEmpty(texts).stream()
                .flatMap(text -> BackupLabel.tryParse(text).stream())
                .collect(Collectors.toSet());
    }

    private static String system(BackupPaths paths) {
        return paths.folder().substring(paths.cluster().length() + 1);
    }

    private RetentionRecord record(Instant at, Document document) {
        Map<BackupLabel, Instant> expiring = new HashMap<>();
        if (document.expiring() != null) {
            document.expiring()
                    .forEach((text, from) -> BackupLabel.tryParse(text).ifPresent(label -> expiring.put(label, from)));
        }
        return new RetentionRecord(
                at,
                labels(document.expired()),
                expiring,
                orEmpty(document.wal()).stream()
                        .flatMap(wal -> BackupPaths.parse(cluster, wal.system()).stream()
                                .map(paths -> new KeptWal(paths, wal.from(), orEmpty(wal.also()))))
                        .toList(),
                orEmpty(document.later()).stream()
                        .flatMap(wal -> BackupPaths.parse(cluster, wal.system()).stream()
                                .flatMap(paths -> later(paths, wal).stream()))
                        .toList(),
                labels(document.ahead()));
    }

    private static Optional<RetentionRecord.LaterWal> later(BackupPaths paths, Wal wal) {
        Lsn from = wal.from();
        Instant at = wal.at();
        return from == null || at == null
                ? Optional.empty()
                : Optional.of(new RetentionRecord.LaterWal(paths, from, at));
    }

    private static <T> List<T> orEmpty(@Nullable List<T> list) {
        return list == null ? List.of() : list;
    }
}
