package io.nightshift.infra.storage;

import java.io.InputStream;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * A place that keeps objects. Implementations are thread-safe, and several processes may use one place at once.
 *
 * <p>Object names are slash-separated; {@link ObjectName} says which are accepted. Every failure is a NightshiftException
 * whose message names the storage and the object:
 *
 * <ul>
 *   <li>an object of that name exists: REFUSED;
 *   <li>there is no such object: DATA_DAMAGED, because who opens an object knows that it was written; {@link
 *       StorageFailures#isMissing} tells it from other damage, {@link #stat} asks without failing;
 *   <li>no space, no quota: RESOURCES_EXHAUSTED with the bytes free;
 *   <li>not reachable, read-only, no permission, not mounted: STORAGE_UNAVAILABLE.
 * </ul>
 *
 * <p>The streams it opens throw the same exceptions while reading, never a plain IOException.
 */
public interface Storage {

    /** The name in the configuration, such as {@code local}. */
    String name();

    /** Begins a new object. REFUSED at once if it exists; the decision between writers falls at commit. */
    StoredObjectWriter create(String object);

    /**
     * Begins an object that takes the place of one of the same name, if there is one: whoever opens it finds the old bytes or
     * the new ones, whole, whatever happens in between. For repairs alone, after the new bytes were compared with what they
     * should be; everything else is written once.
     */
    StoredObjectWriter replace(String object);

    /** The whole object. */
    InputStream open(String object);

    /** At most {@code length} bytes from {@code offset} on; ends early where the object ends. */
    InputStream openRange(String object, long offset, long length);

    /**
     * The objects whose names begin with the prefix, sorted by name as ASCII. Lazy: close the stream. Objects that
     * come or go meanwhile may or may not be seen.
     */
    Stream<StoredObject> list(String prefix);

    /** The names of the folders directly under a folder, sorted; "" is the storage itself. A folder exists while it holds objects. */
    Stream<String> folders(String folder);

    Optional<StoredObject> stat(String object);

    /** How many bytes can still be stored; empty where nobody knows, as with object stores. */
    default OptionalLong freeBytes() {
        return OptionalLong.empty();
    }

    /** What its free bytes belong to: storages of one volume fill the same space. */
    default String volume() {
        return name();
    }

    /** Deletes durably; a missing object is fine. */
    void delete(String object);
}
