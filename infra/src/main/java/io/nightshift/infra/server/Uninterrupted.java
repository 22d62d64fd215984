package io.nightshift.infra.server;

/** Work that an interrupt must not leave half-way, because it ends something. */
final class Uninterrupted {

    private Uninterrupted() {}

    /** Runs the work as if the thread had not been interrupted, and lets the interrupt count afterwards. */
    static void run(Runnable work) {
        boolean interrupted = Thread.interrupted();
        try {
            work.run();
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
