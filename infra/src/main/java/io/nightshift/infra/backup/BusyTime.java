package io.nightshift.infra.backup;

/** How long one thread has been doing something, for others to ask at any time; nanoseconds. */
final class BusyTime {

    private long ended;
    private long since;
    private boolean busy;

    synchronized void begin() {
        busy = true;
        since = System.nanoTime();
    }

    synchronized void end() {
        ended += System.nanoTime() - since;
        busy = false;
    }

    /** Up to now, the present spell included. */
    synchronized long nanos() {
        return busy ? ended + System.nanoTime() - since : ended;
    }
}
