package io.nightshift.scheduler.cli;

import io.nightshift.infra.backup.BackupCatalog;
import io.nightshift.infra.backup.BackupChains;
import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.PinNote;
import io.nightshift.infra.backup.Proof;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.config.Configuration;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.Restorability;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.retention.RetentionPast;
import io.nightshift.infra.retention.RetentionRecords;
import io.nightshift.infra.storage.ClusterStorages;
import io.nightshift.infra.storage.Storage;
import io.nightshift.scheduler.DemoCluster;
import io.nightshift.scheduler.Surroundings;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The backups that the storages hold, asked of nobody but the storages. */
final class BackupList {

    private final List<StoredBackup> backups;
    private final BackupChains chains;
    private final Set<BackupLabel> pinned;
    private final List<NightshiftException> failures;

    private final ClusterStorages storages;
    private final Instant now;
    private final Map<String, RetentionPast> past = new HashMap<>();

    private BackupList(
            List<StoredBackup> backups, List<NightshiftException> failures, ClusterStorages storages, Instant now) {
        this.now = now;
        this.backups = backups;
        this.chains = new BackupChains(backups);
        this.pinned = chains.pinned(now);
        this.failures = failures;
        this.storages = storages;
    }

    /** Of one cluster, or of all. A cluster whose storages are away does not hide the others. */
    static BackupList of(Surroundings surroundings, Configuration configured, @Nullable String cluster) {
        Configuration configuration = DemoCluster.storagesIn(configured, surroundings.home());
        ClusterStorages storages = storages(surroundings, configuration);
        List<StoredBackup> backups = new ArrayList<>();
        List<NightshiftException> failures = new ArrayList<>();
        for (String name : cluster == null ? configuration.clusters().keySet() : List.of(cluster)) {
            try {
                backups.addAll(new BackupCatalog(storages.forReading(name)).backups(name));
            } catch (NightshiftException failed) {
                if (failed.kind() != FailureKind.STORAGE_UNAVAILABLE) {
                    throw failed;
                }
                failures.add(failed);
            }
        }
        return new BackupList(backups, failures, storages, surroundings.clock().instant());
    }

    private static ClusterStorages storages(Surroundings surroundings, Configuration configuration) {
        return new ClusterStorages(
                configuration.clusters(),
                configuration.storages(),
                "",
                surroundings.home().knownStorages(),
                surroundings.clock());
    }

    /** Every storage that may hold a copy of this backup's cluster. */
    static List<Storage> storagesOf(Surroundings surroundings, Configuration configured, String cluster) {
        return storages(surroundings, DemoCluster.storagesIn(configured, surroundings.home()))
                .forReading(cluster);
    }

    /** A backup that exists; {@link BackupSearch} finds what is left of others too. */
    StoredBackup find(String text) {
        Optional<BackupLabel> label = BackupLabel.tryParse(text);
        return backups.stream()
                .filter(backup -> label.filter(backup.label()::equals).isPresent())
                .findFirst()
                .orElseThrow(() -> failures.isEmpty()
                        ? new NightshiftException(
                                FailureKind.CONFIGURATION,
                                "there is no backup " + text,
                                "nightshift backups lists what there is")
                        : failures.get(0));
    }

    List<StoredBackup> backups() {
        return backups;
    }

    /** Those that the storages hold whole, with all that they need. */
    List<StoredBackup> restorable() {
        return backups.stream().filter(chains::isComplete).toList();
    }

    /** To which times the clusters with backups can be restored, a line each; a damaged backup keeps nobody from the rest. */
    List<String> restorabilityLines() {
        return clustersWithBackups().stream()
                .map(cluster -> {
                    try {
                        return RestorabilityText.line(restorability(cluster), now);
                    } catch (NightshiftException unreadable) {
                        return RestorabilityText.unknown(cluster, unreadable);
                    }
                })
                .toList();
    }

    List<Map<String, @Nullable Object>> restorabilityJson() {
        return clustersWithBackups().stream()
                .map(cluster -> {
                    try {
                        return RestorabilityText.json(restorability(cluster), now);
                    } catch (NightshiftException unreadable) {
                        return RestorabilityText.unknownJson(cluster, unreadable);
                    }
                })
                .toList();
    }

    private List<String> clustersWithBackups() {
        return restorable().stream()
                .map(backup -> backup.paths().cluster())
                .distinct()
                .toList();
    }

    private Restorability restorability(String cluster) {
        List<StoredBackup> itsOwn = backups.stream()
                .filter(backup -> backup.paths().cluster().equals(cluster))
                .toList();
        return RestorableCluster.of(cluster, storages.forReading(cluster), itsOwn, null)
                .restorability();
    }

    /** Storages that did not answer; their backups are not in the list. */
    List<NightshiftException> failures() {
        return failures;
    }

    boolean isEmpty() {
        return backups.isEmpty();
    }

