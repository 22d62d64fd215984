package io.nightshift.jobs.proof;

import io.nightshift.infra.config.DataSize;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What would have been lost, had the source been lost when the test began.
 *
 * @param time from the last transaction that is restored to the last one of the source, or to the moment when it was asked;
 *     at most
 * @param bytes of WAL behind the point that was reached; null if the source did not answer
 */
record LossWindow(Duration time, @Nullable Long bytes) {

    static LossWindow between(ReachedPoint reached, SourcePoint source) {
        if (source.location() == null) {
            return new LossWindow(notNegative(reached.at(), source.at()), null);
        }
        long bytes = Math.max(0, source.location().minus(reached.location()));
        Instant last = source.lastCommit() == null ? source.at() : source.lastCommit();
        return new LossWindow(bytes == 0 ? Duration.ZERO : notNegative(reached.at(), last), bytes);
    }

    private static Duration notNegative(Instant from, Instant to) {
        return to.isAfter(from) ? Duration.between(from, to) : Duration.ZERO;
    }

    String words() {
        if (bytes == null) {
            return "at most " + RestoreTestReport.duration(time);
        }
        return bytes == 0
                ? "nothing"
                : "at most " + RestoreTestReport.duration(time) + " (" + new DataSize(bytes).rounded() + " of WAL)";
    }
}
