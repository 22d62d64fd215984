package io.nightshift.jobs.verify;

import io.nightshift.infra.backup.BackupCatalog;
import io.nightshift.infra.backup.BackupCopy;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.backup.BackupRepair;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.backup.StoredBackup.State;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.BackupCopies;
import io.nightshift.infra.restore.RestorableCluster;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.wal.WalCopy;
import io.nightshift.infra.wal.WalObject;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * What the storages that answer hold of a cluster.
 *
 * @param suspects copies that are damaged as far as listings show, and that another storage has whole
 * @param backups all other copies
 * @param wal of each system and storage
 */
record Holdings(List<BackupReading> suspects, List<BackupReading> backups, List<WalCopy> wal, Expired expired) {

    /** So many backups of a system are asked for the size of its segments. */
    private static final int ASKED = 5;

    Holdings {
        suspects = List.copyOf(suspects);
        backups = List.copyOf(backups);
        wal = List.copyOf(wal);
    }

    static Holdings of(RunContext run, Places places, Instant now) {
        List<StoredBackup> stored = new BackupCatalog(places.open()).backups(run.cluster());
        Expired expired = Expired.of(run, places);
        List<BackupReading> suspects = new ArrayList<>();
        List<BackupReading> backups = new ArrayList<>();
        Map<String, String> unknown = new LinkedHashMap<>();
        for (StoredBackup backup : stored) {
            for (Storage storage : places.open()) {
                StoredBackup.Copy copy = backup.copies().get(storage.name());
                var reading = new BackupReading(backup, storage.name(), places.isRequired(storage.name()));
                if (copy == null) {
                    continue;
                }
                if (copy.state() == State.MISSING) {
                    if (expired.mayComeBack(backup.label()) && isLost(reading, stored)) {
                        DamageReport.lost(run, reading);
                    }
                } else if (copy.state() == State.UNKNOWN) {
                    unknown.putIfAbsent(storage.name(), backup.label() + ": " + copy.reason());
                } else if (isSuspect(reading, copy.state(), places, now, expired)) {
                    suspects.add(reading);
                } else if (copy.state() != State.COPYING) {
                    backups.add(reading);
                }
            }
        }
        unknown.forEach((storage, first) -> DamageReport.unknown(run, storage, first));
        return new Holdings(suspects, backups, wal(run, places, stored), expired);
    }

    /** No expiry and no storage that came later explains it: older and newer ones are there. */
    private static boolean isLost(BackupReading reading, List<StoredBackup> oldestFirst) {
        int place = oldestFirst.indexOf(reading.backup());
        return reading.wasReadWhenStored()
                && reading.backup().isRestorable()
                && holdsAny(reading, oldestFirst.subList(0, place))
                && holdsAny(reading, oldestFirst.subList(place + 1, oldestFirst.size()));
    }

    private static boolean holdsAny(BackupReading reading, List<StoredBackup> others) {
        return others.stream()
                .filter(other -> other.paths().equals(reading.backup().paths()))
                .map(other -> other.copies().get(reading.storage()))
                .anyMatch(copy -> copy != null && copy.state() == State.OK);
    }

    /** Of a storage that need not have it a copy without backup.json is one that is under way. */
    private static boolean isSuspect(BackupReading reading, State state, Places places, Instant now, Expired expired) {
        if (!reading.backup().isRestorable()) {
            return false;
        }
        return state == State.DAMAGED
                || (state == State.COPYING
                        && expired.mayComeBack(reading.backup().label())
                        && hasLostDocument(reading, places, now));
    }

    private static boolean hasLostDocument(BackupReading reading, Places places, Instant now) {
        StoredBackup backup = reading.backup();
        return places.isRequired(reading.storage())
                && places.open(reading.storage())
                        .flatMap(storage ->
                                BackupCopy.find(storage, backup.paths().cluster(), backup.label()))
                        .filter(copy -> BackupRepair.hasLostDocument(copy, now))
                        .isPresent();
    }

    private static List<WalCopy> wal(RunContext run, Places places, List<StoredBackup> stored) {
        List<WalCopy> all = new ArrayList<>();
        for (BackupPaths paths :
                stored.stream().map(StoredBackup::paths).distinct().toList()) {
            OptionalLong segmentSize = segmentSize(paths, places.open(), stored);
            if (segmentSize.isEmpty()) {
                run.notEvaluated(new NotEvaluated(
                        "WAL of " + paths.folder(),
                        "no backup of it can be read that says how large a segment is",
                        places.open().stream()
                                .map(storage -> DamageReport.key(storage.name(), paths.folder() + "/wal/"))
                                .toList()));
                continue;
            }
            for (Storage storage : places.open()) {
                try {
                    all.add(WalCopy.of(storage, paths, segmentSize.getAsLong()));
                } catch (NightshiftException failed) {
                    places.failed(
                            storage,
                            "WAL of " + paths.folder() + " in storage " + storage.name(),
                            DamageReport.key(storage.name(), paths.folder() + "/wal/"),
                            failed);
                }
            }
        }
        return all;
    }

    private static OptionalLong segmentSize(BackupPaths paths, List<Storage> storages, List<StoredBackup> stored) {
        List<StoredBackup> newestFirst = new ArrayList<>(stored.stream()
                .filter(backup ->
                        backup.paths().equals(paths) && backup.document().isPresent())
                .toList());
        Collections.reverse(newestFirst);
        for (StoredBackup backup : newestFirst.subList(0, Math.min(ASKED, newestFirst.size()))) {
            try {
                return OptionalLong.of(RestorableCluster.segmentSize(BackupCopies.of(backup, storages)));
            } catch (NightshiftException unreadable) {
                Places.requireOfStorage(unreadable);
            }
        }
        return OptionalLong.empty();
    }

    /** Whether no copy of a backup is known to be damaged. */
    boolean looksSound() {
        return suspects.isEmpty()
                && backups.stream()
                        .map(reading -> reading.backup().copies().get(reading.storage()))
                        .allMatch(copy -> copy != null && copy.state() == State.OK);
    }

    /** What a plan chooses from. */
    List<Reading> readings() {
        return Stream.<Reading>concat(
                        backups.stream(),
                        wal.stream()
                                .flatMap(archived ->
                                        archived.segments().stream().map(item -> new WalReading(archived, item))))
                .toList();
    }

    /** What an archive has lost, and retention has not let go. */
    List<WalObject> lost(WalCopy archived) {
        return archived.lost(others(archived)).stream()
                .filter(object -> expired.mayComeBack(archived.paths(), object))
                .toList();
    }

    /** The archives of the same system in other storages. */
    List<WalCopy> others(WalCopy archived) {
        return wal.stream()
                .filter(other -> other.paths().equals(archived.paths()) && !other.equals(archived))
                .toList();
    }
}
