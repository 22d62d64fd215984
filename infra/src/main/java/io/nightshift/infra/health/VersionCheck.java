package io.nightshift.infra.health;

import io.nightshift.infra.health.KnownReleases.Release;
import io.nightshift.infra.health.KnownReleases.Standing;
import io.nightshift.infra.health.KnownReleases.Standing.Behind;
import io.nightshift.infra.health.KnownReleases.Standing.Due;
import io.nightshift.infra.health.KnownReleases.Standing.Unknown;
import io.nightshift.infra.postgres.PostgresVersion;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/** Whether a server lacks minor releases, which mend and change nothing else, or its major version comes to its end. */
final class VersionCheck extends SqlCheck {

    private static final String AND_RESTART =
            " and restart, standbys first; read the release notes for what to do besides";

    private final KnownReleases releases;

    VersionCheck(KnownReleases releases) {
        super("version", Where.EVERY_NODE, "a minor release is missing, or support ends");
        this.releases = releases;
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) {
        LocalDate today = LocalDate.ofInstant(session.clock().instant(), ZoneOffset.UTC);
        return judge(
                session.address(),
                session.node().version(),
                today,
                session.settings().endOfLife());
    }

    /** @param notice how long before the end of its support a major version is told */
    List<HealthResult> judge(String node, PostgresVersion version, LocalDate today, Duration notice) {
        List<HealthResult> results = new ArrayList<>();
        Standing standing = releases.judge(version, today);
        if (standing instanceof Behind behind) {
            results.add(warning(
                    node,
                    "runs PostgreSQL " + version + ", " + Words.count(behind.releases(), "minor release") + " behind "
                            + behind.newest() + ", the newest that this program knows (" + releases.asOf() + ")",
                    "install " + behind.newest() + AND_RESTART));
        } else if (standing instanceof Due due) {
            results.add(warning(
                    node,
                    "runs PostgreSQL " + version + ", the newest that this program knows (" + releases.asOf() + "); "
                            + (due.releases() == 1
                                    ? "since then a minor release was due on " + due.last()
                                    : "since then " + due.releases() + " minor releases were due, the last on "
                                            + due.last()),
                    "see https://www.postgresql.org/support/versioning/; install the newest " + version.major() + ".x"
                            + AND_RESTART));
        } else if (standing instanceof Unknown) {
            results.add(notEvaluated(
                    node,
                    "this program does not know PostgreSQL " + version + " (its table is of " + releases.asOf() + ")"));
        }
        Release release = releases.majors().get(version.major());
        if (release != null && ChronoUnit.DAYS.between(today, release.endOfLife()) <= notice.toDays()) {
            results.add(ending(node, version.major(), release.endOfLife(), today));
        }
        return results;
    }

    private HealthResult ending(String node, int major, LocalDate endOfLife, LocalDate today) {
        long days = ChronoUnit.DAYS.between(today, endOfLife);
        return warning(
                "PostgreSQL " + major + " on " + node,
                days < 0
                        ? "PostgreSQL " + major + " gets no more fixes since " + endOfLife
                        : "PostgreSQL " + major + " gets its last fixes on " + endOfLife + ", in "
                                + Words.count(days, "day"),
                "plan pg_upgrade to a newer major version");
    }
}
