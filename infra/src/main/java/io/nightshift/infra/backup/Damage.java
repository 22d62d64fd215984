package io.nightshift.infra.backup;

/**
 * Stored bytes that are not what was sent.
 *
 * @param object the stored object
 * @param from first byte concerned, of the object as stored
 * @param to behind the last byte concerned; equal to {@code from} if something is missing there
 * @param path the file concerned, from the data directory on; "" if none, or not known
 * @param what is wrong, in plain words
 */
public record Damage(String object, long from, long to, String path, String what) {

    @Override
    public String toString() {
        String range = from == to ? "" : " bytes " + from + " to " + to;
        return object + range + (path.isEmpty() ? "" : ", file " + path) + ": " + what;
    }
}
