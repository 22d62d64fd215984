package io.nightshift.jobs.integrity;

import io.nightshift.infra.damage.CheckFailure;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Severity;
import java.sql.SQLException;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What the catalogs of a database say that its data may not be what the schema promises. Each query returns severity, object,
 * detail and remedy. The names are part of the keys of findings.
 */
enum CatalogCheck {
    /** Failures that the server has counted, whoever has read the pages. */
    CHECKSUM("""
            SELECT 'CRITICAL', '', checksum_failures || ' pages read with a wrong checksum, the last at '
                       || to_char(checksum_last_failure AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC',
                   'keep every backup; the server''s log says which file and block ("invalid page in block"); each read of such a'
                   ' page counts, ours too, until SELECT pg_stat_reset()'
              FROM pg_stat_database WHERE datname = current_database() AND checksum_failures > 0
            UNION ALL
            SELECT 'CRITICAL', 'shared catalogs', checksum_failures || ' pages of shared catalogs read with a wrong checksum',
                   'keep every backup; the server''s log says which file and block ("invalid page in block")'
              FROM pg_stat_database WHERE datid = 0 AND checksum_failures > 0
            """),
    /** Apart from what follows: rows that break a constraint that is NOT ENFORCED break no promise. */
    NOT_VALID("""
            SELECT 'WARNING', format('%I.%I.%I', n.nspname, t.relname, k.conname),
                   'is NOT VALID: rows from before it was added may break it',
                   format('ALTER TABLE %I.%I VALIDATE CONSTRAINT %I', n.nspname, t.relname, k.conname)
              FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
             WHERE NOT k.convalidated AND k.conparentid = 0 AND k.coninhcount = 0 AND t.relpersistence <> 't'
               AND coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)
            """),
    NOT_ENFORCED("""
            SELECT 'INFO', format('%I.%I.%I', n.nspname, t.relname, k.conname),
                   'is NOT ENFORCED: its rows may break it, and are not looked at',
                   CASE k.contype WHEN 'f' THEN format('ALTER TABLE %I.%I ALTER CONSTRAINT %I ENFORCED, if they should not', n.nspname, t.relname, k.conname)
                        ELSE 'drop it and add it ENFORCED, if they should not' END
              FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
             WHERE (to_jsonb(k) ->> 'conenforced')::boolean IS FALSE AND k.conparentid = 0 AND t.relpersistence <> 't'
            """),
    DISABLED_TRIGGER("""
            SELECT CASE WHEN bool_or(g.tgisinternal) THEN 'CRITICAL' ELSE 'WARNING' END, format('%I.%I', n.nspname, t.relname),
                   CASE WHEN bool_or(g.tgisinternal)
                        THEN count(*) FILTER (WHERE g.tgisinternal)
                             || ' triggers of constraints are off: the constraints say valid and are not kept'
                        ELSE 'triggers are off: ' || string_agg(quote_ident(g.tgname), ', ' ORDER BY g.tgname) END,
                   CASE WHEN bool_or(g.tgisinternal)
                        THEN format('ALTER TABLE %I.%I ENABLE TRIGGER ALL; what was written meanwhile is what foreign-key'
                                    ' looks for', n.nspname, t.relname)
                        ELSE string_agg(format('ALTER TABLE %I.%I ENABLE TRIGGER %I', n.nspname, t.relname, g.tgname), '; '
                                        ORDER BY g.tgname) END
              FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid JOIN pg_namespace n ON n.oid = t.relnamespace
             WHERE (g.tgenabled = 'D' OR g.tgenabled = 'R' AND g.tgisinternal)
               AND NOT EXISTS (SELECT FROM pg_trigger r WHERE r.oid = g.tgparentid AND r.tgenabled = g.tgenabled)
             GROUP BY n.nspname, t.relname
            """),
    INVALID_INDEX("""
            SELECT 'WARNING', format('%I.%I', n.nspname, i.relname),
                   'is not valid' || CASE WHEN x.indisready THEN ', and every write still pays for it' ELSE '' END
                       || CASE WHEN x.indisunique THEN '; it does not keep its values unique' ELSE '' END,
                   CASE WHEN i.relkind = 'I' THEN 'create and attach the index on each partition'
                        ELSE format('REINDEX INDEX CONCURRENTLY %I.%I, or DROP INDEX CONCURRENTLY', n.nspname, i.relname) END
              FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_namespace n ON n.oid = i.relnamespace
             WHERE NOT (x.indisvalid AND x.indisready AND x.indislive) AND i.relpersistence <> 't'
               AND NOT EXISTS (SELECT FROM pg_locks l
                                WHERE l.locktype = 'relation' AND l.mode = 'ShareUpdateExclusiveLock'
                                  AND l.relation IN (x.indrelid, x.indexrelid)
                                  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
            """),
    COLLATION("""
            SELECT 'ERROR', 'database', format('the collation of the database has version %s, its indexes were built with %s',
                       pg_database_collation_actual_version(d.oid), d.datcollversion)
                       || coalesce('; indexes that depend on it: ' || u.names, ''),
                   'bt_index_check of these indexes, REINDEX INDEX CONCURRENTLY, and then ALTER DATABASE ... REFRESH COLLATION VERSION'
              FROM pg_database d LEFT JOIN LATERAL (
                  SELECT string_agg(name, ', ') FILTER (WHERE i <= 10) || CASE WHEN count(*) > 10 THEN format(' and %s more', count(*) - 10) ELSE '' END AS names
                    FROM (SELECT format('%I.%I', n.nspname, c.relname) AS name, row_number() OVER (ORDER BY n.nspname, c.relname) AS i
                            FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                           WHERE n.nspname !~ '^pg_' AND 100 = ANY (x.indcollation::oid[])) AS named) u ON true
             WHERE d.datname = current_database() AND d.datcollversion <> pg_database_collation_actual_version(d.oid)
            UNION ALL
            SELECT 'ERROR', format('%I.%I', ln.nspname, l.collname),
                   format('the collation has version %s, and was made with %s; indexes that depend on it: %s',
                       pg_collation_actual_version(l.oid), l.collversion,
                       string_agg(format('%I.%I', n.nspname, c.relname), ', ' ORDER BY n.nspname, c.relname)),
                   format('bt_index_check of these indexes, REINDEX INDEX CONCURRENTLY, and then ALTER COLLATION %I.%I REFRESH VERSION',
                       ln.nspname, l.collname)
              FROM pg_collation l JOIN pg_namespace ln ON ln.oid = l.collnamespace
              JOIN pg_index x ON l.oid = ANY (x.indcollation::oid[])
              JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE l.collversion <> pg_collation_actual_version(l.oid)
             GROUP BY l.oid, l.collname, l.collversion, ln.nspname
            """),
    EXTENSION("""
            SELECT 'WARNING', e.extname, format('has version %s, the server''s files have %s', e.extversion, a.default_version),
                   format('ALTER EXTENSION %I UPDATE', e.extname)
              FROM pg_extension e JOIN pg_available_extensions a ON a.name = e.extname
             WHERE a.default_version <> e.extversion
            """),
    UNLOGGED("""
            SELECT 'WARNING', format('%I.%I', n.nspname, t.relname),
                   'is unlogged: empty after a crash, on standbys and in every restored backup',
                   format('ALTER TABLE %I.%I SET LOGGED, unless its rows may be lost', n.nspname, t.relname)
              FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace WHERE t.relkind = 'r' AND t.relpersistence = 'u'
            """),
    NO_PRIMARY_KEY("""
            SELECT 'INFO', format('%I.%I', n.nspname, t.relname), 'has no primary key: its rows cannot be told apart, nor replicated one by one',
                   format('ALTER TABLE %I.%I ADD PRIMARY KEY (...)', n.nspname, t.relname)
              FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
             WHERE t.relkind IN ('r', 'p') AND NOT t.relispartition AND t.relpersistence <> 't'
               AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
               AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = t.oid AND k.contype = 'p')
               AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = t.oid AND d.deptype = 'e')
            """),
    /** Of the sequence, or of its column, which may be of a narrower type. */
    SEQUENCE_END("""
            SELECT CASE WHEN s.remains < 5 THEN 'CRITICAL' WHEN s.remains < 10 THEN 'ERROR' ELSE 'WARNING' END, s.name,
                   format('%s %% of its values are left: %s of %s', floor(s.remains), s.value, s.last) || s.column_text,
                   'give the column and the sequence the type bigint before the last value is used'
              FROM (SELECT format('%I.%I', n.nspname, c.relname) AS name, v.value, q.last,
                           100 * (q.last::numeric - v.value) / nullif(q.last::numeric - q.first, 0) AS remains,
                           coalesce(', for ' || o.column_name || ' (' || format_type(o.declared, NULL) || ')', '') AS column_text
                      FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                      LEFT JOIN LATERAL (
                          SELECT coalesce(nullif(y.typbasetype, 0), y.oid) AS type, a.atttypid AS declared,
                                 format('%I.%I', t.relname, a.attname) AS column_name
                            FROM {columns} a JOIN pg_class t ON t.oid = a.attrelid JOIN pg_type y ON y.oid = a.atttypid
                           ORDER BY y.typlen LIMIT 1) o ON true
                      CROSS JOIN LATERAL (
                          SELECT CASE WHEN s.seqincrement > 0 THEN s.seqmin ELSE s.seqmax END AS first,
                                 CASE WHEN s.seqincrement > 0
                                      THEN least(s.seqmax, CASE o.type WHEN 21 THEN 32767 WHEN 23 THEN 2147483647 ELSE s.seqmax END)
                                      ELSE greatest(s.seqmin, CASE o.type WHEN 21 THEN -32768 WHEN 23 THEN -2147483648 ELSE s.seqmin END)
                                  END AS last) q
                      CROSS JOIN LATERAL (SELECT CASE WHEN c.relkind = 'S' THEN pg_sequence_last_value(c.oid) END AS value) v
                     WHERE NOT s.seqcycle AND c.relpersistence <> 't') s
             WHERE s.remains < 20
            """),
    /** Asked of each column that an index leads with; the query for it is the detail. */
    SEQUENCE_BEHIND("""
            SELECT 'ERROR', format('%I.%I', n.nspname, c.relname),
                   format('SELECT format(%L, m.value, CASE WHEN v.is_called THEN ''last'' ELSE ''next'' END, v.last_value)'
                          ' FROM (SELECT %s(%I)::bigint AS value FROM %s%I.%I) m, %I.%I v'
                          ' WHERE m.value %s CASE WHEN v.is_called THEN v.last_value ELSE v.last_value - %s END',
                          'its %2$s value is %3$s, and ' || replace(format('%s.%s.%s', tn.nspname, t.relname, a.attname), '%', '%%')
                              || ' has %1$s already: the next rows are refused',
                          CASE WHEN s.seqincrement > 0 THEN 'max' ELSE 'min' END, a.attname,
                          CASE t.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END, tn.nspname, t.relname, n.nspname, c.relname,
                          CASE WHEN s.seqincrement > 0 THEN '>' ELSE '<' END, sign(s.seqincrement)),
                   format('SELECT setval(%L, (SELECT %s(%I) FROM %I.%I))', format('%I.%I', n.nspname, c.relname),
                          CASE WHEN s.seqincrement > 0 THEN 'max' ELSE 'min' END, a.attname, tn.nspname, t.relname)
              FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
              CROSS JOIN LATERAL {columns} a
              JOIN pg_class t ON t.oid = a.attrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace
              JOIN pg_type y ON y.oid = a.atttypid
             WHERE NOT s.seqcycle AND coalesce(nullif(y.typbasetype, 0), y.oid) IN (20, 21, 23) AND t.relkind IN ('r', 'p')
               AND CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'SELECT') END
               AND EXISTS (SELECT FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am m ON m.oid = i.relam
                            WHERE x.indrelid = t.oid AND x.indisvalid AND m.amname = 'btree' AND x.indkey[0] = a.attnum AND x.indpred IS NULL)
            """);

