package io.nightshift.infra.health;

import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/** Whether a server's clock goes with this machine's: a restore to a point in time goes by the server's. */
final class ClockCheck extends SqlCheck {

    ClockCheck() {
        super("clock", Where.EVERY_NODE, "a server's clock is wrong");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        Instant asked = session.clock().instant();
        long millis =
                session.single("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint", row -> row.getLong(1));
        long between = Duration.between(asked, session.clock().instant()).toMillis() / 2;
        Duration ahead = Duration.ofMillis(millis - asked.toEpochMilli() - between);
        return session.settings()
                .clock()
                .severity(ahead.abs())
                .<HealthResult>map(severity -> wrong(
                        severity,
                        session.address(),
                        "its clock is " + Words.duration(ahead.abs()) + (ahead.isNegative() ? " behind" : " ahead of")
                                + " this machine's",
                        "let both follow the same time servers: chronyc tracking on each shows which one is wrong"))
                .map(List::of)
                .orElse(List.of());
    }
}