    void print(PrintWriter out) {
        boolean chained = backups.stream().anyMatch(backup -> parent(backup).isPresent());
        boolean labelled = backups.stream().anyMatch(backup -> !labels(backup).isEmpty());
        List<String> header = new ArrayList<>(
                List.of("label", "cluster", "type", "state", "size", "stored", "WAL", "end LSN", "server", "ended"));
        if (chained) {
            header.add("needs");
        }
        if (labelled) {
            header.add("labels");
        }
        TextTable table = new TextTable(header);
        backups.forEach(backup -> {
            List<String> row = new ArrayList<>(cells(backup));
            if (chained) {
                row.add(parent(backup).map(BackupLabel::toString).orElse("-"));
            }
            if (labelled) {
                row.add(labels(backup).entrySet().stream()
                        .map(label -> label.getKey() + ": " + label.getValue())
                        .collect(Collectors.joining(", ")));
            }
            table.row(row);
        });
        table.print(out);
        backups.forEach(backup -> backup.copies().forEach((storage, copy) -> {
            if (copy.state() == StoredBackup.State.DAMAGED) {
                out.println(backup.label() + " is damaged in storage " + storage + ": " + copy.reason());
            }
        }));
        backups.forEach(backup -> broken(backup).ifPresent(out::println));
        backups.forEach(backup -> pin(backup)
                .ifPresent(
                        pin -> out.println(backup.label() + " is pinned until " + pin.until() + ": " + pin.reason())));
        backups.forEach(backup -> deletedFrom(backup)
                .ifPresent(from -> out.println(backup.label() + " expires: no rule of retention keeps it, a run after "
                        + from + " deletes it")));
        restorabilityLines().forEach(out::println);
    }

    private static Optional<BackupLabel> parent(StoredBackup backup) {
        return backup.document().map(BackupDocument::parent);
    }

    /** What is the matter with a backup that is whole itself. */
    private Optional<String> broken(StoredBackup backup) {
        if (parent(backup).isEmpty() || !backup.isRestorable() || chains.isComplete(backup)) {
            return Optional.empty();
        }
        try {
            return chains.of(backup).links().stream()
                    .filter(link -> !link.isRestorable())
                    .findFirst()
                    .map(link -> backup.label() + " cannot be restored: it needs " + link.label()
                            + ", which no storage holds whole");
        } catch (NightshiftException broken) {
            return Optional.of(String.valueOf(broken.getMessage()));
        }
    }

    /** Why it is kept whatever retention would decide; empty if nobody wants that now. */
    private Optional<PinNote> pin(StoredBackup backup) {
        return backup.pin().filter(pin -> pin.pins(now));
    }

    /** From when on retention deletes it, if nothing keeps it until then; empty if it is kept, or if a storage does not say. */
    private Optional<Instant> deletedFrom(StoredBackup backup) {
        return pinned.contains(backup.label())
                ? Optional.empty()
                : past.computeIfAbsent(backup.paths().cluster(), this::past).deletedFrom(backup.label());
    }

    private RetentionPast past(String cluster) {
        try {
            return new RetentionRecords(cluster, storages.forReading(cluster)).past();
        } catch (NightshiftException away) {
            return RetentionPast.none();
        }
    }

    /** What people wrote on it. */
    private static Map<String, String> labels(StoredBackup backup) {
        return backup.document().map(BackupDocument::labels).orElse(Map.of());
    }

    private static List<String> cells(StoredBackup backup) {
        String state = backup.copies().entrySet().stream()
                .map(copy -> copy.getKey() + " " + word(copy.getValue().state()))
                .collect(Collectors.joining(", "));
        return backup.document()
                .map(document -> List.of(
                        backup.label().toString(),
                        document.cluster(),
                        document.type().toString(),
                        state + (document.source().damage().isEmpty() ? "" : ", source damaged"),
                        Arguments.bytes(document.bytes()),
                        Arguments.bytes(document.storedBytes()),
                        word(document.wal()),
                        document.endLsn().toString(),
                        document.source().version(),
                        RunText.time(document.endedAt())))
                .orElseGet(() -> List.of(
                        backup.label().toString(),
                        backup.paths().cluster(),
                        backup.label().type().toString(),
                        state,
                        "-",
                        "-",
                        "-",
                        "-",
                        Integer.toString(backup.paths().major()),
                        "-"));
    }

    List<Map<String, @Nullable Object>> json() {
        return backups.stream().map(this::json).toList();
    }

    private Map<String, @Nullable Object> json(StoredBackup backup) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("label", backup.label().toString());
        json.put("cluster", backup.paths().cluster());
        json.put("type", backup.label().type().toString());
        BackupDocument document = backup.document().orElse(null);
        json.put(
                "parent",
                document == null || document.parent() == null
                        ? null
                        : document.parent().toString());
        json.put("systemIdentifier", backup.paths().systemIdentifier().toString());
        json.put("major", backup.paths().major());
        json.put("wal", document == null ? null : word(document.wal()));
        json.put(
                "storages",
                backup.copies().entrySet().stream()
                        .map(copy -> json(copy.getKey(), copy.getValue()))
                        .toList());
        json.put("path", backup.paths().backup(backup.label()));
        json.put(
                "sourceDamage",
                document == null
                        ? List.of()
                        : document.source().damage().stream()
                                .map(page -> Map.of("path", page.path(), "block", page.block()))
                                .toList());
        json.put("provenAt", backup.proof().filter(Proof::holds).map(Proof::at).orElse(null));
        json.put("pinned", pin(backup).isPresent());
        json.put("deletedFrom", deletedFrom(backup).orElse(null));
        json.put("startLsn", document == null ? null : document.startLsn().toString());
        json.put("endLsn", document == null ? null : document.endLsn().toString());
        json.put(
                "timeline",
                document == null
                        ? null
                        : Integer.toUnsignedLong(document.timeline().id()));
        json.put("bytes", document == null ? null : document.bytes());
        json.put("storedBytes", document == null ? null : document.storedBytes());
        json.put("startedAt", document == null ? null : document.startedAt());
        json.put("endedAt", document == null ? null : document.endedAt());
        json.put("labels", labels(backup));
        return json;
    }

    private static Map<String, @Nullable Object> json(String storage, StoredBackup.Copy copy) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("name", storage);
        json.put("state", word(copy.state()));
        json.put("reason", copy.reason());
        json.put("verifiedAt", copy.verifiedAt());
        return json;
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
