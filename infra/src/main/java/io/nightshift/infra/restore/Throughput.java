package io.nightshift.infra.restore;

import java.time.Duration;

/** How much of a kind of work took how long. */
public record Throughput(Work work, long bytes, Duration took) {

    /** What takes its time when a cluster is brought back. */
    public enum Work {
        /** Unpacking, comparing and writing files, and fetching WAL; bytes written. */
        RESTORE,
        /** Recovery by a server; bytes of WAL. */
        REPLAY,
        /** Reading a backup back without writing it; bytes unpacked. */
        VERIFICATION
    }

    /**
     * Of what ends now.
     *
     * @param nanoTime of {@link System#nanoTime} when it began
     */
    public static Throughput since(long nanoTime, Work work, long bytes) {
        return new Throughput(work, bytes, Duration.ofNanos(System.nanoTime() - nanoTime));
    }
}
