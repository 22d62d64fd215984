package io.nightshift.jobs.verify;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.storage.StorageFailures;
import io.nightshift.infra.wal.ReadWal;
import io.nightshift.infra.wal.WalCopy;
import io.nightshift.infra.wal.WalObject;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** Reads objects of WAL archives back, keeps the verdicts in their storages, and repairs them from other storages. */
final class WalReader {

    /** What was read is kept that often: so much is read again after a crash. */
    private static final Duration KEEPING = Duration.ofSeconds(30);

    private final RunContext run;
    private final Places places;
    private final Holdings holdings;
    private final Repairs repairs;
    private final Instant now;
    /** The checksums of those that are sound, by object and storage. */
    private final Map<String, SortedMap<String, Long>> histories = new TreeMap<>();

    private long kept = System.nanoTime();

    /** @param now when the run began: what it reads is noted as read then, so that the notes stay few */
    WalReader(RunContext run, Places places, Holdings holdings, Repairs repairs, Instant now) {
        this.run = run;
        this.places = places;
        this.holdings = holdings;
        this.repairs = repairs;
        this.now = now;
    }

    /** Whether it was read; what an expiry has taken meanwhile is not. */
    boolean read(WalCopy wal, WalObject object) {
        try {
            ReadWal read = content(wal, object);
            wal.note(object, read, now);
            if (!read.isSound()) {
                repair(wal, object, read.damage());
            } else if (object instanceof WalObject.History) {
                histories
                        .computeIfAbsent(DamageReport.object(wal, object), none -> new TreeMap<>())
                        .put(wal.storage().name(), read.contentCrc32c());
            }
        } catch (NightshiftException failed) {
            if (StorageFailures.isMissing(failed)) {
                return false;
            }
            throw failed;
        }
        keepIfDue();
        return true;
    }

    private ReadWal content(WalCopy wal, WalObject object) {
        return places.read(wal.storage(), () -> wal.read(object), why -> new ReadWal("", 0, why));
    }

    /** Puts what is damaged or lost into its place again; whether that could be done. */
    boolean repair(WalCopy wal, WalObject object, String damage) {
        String name = DamageReport.object(wal, object);
        return repairs.attempt(wal.storage().name(), name, () -> replace(wal, object, damage));
    }

    private Optional<String> replace(WalCopy wal, WalObject object, String damage) {
        if (holdings.expired().has(wal.paths(), object)) {
            return Optional.of("retention has let it go");
        }
        Map<WalCopy, ReadWal> sound = sound(wal, object);
        if (sound.isEmpty()) {
            return Optional.of("no other storage that answers has it whole");
        }
        if (sound.values().stream().map(ReadWal::contentCrc32c).distinct().count() > 1) {
            return Optional.of(
                    "the other storages hold different WAL under this name: two servers may have written it");
        }
        boolean wasThere = wal.item(object).isPresent();
        NightshiftException unread = null;
        for (Map.Entry<WalCopy, ReadWal> each : sound.entrySet()) {
            WalCopy source = each.getKey();
            try {
                if (wal.replace(
                        object,
                        source,
                        each.getValue(),
                        run.cancellation(),
                        () -> requireKept(wasThere ? wal : source, object))) {
                    return readAgain(wal, object, damage, source.storage().name());
                }
            } catch (NightshiftException failed) {
                if (failed.kind() != FailureKind.STORAGE_UNAVAILABLE) {
                    throw failed;
                }
                unread = failed; // the next source may be readable
            }
        }
        if (unread != null) {
            throw unread;
        }
        return Optional.of("its bytes in the other storages changed meanwhile");
    }

    /** Where others have it whole; one that cannot be read is no source. */
    private Map<WalCopy, ReadWal> sound(WalCopy wal, WalObject object) {
        Map<WalCopy, ReadWal> sound = new LinkedHashMap<>();
        for (WalCopy other : holdings.others(wal)) {
            if (places.open().contains(other.storage()) && other.item(object).isPresent()) {
                try {
                    ReadWal read = other.read(object);
                    other.note(object, read, now);
                    if (read.isSound()) {
                        sound.put(other, read);
                    }
                } catch (NightshiftException unreadable) {
                    if (unreadable.kind() != FailureKind.STORAGE_UNAVAILABLE
                            && !StorageFailures.isMissing(unreadable)) {
                        throw unreadable;
                    }
                }
            }
        }
        return sound;
    }

    /** Nobody has begun to delete it meanwhile where it was. */
    private void requireKept(WalCopy wal, WalObject object) {
        run.checkOwnership();
        String stored = DamageReport.object(wal, object);
        if (wal.storage().stat(stored).isEmpty()) {
            throw StorageFailures.missing(wal.storage().name(), stored);
        }
    }

    private Optional<String> readAgain(WalCopy wal, WalObject object, String damage, String from) {
        ReadWal again = content(wal, object);
        wal.note(object, again, now);
        if (!again.isSound()) {
            return Optional.of("what was written reads back damaged: " + again.damage());
        }
        repairs.done(wal.storage().name(), DamageReport.object(wal, object), "WAL " + object.name(), damage, 1, from);
        return Optional.empty();
    }

    /** History files are small, and without one nobody knows where its timeline branched off: all are read in each run. */
    void readHistories(WalCopy wal) {
        for (WalCopy.Item item : List.copyOf(wal.histories())) {
            read(wal, item.object());
        }
    }

    /** Each of them is a history, and nobody can say whose is the right one. */
    void sayDifferingHistories() {
        histories.forEach((object, byStorage) -> {
            if (byStorage.values().stream().distinct().count() > 1) {
                byStorage
                        .keySet()
                        .forEach(storage -> repairs.remains(DamageReport.differs(object, storage, byStorage)));
            }
        });
    }

    /** What an earlier run has found damaged, and has changed since, or another storage has whole by now. */
    void readDamaged(WalCopy wal) {
        for (WalCopy.Item item : List.copyOf(wal.segments())) {
            boolean isWholeElsewhere = !item.damage().isEmpty()
                    && holdings.others(wal).stream()
                            .flatMap(other -> other.item(item.object()).stream())
                            .anyMatch(other -> other.damage().isEmpty());
            if (isWholeElsewhere || item.isChangedSinceDamaged()) {
                run.cancellation().check();
                read(wal, item.object());
            }
        }
    }

    /** What a required storage has lost. */
    void bringBack(WalCopy wal) {
        if (places.isRequired(wal.storage().name())) {
            for (WalObject lost : holdings.lost(wal)) {
                run.cancellation().check();
                repair(wal, lost, "is missing");
            }
        }
    }

    private void keepIfDue() {
        if (System.nanoTime() - kept > KEEPING.toNanos()) {
            keep(run::checkOwnership);
        }
    }

    /** @param lastCheck runs before each act; throws if somebody else is at it by now */
    void keep(Runnable lastCheck) {
        kept = System.nanoTime();
        for (WalCopy wal : holdings.wal()) {
            if (places.open().contains(wal.storage())) {
                try {
                    wal.keep(now, lastCheck);
                } catch (NightshiftException failed) {
                    places.failed(
                            wal.storage(),
                            "WAL of " + wal.paths().folder() + " in storage "
                                    + wal.storage().name(),
                            DamageReport.key(wal.storage().name(), wal.paths().folder() + "/wal/"),
                            failed);
                }
            }
        }
    }
}
