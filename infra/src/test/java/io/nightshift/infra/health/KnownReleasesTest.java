package io.nightshift.infra.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.health.HealthResult.NotEvaluated;
import io.nightshift.infra.health.HealthResult.Wrong;
import io.nightshift.infra.health.KnownReleases.Release;
import io.nightshift.infra.health.KnownReleases.Standing;
import io.nightshift.infra.postgres.PostgresVersion;
import java.time.Duration;
import java.time.LocalDate;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Releases came, and come, on 2026-08-13, 2026-11-12, 2027-02-11, 2027-05-13, 2027-08-12 and 2027-11-11. */
class KnownReleasesTest {

    private static final KnownReleases TABLE = new KnownReleases(
            LocalDate.of(2026, 8, 15),
            Map.of(
                    15, new Release(19, LocalDate.of(2027, 11, 11)),
                    18, new Release(6, LocalDate.of(2030, 11, 14))));

    private static Standing judge(int version, String today) {
        return TABLE.judge(new PostgresVersion(version), LocalDate.parse(today));
    }

    private static Standing due(int releases, String last) {
        return new Standing.Due(releases, LocalDate.parse(last));
    }

    @Test
    void the_newest_that_is_known_is_current_until_a_release_was_due_four_weeks_ago() {
        assertThat(judge(180_006, "2026-08-15")).isEqualTo(new Standing.Current());
        assertThat(judge(180_006, "2026-11-28")).isEqualTo(new Standing.Current());
        assertThat(judge(180_006, "2026-12-09")).isEqualTo(new Standing.Current());
        assertThat(judge(180_006, "2026-12-10")).isEqualTo(due(1, "2026-11-12"));
        assertThat(judge(180_006, "2027-03-10")).isEqualTo(due(1, "2026-11-12"));
        assertThat(judge(180_006, "2027-03-11")).isEqualTo(due(2, "2027-02-11"));
        assertThat(judge(180_006, "2030-01-01")).isEqualTo(due(13, "2029-11-08"));
    }

    @Test
    void a_table_of_the_day_of_a_release_holds_that_release() {
        var table = new KnownReleases(LocalDate.of(2026, 11, 12), TABLE.majors());

        assertThat(table.judge(new PostgresVersion(180_006), LocalDate.of(2027, 3, 10)))
                .isEqualTo(new Standing.Current());
        assertThat(table.judge(new PostgresVersion(180_006), LocalDate.of(2027, 3, 11)))
                .isEqualTo(due(1, "2027-02-11"));
    }

    @Test
    void what_is_older_than_a_known_release_is_behind_it_whatever_the_day_is() {
        assertThat(judge(180_004, "2026-08-15")).isEqualTo(new Standing.Behind(2, new PostgresVersion(180_006)));
        assertThat(judge(180_004, "2032-08-15")).isEqualTo(new Standing.Behind(2, new PostgresVersion(180_006)));
    }

    @Test
    void what_is_newer_than_the_table_is_fine_until_the_table_is_two_years_old() {
        assertThat(judge(180_007, "2026-11-28")).isEqualTo(new Standing.Current());
        assertThat(judge(180_007, "2028-08-15")).isEqualTo(new Standing.Current());
        assertThat(judge(180_007, "2028-08-16")).isEqualTo(new Standing.Unknown());
    }

    @Test
    void nothing_is_due_after_the_end_of_life() {
        assertThat(judge(150_019, "2027-12-09")).isEqualTo(due(5, "2027-11-11"));
        assertThat(judge(150_019, "2035-01-01")).isEqualTo(due(5, "2027-11-11"));
    }

    @Test
    void a_major_version_that_is_not_in_the_table_is_unknown() {
        assertThat(judge(190_001, "2026-11-28")).isEqualTo(new Standing.Unknown());
    }

    @Test
    void what_was_due_is_said_with_its_day_and_an_unknown_version_is_not_evaluated() {
        var check = new VersionCheck(TABLE);
        Duration notice = Duration.ofDays(180);

        var due = check.judge("db1:5432", new PostgresVersion(180_006), LocalDate.of(2026, 12, 10), notice);
        var several = check.judge("db1:5432", new PostgresVersion(180_006), LocalDate.of(2027, 3, 11), notice);
        var unknown = check.judge("db1:5432", new PostgresVersion(190_001), LocalDate.of(2026, 11, 28), notice);

        assertThat(due).singleElement().satisfies(result -> {
            assertThat(((Wrong) result).detail())
                    .isEqualTo(
                            "runs PostgreSQL 18.6, the newest that this program knows (2026-08-15); since then a minor"
                                    + " release was due on 2026-11-12");
            assertThat(((Wrong) result).remedy()).contains("install the newest 18.x and restart");
        });
        assertThat(((Wrong) several.get(0)).detail())
                .endsWith("; since then 2 minor releases were due, the last on 2027-02-11");
        assertThat(unknown).singleElement().isInstanceOf(NotEvaluated.class);
    }

    @Test
    void the_table_of_this_version_ends_each_major_version_with_a_release() {
        assertThat(KnownReleases.NOW.majors().values()).allSatisfy(release -> {
            assertThat(release.endOfLife().getMonthValue()).isEqualTo(11);
            assertThat(release.endOfLife().getDayOfMonth()).isBetween(8, 14);
        });
        assertThat(KnownReleases.NOW.majors()).containsOnlyKeys(15, 16, 17, 18);
    }
}
