package io.nightshift.infra.health;

import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;

/**
 * Something that {@code pg_stat_database} counts, per day since its statistics began. Where it does not say when that was,
 * the cluster is as old as its system identifier, whose upper half is the time of initdb; a first day counts as a whole
 * one.
 */
abstract class DailyCheck extends SqlCheck {

    private static final Duration DAY = Duration.ofDays(1);

    /** What a database has counted. */
    record Counted(String database, long total, Duration since) {

        long perDay() {
            return Math.round(total / Math.max(1.0, (double) since.toSeconds() / DAY.toSeconds()));
        }
    }

    private final String column;

    DailyCheck(String name, String column, String summary) {
        super(name, Where.EVERY_NODE, summary);
        this.column = column;
    }

    @Override
    final List<HealthResult> evaluate(HealthSession session) throws SQLException {
        return session
                .query(
                        """
                        SELECT datname, %s AS total,
                               extract(epoch FROM clock_timestamp() - greatest(stats_reset, to_timestamp(
                                   (SELECT system_identifier >> 32 FROM pg_control_system()))))::float8 AS since
                        FROM pg_stat_database WHERE datname IS NOT NULL ORDER BY datname
                        """.formatted(column),
                        row -> new Counted(
                                row.getString("datname"),
                                row.getLong("total"),
                                Objects.requireNonNull(HealthSession.seconds(row, "since"))))
                .stream()
                .filter(counted -> counted.total() > 0 && isMuch(counted.perDay(), session.settings()))
                .<HealthResult>map(counted -> warning(
                        "database " + counted.database() + " on " + session.address(),
                        detail(counted) + " in " + Words.duration(counted.since()),
                        remedy(counted)))
                .toList();
    }

    abstract boolean isMuch(long perDay, HealthSettings settings);

    abstract String detail(Counted counted);

    abstract String remedy(Counted counted);
}
