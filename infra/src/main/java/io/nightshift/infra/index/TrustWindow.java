package io.nightshift.infra.index;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Since when nothing that a node used in a database has escaped us. It begins with our first look and never before one of ours,
 * whatever the server says of its past; with each of these it begins anew.
 *
 * @param because what it began with, such as {@code its statistics were reset}
 */
public record TrustWindow(Instant since, String because) {

    /** Two nights may be missing between two looks. */
    private static final Duration LONGEST_GAP = Duration.ofDays(3);
    /** A job that runs once a day is not exact to the minute. */
    private static final Duration SLACK = Duration.ofHours(2);

    static TrustWindow first(Instant at) {
        return new TrustWindow(at, "that was the first look");
    }

    /**
     * The window after one more look.
     *
     * @param lookedAt when the look before it was
     * @param hasFallen whether something was counted to less than before
     */
    TrustWindow after(IndexSnapshot.Series before, Instant lookedAt, IndexSnapshot next, boolean hasFallen) {
        return end(before, next.series(), hasFallen)
                .or(() -> gap(Duration.between(lookedAt, next.at())))
                .map(reason -> new TrustWindow(next.at(), reason))
                .orElse(this);
    }

    /** What has ended the series that a snapshot belonged to; empty if the next one continues it. */
    static Optional<String> end(IndexSnapshot.Series before, IndexSnapshot.Series next, boolean hasFallen) {
        if (!before.part().equals(next.part())) {
            return Optional.of("then it was seen as " + next.part());
        }
        if (before.database() != next.database()) {
            return Optional.of("the database was made anew");
        }
        if (isOther(before.lost(), next.lost())) {
            return Optional.of("its server lost its statistics, as in a crash");
        }
        if (isOther(before.reset(), next.reset())) {
            return Optional.of("its statistics were reset");
        }
        return hasFallen ? Optional.of("its counters had fallen") : Optional.empty();
    }

    private static boolean isOther(@Nullable Instant before, @Nullable Instant next) {
        return !Objects.equals(before, next);
    }

    private static Optional<String> gap(Duration gap) {
        return gap.compareTo(LONGEST_GAP.plus(SLACK)) > 0
                ? Optional.of("before that nobody looked for " + gap.toDays() + " days")
                : Optional.empty();
    }

    /** Whole nights up to a moment. */
    static long nights(Instant since, Instant now) {
        return Math.max(0, Duration.between(since, now).plus(SLACK).toDays());
    }
}
