package io.nightshift.infra.health;

import io.nightshift.infra.postgres.PostgresVersion;
import java.time.DayOfWeek;
import java.time.LocalDate;
import java.time.Period;
import java.time.YearMonth;
import java.time.temporal.TemporalAdjusters;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The releases of PostgreSQL that this program knows. There may be newer ones: minor releases are due on the second Thursday
 * of February, May, August and November (https://www.postgresql.org/developer/roadmap/). Bring it up to date with each; see
 * https://www.postgresql.org/support/versioning/.
 *
 * @param asOf when the table was last brought up to date
 */
record KnownReleases(LocalDate asOf, Map<Integer, Release> majors) {

    /**
     * A major version.
     *
     * @param newestMinor such as 6 of 18.6
     * @param endOfLife when its last minor release comes
     */
    record Release(int newestMinor, LocalDate endOfLife) {}

    /** What is known of a server's minor version. */
    sealed interface Standing {

        /** Nothing is missing, as far as anybody can know here. */
        record Current() implements Standing {}

        /**
         * Newer ones are known.
         *
         * @param newest that the table knows
         */
        record Behind(int releases, PostgresVersion newest) implements Standing {}

        /**
         * It is the newest that the table knows, and newer ones must have come out since.
         *
         * @param releases that were due
         * @param last when the last of them was
         */
        record Due(int releases, LocalDate last) implements Standing {}

        /** The major version is not in the table; or the server is newer than a table that is too old to say more. */
        record Unknown() implements Standing {}
    }

    static final KnownReleases NOW = new KnownReleases(
            LocalDate.of(2026, 8, 15),
            Map.of(
                    15, new Release(19, LocalDate.of(2027, 11, 11)),
                    16, new Release(15, LocalDate.of(2028, 11, 9)),
                    17, new Release(11, LocalDate.of(2029, 11, 8)),
                    18, new Release(6, LocalDate.of(2030, 11, 14))));

    /** Between a release and the day when it should be installed. */
    static final Period GRACE = Period.ofWeeks(4);

    private static final Period TOO_OLD = Period.ofYears(2);

    Standing judge(PostgresVersion version, LocalDate today) {
        Release release = majors.get(version.major());
        if (release == null) {
            return new Standing.Unknown();
        }
        if (version.minor() < release.newestMinor()) {
            return new Standing.Behind(
                    release.newestMinor() - version.minor(),
                    new PostgresVersion(version.number() - version.minor() + release.newestMinor()));
        }
        if (version.minor() > release.newestMinor()) {
            return today.isAfter(asOf.plus(TOO_OLD)) ? new Standing.Unknown() : new Standing.Current();
        }
        List<LocalDate> due = due(release, today.minus(GRACE));
        return due.isEmpty() ? new Standing.Current() : new Standing.Due(due.size(), due.get(due.size() - 1));
    }

    /** When minor releases came out since the table's date, up to a day; the last one comes at the end of life. */
    private List<LocalDate> due(Release release, LocalDate until) {
        LocalDate last = until.isBefore(release.endOfLife()) ? until : release.endOfLife();
        return Stream.iterate(
                        YearMonth.from(asOf),
                        month -> !month.isAfter(YearMonth.from(last)),
                        month -> month.plusMonths(1))
                .filter(month -> month.getMonthValue() % 3 == 2)
                .map(KnownReleases::secondThursday)
                .filter(day -> day.isAfter(asOf) && !day.isAfter(last))
                .toList();
    }

    private static LocalDate secondThursday(YearMonth month) {
        return month.atDay(1).with(TemporalAdjusters.dayOfWeekInMonth(2, DayOfWeek.THURSDAY));
    }
}
