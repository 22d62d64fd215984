package io.nightshift.infra.backup;

import io.nightshift.infra.backup.StoredBackup.Copy;
import io.nightshift.infra.backup.StoredBackup.State;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageFailures;
import io.nightshift.infra.storage.StoredObject;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/**
 * Which backups exist, according to the storages alone. A damaged backup.json or a storage that is away does not hide
 * the other backups; when no storage answers, that is a failure, never an empty list.
 */
public final class BackupCatalog {

    private static final int LARGEST_DOCUMENT = 64 << 20;

    private final List<Storage> storages;

    public BackupCatalog(List<Storage> storages) {
        if (storages.isEmpty()) {
            throw new IllegalArgumentException("a catalog needs at least one storage");
        }
        this.storages = List.copyOf(storages);
    }

    /** All clusters' backups, the oldest of each cluster first. */
    public List<StoredBackup> backups() {
        return backups(cluster -> true);
    }

    public List<StoredBackup> backups(String cluster) {
        return backups(cluster::equals);
    }

    /** What has no backup.json, in the storages that answer. */
    public List<Debris> debris() {
        return debris(survey(cluster -> true));
    }

    /** The same of one cluster, in all storages; fails unless each of them answers. */
    public List<Debris> allDebris(String cluster) {
        List<Survey> surveys = survey(cluster::equals);
        for (Survey survey : surveys) {
            if (survey.failure() != null) {
                throw survey.failure();
            }
        }
        return debris(surveys);
    }

    private static List<Debris> debris(List<Survey> surveys) {
        List<Debris> debris = new ArrayList<>();
        for (Survey survey : surveys) {
            survey.folders().values().stream()
                    .filter(folder -> !folder.isPublished())
                    .forEach(folder -> debris.add(debris(survey.storage(), folder)));
        }
        return debris;
    }

    private List<StoredBackup> backups(Predicate<String> clusters) {
        List<Survey> surveys = survey(clusters);
        Map<String, BackupFolder> published = new TreeMap<>();
        for (Survey survey : surveys) {
            survey.folders().forEach((name, folder) -> {
                if (folder.isPublished()) {
                    published.putIfAbsent(name, folder);
                }
            });
        }
        return published.entrySet().stream()
                .map(each -> backup(each.getKey(), each.getValue(), surveys))
                .sorted(Comparator.comparing(
                                (StoredBackup backup) -> backup.paths().cluster())
                        .thenComparing(backup -> backup.label().time())
                        // two may begin in one second, an upgrade between them
                        .thenComparing(backup -> backup.paths().major())
                        .thenComparing(BackupCatalog::startLsn)
                        .thenComparing(StoredBackup::label))
                .toList();
    }

    private static Lsn startLsn(StoredBackup backup) {
        return backup.document().map(BackupDocument::startLsn).orElse(Lsn.INVALID);
    }

    private static StoredBackup backup(String name, BackupFolder any, List<Survey> surveys) {
        Map<String, Copy> copies = new LinkedHashMap<>();
        BackupDocument document = null;
        for (Survey survey : surveys) {
            BackupFolder folder = survey.folders().get(name);
            Copy copy;
            if (survey.failure() != null) {
                copy = new Copy(State.UNKNOWN, String.valueOf(survey.failure().getMessage()));
            } else if (folder == null) {
                copy = new Copy(State.MISSING, "no objects");
            } else if (!folder.isPublished()) {
                copy = new Copy(State.COPYING, "no backup.json yet");
            } else {
                Found found = found(survey.storage(), folder);
                copy = found.copy();
                document = document == null ? found.document() : document;
            }
            copies.put(survey.storage().name(), copy);
        }
        return new StoredBackup(any.paths(), any.label(), Optional.ofNullable(document), copies);
    }

    private record Found(Copy copy, @Nullable BackupDocument document) {}

    private static Found found(Storage storage, BackupFolder folder) {
        Optional<VerificationNote.Named> verdict =
                VerificationNote.newest(folder.objects().keySet());
        Instant verifiedAt = verdict.map(VerificationNote.Named::at).orElse(null);
        try {
            BackupDocumentFile file = folder.document(storage);
            if (file instanceof BackupDocumentFile.Damaged damaged) {
                return new Found(
                        new Copy(State.DAMAGED, damaged.reason(), verifiedAt, null, pin(storage, folder)), null);
            }
            BackupDocument document = ((BackupDocumentFile.Intact) file).document();
            String lack = folder.lacks(document);
            if (lack.isEmpty() && verdict.isPresent() && !verdict.get().sound()) {
                lack = "read back at " + verdict.get().at() + ": "
                        + reason(storage, folder, verdict.get().name());
            }
            State state = lack.isEmpty() ? State.OK : State.DAMAGED;
            return new Found(new Copy(state, lack, verifiedAt, proof(storage, folder), pin(storage, folder)), document);
        } catch (NightshiftException failed) {
            return StorageFailures.isMissing(failed)
                    ? new Found(new Copy(State.MISSING, "deleted meanwhile"), null)
                    : new Found(new Copy(State.UNKNOWN, String.valueOf(failed.getMessage())), null);
        }
    }

