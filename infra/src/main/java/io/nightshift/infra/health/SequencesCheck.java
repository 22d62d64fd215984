package io.nightshift.infra.health;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * Sequences near their end, or near the end of the column that they fill, which may be of a narrower type. Reading one needs
 * a privilege that {@code pg_monitor} does not give, and waits for who has it locked.
 */
final class SequencesCheck extends SqlCheck {

    private static final String SQL = """
            WITH locked AS MATERIALIZED (
                SELECT relation FROM pg_locks
                WHERE locktype = 'relation' AND mode IN ('ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
                  AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
            SELECT format('%I.%I', n.nspname, c.relname) AS name, quote_ident(n.nspname) AS schema,
                   a.table_name, a.column_name, a.type,
                   has_sequence_privilege(c.oid, 'SELECT, USAGE') AND has_schema_privilege(n.oid, 'USAGE') AS readable,
                   EXISTS (SELECT FROM locked WHERE relation = c.oid) AS locked,
                   CASE WHEN has_sequence_privilege(c.oid, 'SELECT, USAGE')
                         AND NOT EXISTS (SELECT FROM locked WHERE relation = c.oid)
                        THEN pg_sequence_last_value(c.oid) END AS last_value,
                   s.seqstart, s.seqincrement,
                   CASE WHEN s.seqincrement > 0 THEN s.seqmin ELSE s.seqmax END AS first,
                   CASE WHEN s.seqincrement > 0
                        THEN least(s.seqmax, CASE a.type WHEN 'int2' THEN 32767 WHEN 'int4' THEN 2147483647
                                                         ELSE s.seqmax END)
                        ELSE greatest(s.seqmin, CASE a.type WHEN 'int2' THEN -32768 WHEN 'int4' THEN -2147483648
                                                            ELSE s.seqmin END) END AS last
            FROM pg_sequence s
            JOIN pg_class c ON c.oid = s.seqrelid
            JOIN pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN LATERAL (
                SELECT d.refobjid::regclass::text AS table_name, quote_ident(t.attname) AS column_name,
                       (SELECT typname FROM pg_type WHERE oid = t.atttypid) AS type
                FROM pg_depend d JOIN pg_attribute t ON t.attrelid = d.refobjid AND t.attnum = d.refobjsubid
                WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
                  AND d.deptype IN ('a', 'i')
                LIMIT 1) AS a ON true
            WHERE NOT s.seqcycle AND c.relpersistence <> 't'
            ORDER BY 1
            """;

    private record Sequence(
            String name,
            String schema,
            String owner,
            String type,
            boolean readable,
            boolean locked,
            boolean used,
            long value,
            long first,
            long last) {

        /** Of the values from the first to the last one; as numbers with decimals, which do not overflow. */
        long percent() {
            double whole = (double) last - first;
            return whole == 0 ? 100 : (long) Math.floor(100 * ((double) value - first) / whole);
        }
    }

    SequencesCheck() {
        super("sequences", Where.DATABASES, "a sequence comes to its end");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        List<Sequence> sequences = session.query(SQL, row -> {
            String column = row.getString("column_name");
            String type = row.getString("type");
            return new Sequence(
                    row.getString("name"),
                    row.getString("schema"),
                    column == null ? "" : row.getString("table_name") + "." + column,
                    type == null ? "" : type,
                    row.getBoolean("readable"),
                    row.getBoolean("locked"),
                    row.getObject("last_value") != null,
                    row.getLong("last_value"),
                    row.getLong("first"),
                    row.getLong("last"));
        });
        List<HealthResult> results = new ArrayList<>();
        for (Sequence sequence : sequences) {
            if (sequence.used()) {
                session.settings()
                        .sequences()
                        .severity(sequence.percent())
                        .ifPresent(severity -> results.add(wrong(
                                severity,
                                "sequence " + sequence.name() + session.inDatabase(),
                                sequence.percent() + " % of its values are used: " + sequence.value() + " of "
                                        + sequence.last()
                                        + (sequence.owner().isEmpty()
                                                ? ""
                                                : ", for " + sequence.owner() + " (" + sequence.type() + ")"),
                                remedy(sequence))));
            }
        }
        addHidden(session, sequences, results);
        return results;
    }

    private static String remedy(Sequence sequence) {
        boolean narrow = sequence.type().equals("int4") || sequence.type().equals("int2");
        int dot = sequence.owner().lastIndexOf('.');
        return narrow && dot > 0
                ? "ALTER TABLE " + sequence.owner().substring(0, dot) + " ALTER COLUMN "
                        + sequence.owner().substring(dot + 1)
                        + " TYPE bigint, which rewrites the table under a lock, then ALTER SEQUENCE " + sequence.name()
                        + " AS bigint; columns that refer to it need the same"
                : "ALTER SEQUENCE " + sequence.name() + " AS bigint "
                        + (sequence.last() < sequence.first()
                                ? "MINVALUE -9223372036854775808"
                                : "MAXVALUE 9223372036854775807");
    }

    private void addHidden(HealthSession session, List<Sequence> sequences, List<HealthResult> results) {
        List<Sequence> hidden =
                sequences.stream().filter(sequence -> !sequence.readable()).toList();
        if (!hidden.isEmpty()) {
            List<String> schemas =
                    hidden.stream().map(Sequence::schema).distinct().sorted().toList();
            results.add(notEvaluated(
                    "database " + session.database(),
                    "role " + session.role() + " may not read " + Words.count(hidden.size(), "sequence") + ", such as "
                            + hidden.get(0).name() + ": GRANT USAGE ON SCHEMA " + String.join(", ", schemas) + " TO "
                            + session.role() + "; GRANT SELECT ON ALL SEQUENCES IN SCHEMA " + String.join(", ", schemas)
                            + " TO " + session.role()));
        }
        List<Sequence> locked = sequences.stream()
                .filter(sequence -> sequence.readable() && sequence.locked())
                .toList();
        if (!locked.isEmpty()) {
            results.add(notEvaluated(
                    "database " + session.database(),
                    "locked: "
                            + String.join(
                                    ", ", locked.stream().map(Sequence::name).toList())));
        }
    }
}
