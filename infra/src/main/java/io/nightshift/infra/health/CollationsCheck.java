package io.nightshift.infra.health;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Collations whose version in the operating system or ICU is another than when their indexes were built: text may be sorted
 * otherwise there, so that searches miss rows and unique indexes let duplicates in.
 */
final class CollationsCheck extends SqlCheck {

    private record Mismatch(String name, String recorded, String actual, long dependents) {}

    private record Database(
            String quoted,
            @Nullable String recorded,
            @Nullable String actual) {}

    CollationsCheck() {
        super("collations", Where.DATABASES, "a collation sorts otherwise than its indexes");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        List<HealthResult> results = new ArrayList<>();
        Database database = session.single(
                """
                SELECT quote_ident(datname) AS quoted, datcollversion, pg_database_collation_actual_version(oid) AS actual
                FROM pg_database WHERE datname = current_database()
                """,
                row -> new Database(row.getString("quoted"), row.getString("datcollversion"), row.getString("actual")));
        if (database.recorded() != null
                && database.actual() != null
                && !database.recorded().equals(database.actual())) {
            results.add(warning(
                    "database " + session.database(),
                    "its collation has version " + database.actual() + ", its indexes were built with version "
                            + database.recorded() + ": text indexes may miss rows",
                    "in database " + session.database() + ": REINDEX DATABASE " + database.quoted()
                            + "; then ALTER DATABASE " + database.quoted() + " REFRESH COLLATION VERSION"));
        }
        session.query(
                        """
                        SELECT format('%I.%I', n.nspname, c.collname) AS name, c.collversion,
                               pg_collation_actual_version(c.oid) AS actual, d.dependents
                        FROM pg_collation c
                        JOIN pg_namespace n ON n.oid = c.collnamespace
                        CROSS JOIN LATERAL (
                            SELECT count(*) AS dependents FROM pg_depend d
                            WHERE d.refclassid = 'pg_collation'::regclass AND d.refobjid = c.oid) AS d
                        WHERE c.collversion IS NOT NULL AND d.dependents > 0
                          AND c.collversion <> pg_collation_actual_version(c.oid)
                        ORDER BY 1
                        """,
                        row -> new Mismatch(
                                row.getString("name"),
                                row.getString("collversion"),
                                row.getString("actual"),
                                row.getLong("dependents")))
                .forEach(mismatch -> results.add(warning(
                        "collation " + mismatch.name() + session.inDatabase(),
                        "has version " + mismatch.actual() + ", and was made with version " + mismatch.recorded() + "; "
                                + Words.count(mismatch.dependents(), "object") + " depend on it",
                        "REINDEX the indexes that use it, then ALTER COLLATION " + mismatch.name()
                                + " REFRESH VERSION")));
        return results;
    }
}
