package io.nightshift.infra.health;

import io.nightshift.infra.health.NodeCounters.Counts;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Something that {@code pg_stat_database} counts, per day; less than a day counts as a whole one. */
abstract class DailyCheck extends SqlCheck {

    private static final Duration DAY = Duration.ofDays(1);

    /** What a database has counted. */
    record Counted(String database, long total, Duration over) {

        long perDay() {
            return Math.round(total / Math.max(1.0, (double) over.toSeconds() / DAY.toSeconds()));
        }
    }

    private final String column;

    DailyCheck(String name, String column, String summary) {
        super(name, Where.EVERY_NODE, summary);
        this.column = column;
    }

    @Override
    final List<HealthResult> evaluate(HealthSession session) throws SQLException {
        return session.counters().databases(session).stream()
                .map(database -> judge(database, session))
                .flatMap(Optional::stream)
                .toList();
    }

    private Optional<HealthResult> judge(List<Counts> database, HealthSession session) {
        return database.stream()
                .filter(counts ->
                        counts.of(column) > 0 && isMuch(counted(counts).perDay(), session.settings()))
                .findFirst()
                .map(counts -> warning(
                        "database " + counts.subject() + " on " + session.address(),
                        detail(counted(counts)) + " in " + counts.span(),
                        remedy(counted(counts))));
    }

    private Counted counted(Counts counts) {
        return new Counted(counts.subject(), counts.of(column), counts.span().length());
    }

    abstract boolean isMuch(long perDay, HealthSettings settings);

    abstract String detail(Counted counted);

    abstract String remedy(Counted counted);
}
