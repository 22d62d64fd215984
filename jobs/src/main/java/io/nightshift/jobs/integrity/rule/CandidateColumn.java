package io.nightshift.jobs.integrity.rule;

import io.nightshift.infra.postgres.Identifiers;
import io.nightshift.infra.postgres.TableName;
import io.nightshift.jobs.integrity.CheckSession;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A column of a table of users, as the catalogs and the statistics have it.
 *
 * @param type without length and the like; of a domain the one below
 * @param isKey whether it alone is the primary key
 * @param isUnique whether an index keeps its values apart
 * @param isReference whether it is in a foreign key
 * @param isChecked whether it is in a constraint CHECK
 * @param rows that the table has, as its statistics say
 * @param distinct values as pg_stats counts them, negative as a share of the rows; null where there are no statistics
 * @param isComplete whether the common values are all that there are
 * @param values the common ones
 * @param isReadable whether our role may read the table
 */
record CandidateColumn(
        TableName table,
        String column,
        String type,
        boolean isKey,
        boolean isUnique,
        boolean isReference,
        boolean isChecked,
        long rows,
        @Nullable Double distinct,
        boolean isComplete,
        List<String> values,
        boolean isReadable) {

    private static final Pattern PERSONAL = Pattern.compile(
            "mail|phone|mobile|fax|name|address|street|postal|zip|birth|dob|ssn|passport|iban|card|account|salary|gender"
                    + "|religion|password|token|secret|latitude|longitude|login|(^|_)ip(_|$)");
    private static final Set<String> TEXTS = Set.of("text", "character varying", "character");
    private static final Set<String> INTEGERS = Set.of("smallint", "integer", "bigint");
    private static final Set<String> NUMBERS =
            Set.of("smallint", "integer", "bigint", "numeric", "real", "double precision");
    private static final Set<String> TIMES = Set.of("timestamp with time zone", "timestamp without time zone");

    /** Each common value in a row of its own, since arrays have a text of their own; partitions are seen from their roots. */
    private static final String COLUMNS = """
            SELECT n.nspname, c.relname, a.attname, format_type(CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END, NULL),
                   EXISTS (SELECT FROM pg_index x WHERE x.indrelid = c.oid AND x.indisprimary AND x.indnkeyatts = 1
                              AND x.indkey[0] = a.attnum),
                   EXISTS (SELECT FROM pg_index x WHERE x.indrelid = c.oid AND x.indisunique AND x.indpred IS NULL
                              AND x.indnkeyatts = 1 AND x.indkey[0] = a.attnum),
                   EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f' AND a.attnum = ANY (k.conkey)),
                   EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c' AND a.attnum = ANY (k.conkey)),
                   greatest(c.reltuples, 0)::bigint, s.n_distinct,
                   coalesce(s.n_distinct > 0 AND s.n_distinct = cardinality(s.most_common_freqs), false),
                   has_table_privilege(c.oid, 'SELECT'),
                   v.value
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
              JOIN pg_type t ON t.oid = a.atttypid
              LEFT JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname
                                  AND s.inherited = (c.relkind = 'p')
              LEFT JOIN LATERAL unnest(CASE WHEN s.n_distinct BETWEEN 1 AND 12
                                            THEN s.most_common_vals::text::text[] END) AS v (value) ON true
             WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence = 'p'
               AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
               AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
             ORDER BY n.nspname, c.relname, a.attnum, v.value
            """;

    static List<CandidateColumn> read(CheckSession session) throws SQLException {
        List<CandidateColumn> columns = new ArrayList<>();
        for (List<@Nullable String> row : session.rows(COLUMNS)) {
            CandidateColumn next = of(row);
            CandidateColumn last = columns.isEmpty() ? null : columns.get(columns.size() - 1);
            if (last != null && last.table.equals(next.table) && last.column.equals(next.column)) {
                List<String> both = new ArrayList<>(last.values);
                both.addAll(next.values);
                columns.set(columns.size() - 1, next.with(both));
            } else {
                columns.add(next);
            }
        }
        return columns;
    }

    private static CandidateColumn of(List<@Nullable String> row) {
        String distinct = row.get(9);
        String value = row.get(12);
        return new CandidateColumn(
                new TableName(row.get(0), Objects.requireNonNull(row.get(1))),
                Objects.requireNonNull(row.get(2)),
                Objects.requireNonNull(row.get(3)),
                "t".equals(row.get(4)),
                "t".equals(row.get(5)),
                "t".equals(row.get(6)),
                "t".equals(row.get(7)),
                Long.parseLong(Objects.requireNonNull(row.get(8))),
                distinct == null ? null : Double.valueOf(distinct),
                "t".equals(row.get(10)),
                value == null ? List.of() : List.of(value),
                "t".equals(row.get(11)));
    }

    private CandidateColumn with(List<String> all) {
        return new CandidateColumn(
                table,
                column,
                type,
                isKey,
                isUnique,
                isReference,
                isChecked,
                rows,
                distinct,
                isComplete,
                all,
                isReadable);
    }

    /** Whether its name says that it is of a person: no value of it may be written anywhere. */
    boolean looksPersonal() {
        return PERSONAL.matcher(column.toLowerCase(Locale.ROOT)).find();
    }

    boolean isText() {
        return TEXTS.contains(type);
    }

    boolean isNumber() {
        return NUMBERS.contains(type);
    }

    boolean isTime() {
        return TIMES.contains(type);
    }

    /** Whether it may refer to a column of the other's type. */
    boolean fits(CandidateColumn other) {
        return type.equals(other.type)
                || (INTEGERS.contains(type) && INTEGERS.contains(other.type))
                || (isText() && other.isText());
    }

    /** The table as SQL takes it. */
    String from() {
        return Identifiers.quoted(Objects.requireNonNull(table.schema())) + "." + Identifiers.quoted(table.name());
    }

    String quoted() {
        return Identifiers.quoted(column);
    }

    @Override
    public String toString() {
        return table + "." + column;
    }
}