    /** What its newest proof says; of one that is not readable, what its name says. */
    private static @Nullable Proof proof(Storage storage, BackupFolder folder) {
        return ProofNote.newest(folder.label(), folder.objects().keySet())
                .map(named -> named.proof().readFrom(storage, folder.paths().object(folder.label(), named.name())))
                .orElse(null);
    }

    static @Nullable PinNote pin(Storage storage, BackupFolder folder) {
        return PinNote.newest(folder.objects().keySet())
                .map(named -> {
                    try {
                        return PinNote.read(read(storage, folder.paths().object(folder.label(), named.name())));
                    } catch (NightshiftException | JacksonException unreadable) {
                        return named.pins()
                                ? PinNote.unreadable(folder.label(), named.at())
                                : PinNote.unpin(folder.label(), named.at(), "");
                    }
                })
                .orElse(null);
    }

    private static String reason(Storage storage, BackupFolder folder, String note) {
        try {
            return VerificationNote.reason(read(storage, folder.paths().object(folder.label(), note)));
        } catch (NightshiftException unreadable) {
            return "its note is not readable: " + unreadable.getMessage();
        }
    }

    private static Debris debris(Storage storage, BackupFolder folder) {
        Instant newest = Instant.EPOCH;
        long bytes = 0;
        List<String> names = new ArrayList<>();
        for (StoredObject object : folder.objects().values()) {
            newest = object.modifiedAt().isAfter(newest) ? object.modifiedAt() : newest;
            bytes += object.bytes();
            names.add(object.name());
        }
        return new Debris(
                storage.name(), folder.paths(), folder.label(), marker(storage, folder), newest, bytes, names);
    }

    /** The newest marker: renewals sort behind the first one's name in time, and are preferred. */
    private static Optional<WritingMarker> marker(Storage storage, BackupFolder folder) {
        String newest = folder.objects().keySet().stream()
                .filter(name -> name.startsWith("writing-"))
                .max(Comparator.naturalOrder())
                .orElse(BackupPaths.WRITING_JSON);
        try {
            return Optional.of(BackupJson.MAPPER.readValue(
                    read(storage, folder.paths().object(folder.label(), newest)), WritingMarker.class));
        } catch (NightshiftException | JacksonException unreadable) {
            return Optional.empty();
        }
    }

    /** What one storage holds by label, or why it does not say. */
    private record Survey(
            Storage storage,
            Map<String, BackupFolder> folders,
            @Nullable NightshiftException failure) {}

    private List<Survey> survey(Predicate<String> clusters) {
        List<Survey> surveys =
                storages.stream().map(storage -> survey(storage, clusters)).toList();
        List<NightshiftException> failures = new ArrayList<>();
        for (Survey survey : surveys) {
            if (survey.failure() != null) {
                failures.add(survey.failure());
            }
        }
        if (failures.size() == surveys.size()) {
            throw failures.get(0);
        }
        return surveys;
    }

    private static Survey survey(Storage storage, Predicate<String> clusters) {
        try {
            Map<String, BackupFolder> folders = new TreeMap<>();
            for (String cluster : storage.folders("").filter(clusters).toList()) {
                for (String folder : storage.folders(cluster).toList()) {
                    BackupPaths.parse(cluster, folder).ifPresent(paths -> collect(storage, paths, folders));
                }
            }
            return new Survey(storage, folders, null);
        } catch (NightshiftException failed) {
            return new Survey(storage, Map.of(), failed);
        }
    }

    private static void collect(Storage storage, BackupPaths paths, Map<String, BackupFolder> folders) {
        String prefix = paths.backups() + "/";
        try (Stream<StoredObject> objects = storage.list(prefix)) {
            objects.forEach(object -> {
                String inside = object.name().substring(prefix.length());
                int slash = inside.indexOf('/');
                if (slash > 0) {
                    BackupLabel.tryParse(inside.substring(0, slash))
                            .ifPresent(label -> folders.computeIfAbsent(
                                            paths.backup(label),
                                            name -> new BackupFolder(paths, label, new TreeMap<>()))
                                    .objects()
                                    .put(inside.substring(slash + 1), object));
                }
            });
        }
    }

    static byte[] read(Storage storage, String object) {
        try (InputStream stream = storage.openRange(object, 0, LARGEST_DOCUMENT)) {
            return stream.readAllBytes();
        } catch (IOException failed) {
            throw StorageFailures.unreadable(storage, object, failed);
        }
    }
}
