package io.nightshift.infra.restore;

import io.nightshift.infra.restore.Throughput.Work;
import io.nightshift.infra.restore.ThroughputFile.Rate;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;

/**
 * How long a restore will take, from what earlier ones have taken. Pure.
 *
 * @param files the time until the data directory is written, WAL fetched too; empty if nothing like it was measured
 * @param replay the time that recovery takes from there on; empty if none was measured
 */
public record RestoreEstimate(Optional<Part> files, Optional<Part> replay) {

    /**
     * One of the two.
     *
     * @param rate from which it was computed; with the one of a verification, which writes nothing, it is the least
     */
    public record Part(Duration takes, Rate rate) {

        private static Part of(long bytes, Rate rate) {
            return new Part(Duration.ofMillis(Math.round(1000 * bytes / rate.bytesPerSecond())), rate);
        }
    }

    /**
     * The estimate for a plan.
     *
     * @param rates what was measured
     */
    public static RestoreEstimate of(RestorePlan plan, Function<Work, Optional<Rate>> rates) {
        long written = plan.backupBytes() + plan.walBytes();
        return new RestoreEstimate(
                rates.apply(Work.RESTORE)
                        .or(() -> rates.apply(Work.VERIFICATION))
                        .map(rate -> Part.of(written, rate)),
                rates.apply(Work.REPLAY).map(rate -> Part.of(plan.replayedBytes(), rate)));
    }

    /** Of both, as far as they are known. */
    public Duration takes() {
        return files.map(Part::takes)
                .orElse(Duration.ZERO)
                .plus(replay.map(Part::takes).orElse(Duration.ZERO));
    }
}
