package io.nightshift.scheduler;

import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts embedded servers again that died while a process needs them. On a thread of its own, because every other one may
 * be waiting for just such a server.
 */
public final class ServerKeeper implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ServerKeeper.class);
    private static final int EVERY_SECONDS = 3;

    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(work -> {
        Thread keeper = new Thread(work, "server-keeper");
        keeper.setDaemon(true);
        return keeper;
    });

    /** @param servers each starts its server if it does not run */
    public ServerKeeper(List<Runnable> servers) {
        Future<?> unused = thread.scheduleWithFixedDelay(
                () -> servers.forEach(ServerKeeper::keep), EVERY_SECONDS, EVERY_SECONDS, TimeUnit.SECONDS);
    }

    private static void keep(Runnable server) {
        try {
            server.run();
        } catch (RuntimeException e) {
            LOG.warn("an embedded server does not run and does not start: {}", e.getMessage());
        }
    }

    /** Waits for a start that is under way, so that nothing is started behind the back of whoever stops the servers. */
    @Override
    public void close() {
        thread.shutdown();
        boolean interrupted = false;
        boolean ended = false;
        while (!ended) {
            try {
                ended = thread.awaitTermination(1, TimeUnit.MINUTES);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
