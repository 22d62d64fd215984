package io.nightshift.infra.health;

import io.nightshift.infra.postgres.PostgresVersion;
import java.time.LocalDate;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.Optional;

/**
 * The releases of PostgreSQL that this program knows. There may be newer ones: bring it up to date with each minor release;
 * see https://www.postgresql.org/support/versioning/.
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

    private static final int DAYS_BETWEEN_RELEASES = 100;

    static final KnownReleases NOW = new KnownReleases(
            LocalDate.of(2026, 8, 15),
            Map.of(
                    15, new Release(19, LocalDate.of(2027, 11, 11)),
                    16, new Release(15, LocalDate.of(2028, 11, 9)),
                    17, new Release(11, LocalDate.of(2029, 11, 8)),
                    18, new Release(6, LocalDate.of(2030, 11, 14))));

    /** Minor releases come every three months: an older table may lack one. */
    boolean isOld(LocalDate today) {
        return ChronoUnit.DAYS.between(asOf, today) > DAYS_BETWEEN_RELEASES;
    }

    Optional<Release> of(PostgresVersion version) {
        return Optional.ofNullable(majors.get(version.major()));
    }
}
