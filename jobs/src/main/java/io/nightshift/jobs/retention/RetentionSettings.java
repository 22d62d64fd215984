package io.nightshift.jobs.retention;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.config.Describe;
import io.nightshift.infra.config.Refusals;
import java.time.Duration;
import java.time.ZoneId;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** How long backups and WAL are kept; every default and limit. What none of these keeps is deleted. */
record RetentionSettings(
        @Describe("any moment that is no longer ago can be restored; shorter deletes backups and WAL earlier")
        Duration window,

        @Describe("newest full backups that are always kept, with what is built on them, however old")
        int fulls,

        @Describe("days, weeks, months and years of which the last backup is kept, to be restored to its own end")
        int daily,

        int weekly,

        int monthly,

        int yearly,

        @Describe("in which days begin and end") ZoneId timeZone,

        @Describe("what is kept may take that much in a storage before it is reported; it deletes nothing") @Nullable
        DataSize sizeLimit,

        @Describe(value = "nightshift run --yes: a person has looked at what would be deleted", oneRun = true)
        boolean confirmed) {

    private static final int MOST = 1_000;

    RetentionSettings {
        new Refusals()
                .when(window.isNegative(), "window is negative")
                .when(fulls < 1, "fulls is " + fulls + "; at least 1 is always kept")
                .when(isWrong(daily), "daily is " + daily + "; accepted: 0 to " + MOST)
                .when(isWrong(weekly), "weekly is " + weekly + "; accepted: 0 to " + MOST)
                .when(isWrong(monthly), "monthly is " + monthly + "; accepted: 0 to " + MOST)
                .when(isWrong(yearly), "yearly is " + yearly + "; accepted: 0 to " + MOST)
                .throwIfAny();
    }

    static RetentionSettings defaults() {
        return new RetentionSettings(Duration.ofDays(14), 2, 0, 0, 0, 0, ZoneId.of("UTC"), null, false);
    }

    private static boolean isWrong(int count) {
        return count < 0 || count > MOST;
    }

    RetentionPolicy policy() {
        Map<Period, Integer> generations = new EnumMap<>(Period.class);
        generations.put(Period.DAY, daily);
        generations.put(Period.WEEK, weekly);
        generations.put(Period.MONTH, monthly);
        generations.put(Period.YEAR, yearly);
        return new RetentionPolicy(window, fulls, generations, timeZone);
    }
}
