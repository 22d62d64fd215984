package io.nightshift.infra.health;

import io.nightshift.infra.health.KnownReleases.Release;
import io.nightshift.infra.postgres.PostgresVersion;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Whether a server lacks minor releases, which mend and change nothing else, or its major version comes to its end. */
final class VersionCheck extends SqlCheck {

    private final KnownReleases releases;

    VersionCheck(KnownReleases releases) {
        super("version", Where.EVERY_NODE, "a minor release is missing, or support ends");
        this.releases = releases;
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) {
        PostgresVersion version = session.node().version();
        Optional<Release> known = releases.of(version);
        if (known.isEmpty()) {
            return List.of(notEvaluated(
                    session.address(),
                    "this program does not know PostgreSQL " + version + " (its table is of " + releases.asOf() + ")"));
        }
        Release release = known.get();
        List<HealthResult> results = new ArrayList<>();
        int behind = release.newestMinor() - version.minor();
        if (behind > 0) {
            results.add(warning(
                    session.address(),
                    "runs PostgreSQL " + version + ", " + Words.count(behind, "minor release") + " behind "
                            + version.major() + "." + release.newestMinor() + ", the newest that this program knows ("
                            + releases.asOf() + ")",
                    "install " + version.major() + "." + release.newestMinor()
                            + " and restart, standbys first; read the release notes for what to do besides"));
        }
        LocalDate today = LocalDate.ofInstant(session.clock().instant(), ZoneOffset.UTC);
        if (behind <= 0 && releases.isOld(today)) {
            results.add(notEvaluated(
                    session.address(),
                    "whether PostgreSQL " + version + " lacks minor releases is not known: the newest that this program"
                            + " knows, " + version.major() + "." + release.newestMinor() + ", are of "
                            + releases.asOf()));
        }
        long days = ChronoUnit.DAYS.between(today, release.endOfLife());
        if (days <= session.settings().endOfLife().toDays()) {
            results.add(warning(
                    "PostgreSQL " + version.major() + " on " + session.address(),
                    days < 0
                            ? "PostgreSQL " + version.major() + " gets no more fixes since " + release.endOfLife()
                            : "PostgreSQL " + version.major() + " gets its last fixes on " + release.endOfLife()
                                    + ", in " + Words.count(days, "day"),
                    "plan pg_upgrade to a newer major version"));
        }
        return results;
    }
}