    /** Those that a sequence {@code c} numbers: that own it, or have its next value for a default. */
    private static final String COLUMNS = """
            (SELECT a.attrelid, a.attname, a.atttypid, a.attnum
               FROM pg_attribute a
              WHERE NOT a.attisdropped AND (a.attrelid, a.attnum) IN (
                    SELECT d.refobjid, d.refobjsubid FROM pg_depend d
                     WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
                       AND d.deptype IN ('a', 'i')
                    UNION
                    SELECT e.adrelid, e.adnum FROM pg_depend d JOIN pg_attrdef e ON e.oid = d.objid
                     WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid))""";

    /** On 18 their last value is null without it, which is no error. */
    private static final String HIDDEN_SEQUENCES = """
            SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relpersistence <> 't' AND CASE WHEN c.relkind = 'S' THEN NOT has_sequence_privilege(c.oid, 'SELECT') END
             ORDER BY 1
            """;

    private final String query;

    CatalogCheck(String query) {
        this.query = query;
    }

    /** The keys of its findings begin so. */
    String keys(String database) {
        return Target.KEY + this + "/" + database + ".";
    }

    /** Reports what it finds in a database, and what it could not ask. */
    void judge(CheckSession session, String database, RunContext run) throws SQLException {
        for (List<@Nullable String> row : session.rows(query.replace("{columns}", COLUMNS))) {
            String detail = text(row, 2);
            if (this == SEQUENCE_BEHIND) {
                try {
                    detail = session.text(detail).orElse("");
                } catch (SQLException e) {
                    if (CheckFailure.of(e) == CheckFailure.CONNECTION_LOST) {
                        throw e;
                    }
                    run.cancellation().check();
                    run.notEvaluated(new NotEvaluated(
                            this + " of " + database + "." + text(row, 1),
                            CheckFailure.message(e),
                            List.of(keys(database) + text(row, 1))));
                    detail = "";
                }
            }
            if (!detail.isEmpty()) {
                run.report(new Finding(
                        keys(database) + text(row, 1),
                        Severity.valueOf(text(row, 0)),
                        database + (text(row, 1).isEmpty() ? "" : "." + text(row, 1)),
                        detail,
                        text(row, 3)));
            }
        }
        if (this == SEQUENCE_BEHIND || this == SEQUENCE_END) {
            hiddenSequences(session, database, run);
        }
    }

    private void hiddenSequences(CheckSession session, String database, RunContext run) throws SQLException {
        List<String> hidden =
                session.rows(HIDDEN_SEQUENCES).stream().map(row -> text(row, 0)).toList();
        if (!hidden.isEmpty()) {
            run.notEvaluated(new NotEvaluated(
                    this + " of " + hidden.size() + (hidden.size() == 1 ? " sequence" : " sequences") + " of database "
                            + database,
                    "our role may not read them: " + hidden.get(0) + (hidden.size() > 1 ? " and others" : ""),
                    hidden.stream().map(name -> keys(database) + name).toList()));
        }
    }

    private static String text(List<@Nullable String> row, int column) {
        return Objects.requireNonNull(row.get(column));
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
