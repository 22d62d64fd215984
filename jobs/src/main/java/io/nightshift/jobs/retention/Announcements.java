package io.nightshift.jobs.retention;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageFailures;
import io.nightshift.infra.storage.StoredObject;
import io.nightshift.infra.storage.StoredObjectWriter;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * What earlier runs have said would expire, kept in the storages: {@code <cluster>/retention/<time>.json}. The newest few
 * stay.
 */
final class Announcements {

    private static final int KEPT = 10;
    private static final int LARGEST = 16 << 20;
    private static final int FORMAT_VERSION = 1;

    /** Runs do not begin at the same second each night. */
    private static final Duration EARLIER = Duration.ofHours(12);

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);
    private static final JsonMapper JSON = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    /**
     * One run's word.
     *
     * @param expiring from when on nothing keeps a backup, by label
     */
    private record Announcement(int formatVersion, Instant at, Map<String, Instant> expiring) {}

    private final String folder;
    private final List<Storage> storages;

    Announcements(String cluster, List<Storage> storages) {
        this.folder = cluster + "/retention/";
        this.storages = List.copyOf(storages);
    }

    /** What was said by now; of an object that is not readable, nothing. */
    Caution caution(Instant now) {
        Set<BackupLabel> announced = new HashSet<>();
        @Nullable Instant last = null;
        for (Storage storage : storages) {
            for (StoredObject object : objects(storage)) {
                Announcement said = read(storage, object.name());
                if (said == null) {
                    continue;
                }
                last = last == null || last.isBefore(said.at()) ? said.at() : last;
                said.expiring().forEach((label, from) -> {
                    if (!from.minus(EARLIER).isAfter(now)) {
                        BackupLabel.tryParse(label).ifPresent(announced::add);
                    }
                });
            }
        }
        return new Caution(announced, last);
    }

    /** Says it in every storage. What was said under a clock that was ahead is taken back. */
    void say(Forecast forecast, Instant now) {
        Map<String, Instant> expiring = new HashMap<>();
        forecast.expiring().forEach((label, day) -> expiring.put(label.toString(), now.plus(Duration.ofDays(day))));
        byte[] json = JSON.writerWithDefaultPrettyPrinter()
                .writeValueAsBytes(new Announcement(FORMAT_VERSION, now.truncatedTo(ChronoUnit.SECONDS), expiring));
        for (Storage storage : storages) {
            String said = folder + TIME.format(now) + ".json";
            write(storage, said, json);
            List<String> names =
                    objects(storage).stream().map(StoredObject::name).toList();
            names.stream().filter(name -> name.compareTo(said) > 0).forEach(storage::delete);
            List<String> past =
                    names.stream().filter(name -> name.compareTo(said) <= 0).toList();
            past.subList(0, Math.max(0, past.size() - KEPT)).forEach(storage::delete);
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

    private List<StoredObject> objects(Storage storage) {
        try (Stream<StoredObject> listed = storage.list(folder)) {
            return listed.toList();
        }
    }

    private static @Nullable Announcement read(Storage storage, String object) {
        try (InputStream in = storage.openRange(object, 0, LARGEST)) {
            return JSON.readValue(in.readAllBytes(), Announcement.class);
        } catch (IOException failed) {
            throw StorageFailures.unreadable(storage, object, failed);
        } catch (JacksonException unreadable) {
            return null;
        } catch (NightshiftException failed) {
            if (failed.kind() == FailureKind.DATA_DAMAGED) {
                return null;
            }
            throw failed;
        }
    }
}
