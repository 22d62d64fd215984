package io.nightshift.jobs.proof;

import io.nightshift.infra.restore.Restorability.Window;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;

/** Draws moments from the times that a cluster can be restored to, each as likely as any other. */
final class RandomMoment {

    /** A moment, and the window that it is in. */
    record Drawn(Window window, Instant at) {}

    private final List<Window> windows;
    private final RandomGenerator random;

    RandomMoment(List<Window> windows, RandomGenerator random) {
        this.windows = new ArrayList<>(windows);
        this.random = random;
    }

    /** Empty if there are only points, or nothing is left. */
    Optional<Drawn> next() {
        long all = windows.stream().mapToLong(RandomMoment::micros).sum();
        if (all == 0) {
            return Optional.empty();
        }
        long left = random.nextLong(all);
        for (Window window : windows) {
            if (left < micros(window)) {
                // Behind the end of the backup: at it there is nothing to find.
                return Optional.of(new Drawn(window, window.since().plus(left + 1, ChronoUnit.MICROS)));
            }
            left -= micros(window);
        }
        throw new IllegalStateException("drawn beyond the end");
    }

    /** What was stored later says nothing of when it happened: the window ends before this moment. */
    void tooLate(Drawn drawn) {
        Window window = drawn.window();
        windows.replaceAll(one -> one.equals(window)
                ? new Window(
                        window.timeline(),
                        window.from(),
                        window.since(),
                        window.to(),
                        drawn.at().minus(1, ChronoUnit.MICROS))
                : one);
    }

    private static long micros(Window window) {
        return Math.max(0, Duration.between(window.since(), window.until()).toNanos() / 1_000);
    }
}
