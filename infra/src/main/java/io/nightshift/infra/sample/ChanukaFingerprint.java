package io.nightshift.infra.sample;

import static java.util.stream.Collectors.joining;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.math.BigInteger;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/**
 * What the sample's tables hold: equal for two creations with the same seed and scale, and for a database and its
 * restored copy. Does not depend on the order of rows, the version of PostgreSQL or the session's settings.
 */
public record ChanukaFingerprint(List<Table> tables) {

    /**
     * One table, partitioned table or materialized view.
     *
     * @param digest sum, modulo 2^64, of the hashes of all rows; 16 hexadecimal digits. Generated columns are left out: a
     *     new dictionary may stem otherwise
     */
    public record Table(String name, long rows, String digest) {}

    private static final BigInteger DIGEST_VALUES = BigInteger.ONE.shiftLeft(64);

    public ChanukaFingerprint {
        tables = List.copyOf(tables);
    }

    /** A line per table. */
    @Override
    public String toString() {
        return tables.stream()
                .map(table -> table.name() + " " + table.rows() + " " + table.digest())
                .collect(joining("\n"));
    }

    /** Must be the first in its transaction, which becomes a read-only snapshot. */
    static ChanukaFingerprint take(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("""
                    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;
                    SET LOCAL TimeZone = 'UTC';
                    SET LOCAL DateStyle = 'ISO, YMD';
                    SET LOCAL extra_float_digits = 1""");
            List<Table> tables = new ArrayList<>();
            for (String digest : digests(statement)) {
                try (ResultSet row = statement.executeQuery(digest)) {
                    row.next();
                    BigInteger sum = row.getBigDecimal(3).toBigInteger().mod(DIGEST_VALUES);
                    tables.add(new Table(row.getString(1), row.getLong(2), String.format("%016x", sum)));
                }
            }
            return new ChanukaFingerprint(tables);
        }
    }

    /** One query per table, in the order of their names. */
    private static List<String> digests(Statement statement) throws SQLException {
        try (ResultSet found = statement.executeQuery("""
                SELECT format('SELECT %L, count(*), coalesce(sum(hashtextextended(ROW(%s)::text, 0)), 0) FROM chanuka.%I AS t',
                              relname, string_agg('t.' || quote_ident(attname), ', ' ORDER BY attnum), relname)
                  FROM pg_class AS class
                  JOIN pg_attribute AS attribute ON attrelid = class.oid
                 WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'chanuka')
                   AND relkind IN ('r', 'p', 'm') AND NOT relispartition
                   AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
                 GROUP BY relname
                 ORDER BY relname COLLATE "C"
                """)) {
            List<String> queries = new ArrayList<>();
            while (found.next()) {
                queries.add(found.getString(1));
            }
            if (queries.isEmpty()) {
                throw new NightshiftException(
                        FailureKind.CONFIGURATION,
                        "there is no schema chanuka in database "
                                + statement.getConnection().getCatalog(),
                        "create the sample first");
            }
            return queries;
        }
    }
}
