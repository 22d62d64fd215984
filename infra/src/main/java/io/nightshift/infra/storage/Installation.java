package io.nightshift.infra.storage;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * Who owns a storage, as its {@code installation.json} says. Two installations in one place would expire each other's
 * backups.
 *
 * @param formatVersion of everything in the storage
 * @param id of the installation
 * @param createdAt when it took the storage
 */
public record Installation(int formatVersion, String id, Instant createdAt) {

    public static final String OBJECT = "installation.json";
    /** The format that this program writes, and the newest it reads. */
    public static final int FORMAT_VERSION = 1;

    private static final JsonMapper JSON = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .build();
    private static final int LARGEST = 64 * 1024;

    /** The owner of the storage; empty while nobody has taken it. DATA_DAMAGED when the marker cannot be read. */
    public static Optional<Installation> read(Storage storage) {
        try (InputStream marker = storage.openRange(OBJECT, 0, LARGEST)) {
            return Optional.of(parse(storage, marker.readAllBytes()));
        } catch (NightshiftException failed) {
            if (StorageFailures.isMissing(failed)) {
                return Optional.empty();
            }
            throw failed;
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /** Takes the storage for an installation, or makes sure that it has it already; REFUSED when another has it. */
    public static Installation claim(Storage storage, String id, Clock clock) {
        Optional<Installation> owner = read(storage);
        if (owner.isEmpty()) {
            var installation =
                    new Installation(FORMAT_VERSION, id, clock.instant().truncatedTo(ChronoUnit.SECONDS));
            try (StoredObjectWriter writer = storage.create(OBJECT)) {
                writer.write(JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(installation));
                writer.commit();
            } catch (NightshiftException failed) {
                if (!StorageFailures.isExisting(failed)) {
                    throw failed;
                }
            }
        }
        return check(storage, id);
    }

    /** Makes sure that the storage belongs to the installation, before anything is written to or deleted from it. */
    public static Installation check(Storage storage, String id) {
        Installation owner = read(storage)
                .orElseThrow(() -> new NightshiftException(
                        FailureKind.STORAGE_UNAVAILABLE,
                        "storage " + storage.name() + " holds no " + OBJECT,
                        "is the right disk mounted there? a new storage is taken by its first backup"));
        if (!owner.id().equals(id)) {
            throw new NightshiftException(
                    FailureKind.REFUSED,
                    "storage " + storage.name() + " belongs to installation " + owner.id() + " since "
                            + owner.createdAt() + ", this is installation " + id,
                    "use another path or prefix; if the other installation is gone for good, delete " + OBJECT
                            + " from the storage");
        }
        return owner;
    }

    private static Installation parse(Storage storage, byte[] json) {
        try {
            Installation read = JSON.readValue(json, Installation.class);
            if (isMissing(read)) {
                throw damaged(storage, null);
            }
            if (read.formatVersion() > FORMAT_VERSION) {
                throw new NightshiftException(
                        FailureKind.REFUSED,
                        "storage " + storage.name() + " has format version " + read.formatVersion()
                                + ", this program knows up to " + FORMAT_VERSION,
                        "use the newer program that wrote it");
            }
            if (isMissing(read.id()) || isMissing(read.createdAt()) || read.formatVersion() < 1) {
                throw damaged(storage, null);
            }
            return read;
        } catch (JacksonException unreadable) {
            throw damaged(storage, unreadable);
        }
    }

    /** Jackson fills absent fields with null, whatever the annotations say. */
    private static boolean isMissing(@Nullable Object field) {
        return field == null;
    }

    private static NightshiftException damaged(Storage storage, @Nullable Throwable cause) {
        return new NightshiftException(
                FailureKind.DATA_DAMAGED,
                "object " + OBJECT + " in storage " + storage.name() + " is not readable",
                "compare it with another storage of this installation; look for other damage there",
                cause);
    }
}
