package io.nightshift.scheduler.watchdog;

import java.time.Duration;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Whether this node does what it is there for: the watchdog looks, due times are accounted for, and both schedulers fire.
 * Thread-safe.
 */
final class Turning {

    private static final Duration LOOKS_WITHIN = Duration.ofMinutes(1);

    private record Look(long at, @Nullable String wrong) {}

    private final LongSupplier nanoTime;
    private volatile @Nullable Look last;

    Turning(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /** The watchdog has looked. */
    void looked(Facts facts, Optional<String> standing) {
        last = new Look(nanoTime.getAsLong(), standing.or(() -> wrong(facts)).orElse(null));
    }

    private static Optional<String> wrong(Facts facts) {
        return facts.jobs().stream()
                .flatMap(job -> JobJudge.unaccounted(job, facts).stream())
                .map(late -> late.subject() + " is " + late.detail())
                .findFirst()
                .or(() -> facts.node().threads().stream()
                        .filter(threads -> !threads.areExhausted()
                                && !EngineJudge.waiting(threads.scheduler(), facts)
                                        .isEmpty())
                        .map(threads -> "Quartz scheduler " + threads.scheduler() + " does not fire its triggers")
                        .findFirst());
    }

    /** Why not; empty when it does. */
    Optional<String> whyNot() {
        Look look = last;
        if (look == null) {
            return Optional.of("the watchdog has not looked yet");
        }
        Duration ago = Duration.ofNanos(nanoTime.getAsLong() - look.at());
        return ago.compareTo(LOOKS_WITHIN) > 0
                ? Optional.of("the watchdog has not looked for " + ago.toSeconds() + " s")
                : Optional.ofNullable(look.wrong());
    }
}
