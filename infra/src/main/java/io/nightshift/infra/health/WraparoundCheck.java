package io.nightshift.infra.health;

import io.nightshift.infra.run.Severity;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How old each database's oldest transaction and multixact are. At the freeze age autovacuum begins to work against
 * wraparound, at the failsafe age it drops everything else, and shortly before 2^31 the server takes no more writes; see
 * "Preventing Transaction ID Wraparound Failures" in the PostgreSQL manual.
 */
final class WraparoundCheck extends SqlCheck {

    private static final long WRAPAROUND = 1L << 31;

    /**
     * Of one of the two counters.
     *
     * @param failsafeAge at which vacuum drops everything else, whatever the setting: at least 1.05 of the freeze age
     */
    record Age(String counter, long age, long freezeMaxAge, long failsafeAge) {

        Age {
            failsafeAge = Math.max(failsafeAge, freezeMaxAge + freezeMaxAge / 20);
        }

        long percent() {
            return Words.percent(age, freezeMaxAge);
        }

        Optional<Severity> severity(NumberLimits limits) {
            return age >= failsafeAge ? Optional.of(Severity.CRITICAL) : limits.severity(percent());
        }
    }

    private record Database(String name, String quoted, boolean connectable, List<Age> ages) {

        /** Where nobody may connect autovacuum still does. */
        String freeze(Age age) {
            return connectable
                    ? "in database " + name + ": VACUUM (FREEZE, VERBOSE) the oldest tables: SELECT oid::regclass, "
                            + column(age) + " FROM pg_class WHERE relkind IN ('r', 'm', 't') ORDER BY 2 DESC LIMIT 10"
                    : "see that autovacuum is on and comes to it; by hand: ALTER DATABASE " + quoted
                            + " ALLOW_CONNECTIONS true; vacuumdb --freeze --dbname=" + name + "; ALTER DATABASE "
                            + quoted + " ALLOW_CONNECTIONS false";
        }
    }

    WraparoundCheck() {
        super("wraparound", Where.PRIMARY, "a database comes near transaction ID wraparound");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        List<Database> databases = session.query(
                """
                SELECT datname, quote_ident(datname) AS quoted, datallowconn, age(datfrozenxid)::bigint AS xids,
                       mxid_age(datminmxid)::bigint AS multixacts,
                       current_setting('autovacuum_freeze_max_age')::bigint AS freeze,
                       current_setting('autovacuum_multixact_freeze_max_age')::bigint AS multixact_freeze,
                       current_setting('vacuum_failsafe_age')::bigint AS failsafe,
                       current_setting('vacuum_multixact_failsafe_age')::bigint AS multixact_failsafe
                FROM pg_database ORDER BY datname
                """,
                row -> new Database(
                        row.getString("datname"),
                        row.getString("quoted"),
                        row.getBoolean("datallowconn"),
                        List.of(
                                new Age(
                                        "transaction",
                                        row.getLong("xids"),
                                        row.getLong("freeze"),
                                        row.getLong("failsafe")),
                                new Age(
                                        "multixact",
                                        row.getLong("multixacts"),
                                        row.getLong("multixact_freeze"),
                                        row.getLong("multixact_failsafe")))));
        List<HealthResult> results = new ArrayList<>();
        for (Database database : databases) {
            for (Age age : database.ages()) {
                age.severity(session.settings().freezeAge())
                        .ifPresent(severity -> results.add(wrong(
                                severity,
                                "database " + database.name() + ", " + age.counter() + "s",
                                detail(age),
                                database.freeze(age) + "; if it does not help, see xmin-horizon for what holds it")));
            }
        }
        return results;
    }

    private static String column(Age age) {
        return age.counter().equals("multixact") ? "mxid_age(relminmxid)" : "age(relfrozenxid)";
    }

    private static String detail(Age age) {
        return "its oldest " + age.counter() + " is " + Words.number(age.age()) + " old: " + age.percent()
                + " % of the age at which autovacuum freezes (" + Words.number(age.freezeMaxAge()) + "), "
                + Words.percent(age.age(), WRAPAROUND) + " % of the way to wraparound";
    }
}
