package io.nightshift.infra.backup;

import java.time.Duration;
import java.util.Comparator;
import java.util.stream.Stream;

/**
 * What the thread that reads a base backup from its socket has waited for. What is left of the stream's time it has
 * worked itself: found the members, summed them and filled blocks.
 *
 * @param server for bytes: the server, the network, or the limit of the rate
 * @param compression for a free block, while the threads that compress and sum were behind
 * @param storage for a free block, or for the end of an archive, while the storage was behind
 * @param production on purpose, while production came first
 */
public record StreamWaits(Duration server, Duration compression, Duration storage, Duration production) {

    public static final StreamWaits NONE = new StreamWaits(Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO);

    /**
     * What took most of a stream's time, and so would make it faster if it were.
     *
     * @param stream how long it took, with this thread's own work
     */
    public Limit limit(Duration stream) {
        Duration work = stream.minus(server).minus(compression).minus(storage).minus(production);
        return Stream.of(
                        new Limit("server or network", server),
                        new Limit("compression", compression),
                        new Limit("storage", storage),
                        new Limit("yielding to production", production),
                        new Limit("reading and summing", work))
                .max(Comparator.comparing(Limit::time))
                .orElseThrow();
    }

    /** One of the things that a stream spends its time with. */
    public record Limit(String what, Duration time) {}
}
