package io.nightshift.infra.backup;

import java.time.Duration;

/**
 * What the thread that reads a base backup from its socket has waited for. What is left of the stream's time it has
 * worked itself: found the members, summed them and filled blocks.
 *
 * @param server for bytes: the server, the network, or the limit of the rate
 * @param compression for a free block, while the threads that compress and sum were behind
 * @param storage for a free block, or for the end of an archive, while the storage was behind
 */
public record StreamWaits(Duration server, Duration compression, Duration storage) {

    public static final StreamWaits NONE = new StreamWaits(Duration.ZERO, Duration.ZERO, Duration.ZERO);

    /** What it has waited for longest, and so would make the stream faster if it were. */
    public String longest() {
        if (storage.compareTo(server) >= 0 && storage.compareTo(compression) >= 0) {
            return "storage";
        }
        return compression.compareTo(server) >= 0 ? "compression" : "server or network";
    }
}
