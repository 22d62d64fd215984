package io.nightshift.infra.wal;

import io.nightshift.infra.backup.BackupJson;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.backup.SummedJson;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageFailures;
import io.nightshift.infra.storage.StoredObject;
import io.nightshift.infra.storage.StoredObjectWriter;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;

/**
 * What reading the WAL of one storage back has shown, kept in that storage: {@code <system>/verified-wal/<time>.json}. The
 * newest counts. One that is not readable says nothing: what it said is read again.
 *
 * @param writtenAt whole seconds
 * @param stretches that were read; no two overlap
 * @param damaged what was found damaged; it lies in a stretch, too
 */
public record VerifiedWal(int formatVersion, Instant writtenAt, List<Stretch> stretches, List<DamagedWal> damaged) {

    static final VerifiedWal NONE = new VerifiedWal(List.of(), List.of());

    private static final String FOLDER = "/verified-wal/";
    private static final String SUFFIX = ".json";
    private static final int FORMAT_VERSION = 1;
    private static final int LARGEST = 64 << 20;

    /** WAL that was read in one run. */
    public record Stretch(Timeline timeline, Lsn from, Lsn to, Instant readAt) {}

    /**
     * An object that is not what it should be.
     *
     * @param name below the folder {@code wal}
     * @param modifiedAt by the clock of the storage: with another time it was replaced since, or moved with all others, and
     *     is to be read again; until then it counts as damaged
     * @param what is wrong, in plain words
     */
    public record DamagedWal(String name, Instant modifiedAt, String what) {

        /** Whether this is said of the object as it is listed now. */
        boolean isOf(StoredObject listed) {
            return modifiedAt.equals(listed.modifiedAt());
        }
    }

    public VerifiedWal {
        stretches = List.copyOf(stretches);
        damaged = List.copyOf(damaged);
    }

    VerifiedWal(List<Stretch> stretches, List<DamagedWal> damaged) {
        this(FORMAT_VERSION, Instant.EPOCH, stretches, damaged);
    }

    /**
     * The newest of a storage. One that cannot be read takes nothing from who asks: it says nothing.
     *
     * @param complaints is told why it says nothing
     */
    static VerifiedWal of(Storage storage, BackupPaths paths, Consumer<String> complaints) {
        try {
            List<String> names = names(storage, paths);
            return names.isEmpty() ? NONE : read(storage, names.get(names.size() - 1), complaints);
        } catch (NightshiftException unreadable) {
            if (unreadable.kind() == FailureKind.CANCELLED) {
                throw unreadable;
            }
            complaints.accept("what was read of the WAL in storage " + storage.name() + " is not known: "
                    + unreadable.getMessage());
            return NONE;
        }
    }

    /** What is known of damaged objects, by their names below the folder {@code wal}. */
    Map<String, DamagedWal> damagedByName() {
        return damaged.stream().collect(Collectors.toMap(DamagedWal::name, Function.identity(), (one, same) -> one));
    }

    /**
     * Keeps it as the newest of a storage, whatever the clock says, and then deletes those before it.
     *
     * @param lastCheck runs before each act; throws if somebody else is at it by now
     */
    void keep(Storage storage, BackupPaths paths, Instant now, Runnable lastCheck) {
        List<String> before = names(storage, paths);
        Instant at = now.truncatedTo(ChronoUnit.SECONDS);
        if (!before.isEmpty()) {
            Instant newest = time(before.get(before.size() - 1)).orElse(at);
            at = at.isAfter(newest) ? at : newest.plusSeconds(1);
        }
        String object = paths.folder() + FOLDER + BackupLabel.text(at) + SUFFIX;
        try (StoredObjectWriter writer = storage.create(object)) {
            writer.write(SummedJson.bytes(new VerifiedWal(FORMAT_VERSION, at, stretches, damaged)));
            lastCheck.run();
            writer.commit();
        }
        CrashPoint.reach("verify.wal-kept");
        for (String older : before) {
            lastCheck.run();
            storage.delete(older);
        }
    }

    /** Oldest first. */
    private static List<String> names(Storage storage, BackupPaths paths) {
        try (Stream<StoredObject> listed = storage.list(paths.folder() + FOLDER)) {
            return listed.map(StoredObject::name)
                    .filter(name -> time(name).isPresent())
                    .toList();
        }
    }

    private static Optional<Instant> time(String name) {
        return name.endsWith(SUFFIX)
                ? BackupLabel.time(name.substring(name.lastIndexOf('/') + 1, name.length() - SUFFIX.length()))
                : Optional.empty();
    }

    private static VerifiedWal read(Storage storage, String object, Consumer<String> complaints) {
        String damage;
        try (InputStream stored = storage.openRange(object, 0, LARGEST)) {
            byte[] json = stored.readAllBytes();
            damage = SummedJson.damage(json, object);
            if (damage.isEmpty()) {
                return BackupJson.MAPPER.readValue(json, VerifiedWal.class);
            }
        } catch (IOException failed) {
            throw StorageFailures.unreadable(storage, object, failed);
        } catch (JacksonException | NullPointerException unreadable) {
            damage = object + " is not readable";
        }
        complaints.accept("what was read of the WAL in storage " + storage.name() + " is not known: " + damage);
        return NONE;
    }
}
