package io.nightshift.scheduler.report;

import io.nightshift.infra.config.DataSize;
import java.time.Duration;
import java.util.Locale;

/** Durations, sizes and parts as people read them, in every output. */
public final class Amounts {

    private Amounts() {}

    public static String duration(Duration duration) {
        long seconds = duration.toSeconds();
        if (seconds < 60) {
            return String.format(Locale.ROOT, "%.1f s", duration.toMillis() / 1000.0);
        }
        return seconds < 3600
                ? String.format(Locale.ROOT, "%d:%02d min", seconds / 60, seconds % 60)
                : String.format(Locale.ROOT, "%d:%02d h", seconds / 3600, seconds % 3600 / 60);
    }

    public static String seconds(double seconds) {
        return duration(Duration.ofMillis(Math.round(seconds * 1000)));
    }

    public static String bytes(double bytes) {
        return new DataSize(Math.round(bytes)).rounded();
    }

    /** Never rounded up to 100 %. */
    public static String percent(double part) {
        double percent = part * 100;
        return percent > 99.9 && percent < 100
                ? "99.9 %"
                : String.format(Locale.ROOT, percent == Math.rint(percent) ? "%.0f %%" : "%.1f %%", percent);
    }

    /** How long ago or long, in the largest unit that says enough: {@code 3 h}, {@code 2 d}. */
    public static String age(Duration age) {
        long hours = age.toHours();
        return hours >= 72 ? hours / 24 + " d" : hours >= 2 ? hours + " h" : age.toMinutes() + " min";
    }

    public static String count(long number, String one, String many) {
        return number + " " + (number == 1 ? one : many);
    }
}
