package io.nightshift.scheduler.cli;

import io.nightshift.infra.run.Progress;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Looks at the progress of something now and then and shows it, until closed. */
final class ProgressWatch implements AutoCloseable {

    static final long GLANCE_MILLIS = 300;

    private final ScheduledExecutorService glances = Executors.newSingleThreadScheduledExecutor();
    private final ProgressPrinter printer;

    ProgressWatch(NightshiftCommand top, Supplier<Optional<Progress.Snapshot>> progress) {
        printer = ProgressPrinter.of(top);
        Future<?> unused = glances.scheduleWithFixedDelay(
                () -> progress.get().ifPresent(printer::show), GLANCE_MILLIS, GLANCE_MILLIS, TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
        glances.shutdownNow();
        try {
            // A glance that is just being printed must not come after what follows.
            glances.awaitTermination(1, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        printer.end();
    }
}
