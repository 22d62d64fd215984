package io.nightshift.jobs.integrity;

import io.nightshift.infra.postgres.Identifiers;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.jobs.integrity.Target.Size;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Everything in one database that can be looked at, with the query for it. What cannot be is there too, with the reason. */
final class Targets {

    /** A lock that is taken meanwhile ends the reading of the catalogs; then it is left out. */
    private static final int ATTEMPTS = 3;

    /** Also what somebody waits to lock: whoever asks after that waits behind it. */
    private static final String LOCKED = """
            SELECT DISTINCT relation::bigint FROM pg_locks
             WHERE locktype = 'relation' AND mode = 'AccessExclusiveLock' AND pid IS DISTINCT FROM pg_backend_pid()
               AND database IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
            """;

    /** What is locked, check by check, and what is not looked at for it. */
    private static final String NOT_LOOKED_AT = """
            SELECT w.look, format('%I.%I', n.nspname, t.relname), format('%I.%I', rn.nspname, r.relname)
              FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
              LEFT JOIN pg_index x ON x.indexrelid = t.oid
              LEFT JOIN pg_am a ON a.oid = t.relam
              JOIN pg_class r ON r.oid = coalesce(x.indrelid, t.oid) JOIN pg_namespace rn ON rn.oid = r.relnamespace
              CROSS JOIN LATERAL unnest(
                  CASE WHEN t.relkind IN ('r', 'm')
                       THEN ARRAY['HEAP', 'OPEN', 'FOREIGN_KEY', 'CHECK_CONSTRAINT', 'DOMAIN', 'PARTITION_BOUND', 'EXCLUSION',
                                  'NOT_NULL']
                       WHEN t.relkind = 't' THEN ARRAY['HEAP', 'OPEN']
                       WHEN t.relkind = 'S' THEN ARRAY['OPEN']
                       WHEN t.oid <> ALL ({locked}) THEN ARRAY[]::text[]
                       WHEN a.amname = 'btree' THEN ARRAY['BTREE', 'OPEN']
                       WHEN a.amname = 'gin' THEN ARRAY['GIN', 'OPEN']
                       ELSE ARRAY['OPEN'] END
                  || CASE WHEN x.indisunique THEN ARRAY['UNIQUE'] ELSE ARRAY[]::text[] END) AS w (look)
             WHERE t.relkind IN ('r', 'm', 't', 'S', 'i') AND (t.oid = ANY ({locked}) OR x.indrelid = ANY ({locked}))
             ORDER BY 2, 1
            """;

    /** What is empty after a crash is not there on a standby. */
    private static final String PRESENT = """
            (t.relpersistence = 'p' OR t.relpersistence = 'u' AND NOT pg_is_in_recovery())
              AND NOT (t.oid = ANY ({locked}))""";

    private static final String SIZES = """
            SELECT t.oid::bigint, coalesce(pg_relation_size(t.oid), 0), greatest(t.reltuples, 0)::bigint FROM pg_class t
             WHERE t.relkind IN ('r', 'm', 't', 'i', 'S') AND {present}
            """;

    /** Relations with pages. Shared ones are the same in every database: one of them is enough. */
    private static final String RELATIONS = """
            SELECT t.oid::bigint, format('%I.%I', n.nspname, t.relname),
                   CASE WHEN x.indrelid IS NULL THEN format('%I.%I', n.nspname, t.relname)
                        ELSE (SELECT format('%I.%I', tn.nspname, tt.relname) FROM pg_class tt
                                JOIN pg_namespace tn ON tn.oid = tt.relnamespace WHERE tt.oid = x.indrelid) END,
                   CASE WHEN t.relkind IN ('r', 'm', 't') AND a.amname = 'heap' THEN 'HEAP'
                        WHEN t.relkind = 'i' AND a.amname = 'btree' THEN 'BTREE'
                        WHEN t.relkind = 'i' AND a.amname = 'gin' AND {gin} THEN 'GIN'
                        ELSE 'OPEN' END,
                   CASE WHEN t.relkind = 'i'
                        THEN format('SELECT '''', ''has no file'', 1::bigint WHERE pg_relation_size(%s::oid) = 0', t.oid)
                        ELSE format('SELECT '''', '''', 0::bigint FROM ONLY %I.%I LIMIT 1', n.nspname, t.relname) END,
                   EXISTS (
                       SELECT FROM unnest(x.indcollation::oid[]) AS used (collation_oid)
                                   JOIN pg_collation l ON l.oid = used.collation_oid
                        WHERE CASE WHEN l.collprovider = 'd'
                                   THEN (SELECT datcollversion <> pg_database_collation_actual_version(oid)
                                           FROM pg_database WHERE datname = current_database())
                                   ELSE l.collversion <> pg_collation_actual_version(l.oid) END)
              FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
              LEFT JOIN pg_am a ON a.oid = t.relam
              LEFT JOIN pg_index x ON x.indexrelid = t.oid
             WHERE t.relkind IN ('r', 'm', 't', 'i', 'S') AND (t.relkind <> 'm' OR t.relispopulated)
               AND (t.relkind <> 'i' OR x.indisvalid AND x.indisready)
               AND (NOT t.relisshared OR current_database() = {shared}) AND {present}
            """;

    private static final String USERS = "n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'";

    /**
     * Of the rows of a table, without those of its children and partitions. A partition has the constraint of its root in
     * its own columns; what refers to the partitions of a referenced table is asked of its root.
     */
    private static final String FOREIGN_KEYS = """
            WITH RECURSIVE family AS (
                SELECT oid, confrelid AS referenced FROM pg_constraint WHERE contype = 'f' AND conparentid = 0
                UNION ALL
                SELECT k.oid, f.referenced FROM pg_constraint k JOIN family f ON k.conparentid = f.oid
                 WHERE k.contype = 'f')
            SELECT t.oid::bigint, format('%I.%I.%I', n.nspname, t.relname, k.conname),
                   format('%I.%I', n.nspname, t.relname), k.convalidated,
                   CASE WHEN coalesce((to_jsonb(k) ->> 'conperiod')::boolean, false)
                        THEN 'temporal foreign keys are not checked: their ranges must be contained, not equal'
                        WHEN {foreign_code:pg_constraint:k.oid} THEN {code}
                        WHEN p.relkind = 'p' AND 4 * (
                                 SELECT sum(1 + (SELECT count(*) FROM pg_index px WHERE px.indrelid = l.relid))
                                   FROM pg_partition_tree(p.oid) l)
                             > current_setting('max_locks_per_transaction')::bigint * current_setting('max_connections')::bigint
                        THEN 'to read all partitions of its parent would take a quarter of the locks that the server has room for:'
                             ' raise max_locks_per_transaction' END,
                   format('SELECT %s, concat_ws('', '', %s) || %L, count(*) OVER () FROM ONLY %I.%I c'
                          ' WHERE c.ctid >= $1 AND c.ctid < $2 AND (%s(%s AND NOT EXISTS (SELECT FROM %s%I.%I p WHERE %s)))'
                          ' LIMIT {sample}',
                          {identity}, m.evidence, format(' not in %s.%s', pn.nspname, p.relname), n.nspname, t.relname,
                          CASE k.confmatchtype WHEN 'f'
                               THEN format('num_nulls(%s) BETWEEN 1 AND %s OR ', m.columns, m.size - 1) ELSE '' END,
                          m.given, CASE p.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END, pn.nspname, p.relname, m.same)
              FROM pg_constraint k
              JOIN family f ON f.oid = k.oid AND f.referenced = k.confrelid
              JOIN pg_class t ON t.oid = k.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
              JOIN pg_class p ON p.oid = k.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
              CROSS JOIN LATERAL (
                  SELECT count(*) AS size,
                         string_agg(format('c.%I', ca.attname), ', ' ORDER BY u.i) AS columns,
                         string_agg(format('c.%I IS NOT NULL', ca.attname), ' AND ' ORDER BY u.i) AS given,
                         string_agg(format('%L || coalesce(left(c.%I::text, 60), ''null'')', ca.attname || ' ',
                                           ca.attname), ', ' ORDER BY u.i) AS evidence,
                         string_agg(format('p.%I%s OPERATOR(%I.%s) c.%I%s%s', pa.attname,
                                           CASE WHEN lt.typtype <> 'p' AND lt.oid <> pa.atttypid
                                                THEN '::' || format_type(lt.oid, -1) ELSE '' END,
                                           opn.nspname, o.oprname, ca.attname,
                                           CASE WHEN rt.typtype <> 'p' AND rt.oid <> ca.atttypid
                                                THEN '::' || format_type(rt.oid, -1) ELSE '' END,
                                           CASE WHEN pa.attcollation <> ca.attcollation AND pa.attcollation <> 0
                                                THEN format(' COLLATE %I.%I', ln.nspname, l.collname) ELSE '' END),
                                    ' AND ' ORDER BY u.i) AS same
                    FROM unnest(k.conkey, k.confkey, k.conpfeqop) WITH ORDINALITY AS u (child, parent, operator, i)
                    JOIN pg_attribute ca ON ca.attrelid = k.conrelid AND ca.attnum = u.child
                    JOIN pg_attribute pa ON pa.attrelid = k.confrelid AND pa.attnum = u.parent
                    JOIN pg_operator o ON o.oid = u.operator JOIN pg_namespace opn ON opn.oid = o.oprnamespace
                    JOIN pg_type lt ON lt.oid = o.oprleft JOIN pg_type rt ON rt.oid = o.oprright
                    LEFT JOIN pg_collation l ON l.oid = pa.attcollation
                    LEFT JOIN pg_namespace ln ON ln.oid = l.collnamespace) m
             WHERE k.contype = 'f' AND t.relkind = 'r' AND {enforced} AND {present}
            """;

    /** Null satisfies a constraint. */
    private static final String CHECK_CONSTRAINTS = """
            SELECT t.oid::bigint, format('%I.%I.%I', n.nspname, t.relname, k.conname),
                   format('%I.%I', n.nspname, t.relname), k.convalidated,
                   CASE WHEN {foreign_code:pg_constraint:k.oid} THEN {code} END,
                   format('SELECT %s, %L, count(*) OVER () FROM ONLY %I.%I WHERE ctid >= $1 AND ctid < $2'
                          ' AND (%s) IS FALSE LIMIT {sample}',
                          {identity}, 'not ' || left(pg_get_expr(k.conbin, k.conrelid), 200), n.nspname, t.relname,
                          pg_get_expr(k.conbin, k.conrelid))
              FROM pg_constraint k
              JOIN pg_class t ON t.oid = k.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
             WHERE k.contype = 'c' AND t.relkind = 'r' AND {enforced} AND {users} AND {present}
            """;

    /** Of a domain and of those it is made of. Its value goes by the name that the expression calls it. */
    private static final String DOMAINS = """
            WITH RECURSIVE made_of AS (
                SELECT oid AS domain, oid AS part, typbasetype AS base FROM pg_type WHERE typtype = 'd'
                UNION ALL
                SELECT m.domain, y.oid, y.typbasetype FROM made_of m JOIN pg_type y ON y.oid = m.base WHERE y.typtype = 'd')
            SELECT t.oid::bigint, format('%I.%I.%I.%I', n.nspname, t.relname, a.attname, k.conname),
                   format('%I.%I', n.nspname, t.relname), k.convalidated,
                   CASE WHEN {foreign_code:pg_constraint:k.oid} THEN {code} END,
                   format('SELECT s.place, %L, count(*) OVER () FROM (SELECT %s AS place, %I::%s AS value FROM ONLY %I.%I'
                          ' WHERE ctid >= $1 AND ctid < $2) s WHERE (%s) IS FALSE LIMIT {sample}',
                          a.attname || ' not ' || left(pg_get_expr(k.conbin, 0), 200), {identity}, a.attname,
                          (SELECT format_type(b.base, -1) FROM made_of b JOIN pg_type y ON y.oid = b.base
                            WHERE b.domain = a.atttypid AND y.typtype <> 'd'),
                          n.nspname, t.relname, pg_get_expr(k.conbin, 0))
              FROM pg_attribute a JOIN made_of m ON m.domain = a.atttypid
              JOIN pg_constraint k ON k.contypid = m.part AND k.contype = 'c'
              JOIN pg_class t ON t.oid = a.attrelid JOIN pg_namespace n ON n.oid = t.relnamespace
             WHERE a.attnum > 0 AND NOT a.attisdropped AND t.relkind = 'r' AND {users} AND {present}
            """;

    /** Rows that were written past the partitioned table. */
    private static final String PARTITION_BOUNDS = """
            SELECT t.oid::bigint, format('%I.%I', n.nspname, t.relname), format('%I.%I', n.nspname, t.relname), true, NULL,
                   format('SELECT %s, %L, count(*) OVER () FROM ONLY %I.%I WHERE ctid >= $1 AND ctid < $2'
                          ' AND (%s) IS FALSE LIMIT {sample}',
                          {identity}, 'not ' || left(pg_get_expr(t.relpartbound, t.oid), 200), n.nspname, t.relname,
                          pg_get_partition_constraintdef(t.oid))
              FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
             WHERE t.relispartition AND t.relkind = 'r' AND {users} AND {present}
               AND pg_get_partition_constraintdef(t.oid) IS NOT NULL
            """;

    /** Each row against all others, through the index of the constraint: without it a chunk would not end. */
    private static final String EXCLUSIONS = """
            SELECT t.oid::bigint, format('%I.%I.%I', n.nspname, t.relname, k.conname), format('%I.%I', n.nspname, t.relname),
                   true, CASE WHEN {foreign_code:pg_class:k.conindid} OR {foreign_code:pg_constraint:k.oid} THEN {code} END,
                   format('SELECT a.place, ''excludes that at '' || (SELECT min(b.at)::text FROM %s b WHERE b.at <> a.at AND %s),'
                          ' count(*) OVER () FROM %s a WHERE a.at >= $1 AND a.at < $2'
                          ' AND EXISTS (SELECT FROM %s b WHERE b.at <> a.at AND %s) LIMIT {sample}',
                          r.rows, m.excluding, r.rows, r.rows, m.excluding)
              FROM pg_constraint k JOIN pg_index x ON x.indexrelid = k.conindid
              JOIN pg_class t ON t.oid = k.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
              CROSS JOIN LATERAL (
                  SELECT string_agg(format('(%s) AS k%s', pg_get_indexdef(k.conindid, u.i::int, true), u.i), ', ' ORDER BY u.i)
                             AS keys,
                         string_agg(format('b.k%s OPERATOR(%I.%s) a.k%s', u.i, opn.nspname, o.oprname, u.i), ' AND '
                                    ORDER BY u.i) AS excluding
                    FROM unnest(k.conexclop) WITH ORDINALITY AS u (operator, i)
                    JOIN pg_operator o ON o.oid = u.operator JOIN pg_namespace opn ON opn.oid = o.oprnamespace) m
              CROSS JOIN LATERAL (
                  SELECT format('(SELECT ctid AS at, %s AS place, %s FROM ONLY %I.%I%s)', {identity}, m.keys, n.nspname,
                                t.relname, ' WHERE ' || pg_get_expr(x.indpred, x.indrelid)) AS rows) r
             WHERE k.contype = 'x' AND t.relkind = 'r' AND {users} AND {present}
            """;

    /** {@code IS NULL} would do from no server: a planner that believes NOT NULL answers it without looking. */
    private static final String NOT_NULLS = """
            SELECT t.oid::bigint, format('%I.%I', n.nspname, t.relname), format('%I.%I', n.nspname, t.relname), true, NULL,
                   format('SELECT ''row at '' || ctid::text, array_to_string(ARRAY[%s], '', '') || '' null'','
                          ' count(*) OVER () FROM ONLY %I.%I WHERE ctid >= $1 AND ctid < $2 AND (%s) LIMIT {sample}',
                          string_agg(format('CASE WHEN num_nulls(%I) = 1 THEN %L END', a.attname, a.attname), ', '
                                     ORDER BY a.attnum),
                          n.nspname, t.relname,
                          string_agg(format('num_nulls(%I) = 1', a.attname), ' OR ' ORDER BY a.attnum))
              FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
              JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull
             WHERE t.relkind = 'r' AND {users} AND {present}
               AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = t.oid AND k.contype = 'n'
                                  AND k.conkey = ARRAY[a.attnum] AND NOT k.convalidated)
             GROUP BY t.oid, n.nspname, t.relname
            """;

    /** Under the collations of the index, and among its rows only. */
    private static final String UNIQUES = """
            SELECT t.oid::bigint, format('%I.%I', n.nspname, i.relname), format('%I.%I', n.nspname, t.relname), true,
                   CASE WHEN a.amname <> 'btree'
                        THEN 'temporal keys are not checked: their ranges must not overlap'
                        WHEN NOT m.usual THEN 'its operator class is not the default one of its type'
                        WHEN {foreign_code:pg_class:x.indexrelid} THEN {code} END,
                   CASE WHEN a.amname = 'btree' THEN
                   format('SELECT concat_ws('', '', %s), ''occurs '' || count(*) || '' times'', count(*) OVER ()'
                          ' FROM (SELECT %s FROM ONLY %I.%I%s OFFSET 0) s%s GROUP BY %s HAVING count(*) > 1 LIMIT {sample}',
                          m.shown, m.keys, n.nspname, t.relname, ' WHERE ' || pg_get_expr(x.indpred, x.indrelid),
                          CASE WHEN (to_jsonb(x) ->> 'indnullsnotdistinct')::boolean THEN ''
                               ELSE ' WHERE num_nulls(' || m.names || ') = 0' END,
                          m.names) END
              FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am a ON a.oid = i.relam
              JOIN pg_class t ON t.oid = x.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
              CROSS JOIN LATERAL (
                  SELECT string_agg(format('(%s)%s%s AS k%s', pg_get_indexdef(x.indexrelid, u.i::int, true),
                                           CASE WHEN oc.opcintype <> ia.atttypid AND it.typtype <> 'p'
                                                THEN '::' || format_type(oc.opcintype, -1) ELSE '' END,
                                           CASE WHEN l.oid IS NOT NULL
                                                THEN format(' COLLATE %I.%I', ln.nspname, l.collname) ELSE '' END,
                                           u.i), ', ' ORDER BY u.i) AS keys,
                         string_agg(format('%L || coalesce(left(k%s::text, 60), ''null'')',
                                           pg_get_indexdef(x.indexrelid, u.i::int, true) || ' ', u.i),
                                    ', ' ORDER BY u.i) AS shown,
                         string_agg(format('k%s', u.i), ', ' ORDER BY u.i) AS names,
                         bool_and(oc.opcdefault OR oc.opcname LIKE '%pattern\\_ops') AS usual
                    FROM unnest(x.indclass::oid[], x.indcollation::oid[]) WITH ORDINALITY AS u (class, sorting, i)
                    JOIN pg_opclass oc ON oc.oid = u.class JOIN pg_type it ON it.oid = oc.opcintype
                    JOIN pg_attribute ia ON ia.attrelid = x.indexrelid AND ia.attnum = u.i
                    LEFT JOIN pg_collation l ON l.oid = u.sorting
                    LEFT JOIN pg_namespace ln ON ln.oid = l.collnamespace
                   WHERE u.i <= x.indnkeyatts) m
             WHERE x.indisunique AND x.indisvalid AND t.relkind IN ('r', 'm') AND (t.relkind <> 'm' OR t.relispopulated)
               AND {users} AND {present}
            """;

    /** The key of a row as far as it has one, and where it is. */
    private static final String IDENTITY = """
            (SELECT coalesce('concat_ws('', '', ' || string_agg(format('%L || left(%I::text, 60)', ka.attname || ' ',
                             ka.attname), ', ' ORDER BY ku.i) || ')', '''row''')
               FROM pg_index kx, unnest(kx.indkey::smallint[]) WITH ORDINALITY AS ku (attribute, i), pg_attribute ka
              WHERE kx.indrelid = t.oid AND kx.indisprimary AND ka.attrelid = t.oid AND ka.attnum = ku.attribute
                AND ku.i <= kx.indnkeyatts) || ' || '' at '' || ctid::text'""";

    /** Whether it runs code of a role that is no superuser, which would do so with all our rights. */
    private static final String FOREIGN_CODE = """
            (SELECT u.rolsuper OR pg_has_role('pg_execute_server_program', 'MEMBER')
                 OR pg_has_role('pg_write_server_files', 'MEMBER') FROM pg_roles u WHERE u.rolname = current_user)
            AND EXISTS (
                SELECT FROM pg_depend d
                  LEFT JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
                  JOIN pg_proc f
                    ON f.oid = CASE WHEN d.refclassid = 'pg_proc'::regclass THEN d.refobjid ELSE o.oprcode END
                  JOIN pg_roles u ON u.oid = f.proowner
                 WHERE d.classid = '$1'::regclass AND d.objid = $2 AND NOT u.rolsuper AND NOT f.prosecdef)""";

    private static final Pattern FOREIGN = Pattern.compile("\\{foreign_code:(\\w+):([\\w.]+)}");

    private static final String CODE =
            "'it calls a function of a role that is no superuser, which would run with all our rights: let a role look that is none'";

    private static final String ENFORCED = "coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)";

    private final CheckSession session;
    private final String database;
    private final String withShared;
    private final boolean ofCopy;
    private Set<Long> locked = Set.of();
    private Map<Long, Size> sizes = Map.of();

    /**
     * @param withShared the database in which shared catalogs are looked at
     * @param ofCopy whether it is a copy, sorted by another machine
     */
    Targets(CheckSession session, String database, String withShared, boolean ofCopy) {
        this.session = session;
        this.database = database;
        this.withShared = withShared;
        this.ofCopy = ofCopy;
    }

    /** Of a database in which nothing can be looked at. */
    static List<Target> none(String database, String reason) {
        return Stream.of(Check.values())
                .map(check -> new Target(check, database, "", "", 0, Size.NOTHING, true, reason, null))
                .toList();
    }

    /** @param deep whether the pages of indexes are looked at together, which no standby does */
    List<Target> read(boolean deep) throws SQLException {
        for (int attempt = 1; ; attempt++) {
            try {
                return attempt(deep);
            } catch (SQLException e) {
                if (attempt == ATTEMPTS || !SqlStates.LOCK_NOT_AVAILABLE.equals(e.getSQLState())) {
                    throw e;
                }
            }
        }
    }

    private List<Target> attempt(boolean deep) throws SQLException {
        locked = new HashSet<>(numbers(LOCKED));
        sizes = new HashMap<>();
        for (List<@Nullable String> row : session.rows(sql(SIZES))) {
            sizes.put(number(row, 0), new Size(number(row, 1), number(row, 2)));
        }
        List<Target> targets = new ArrayList<>(relations(deep));
        targets.addAll(promises(Check.FOREIGN_KEY, FOREIGN_KEYS));
        targets.addAll(promises(Check.CHECK_CONSTRAINT, CHECK_CONSTRAINTS));
        targets.addAll(promises(Check.DOMAIN, DOMAINS));
        targets.addAll(promises(Check.PARTITION_BOUND, PARTITION_BOUNDS));
        targets.addAll(promises(Check.EXCLUSION, EXCLUSIONS));
        targets.addAll(promises(Check.NOT_NULL, NOT_NULLS));
        targets.addAll(promises(Check.UNIQUE, UNIQUES));
        targets.addAll(locked());
        return targets;
    }

    private List<Target> relations(boolean deep) throws SQLException {
        Optional<Amcheck> amcheck = Amcheck.in(session);
        List<Target> targets = new ArrayList<>();
        String relations = sql(RELATIONS)
                .replace(
                        "{gin}",
                        Boolean.toString(amcheck.filter(Amcheck::checksGin).isPresent()));
        for (List<@Nullable String> row : session.rows(relations)) {
            Check check = Check.valueOf(text(row, 3));
            long relation = number(row, 0);
            boolean sortedOtherwise = ofCopy && "t".equals(row.get(5));
            Target target = new Target(
                    amcheck.isEmpty() ? Check.OPEN : check,
                    database,
                    text(row, 1),
                    text(row, 2),
                    relation,
                    sizes.getOrDefault(relation, Size.NOTHING),
                    true,
                    null,
                    text(row, 4));
            if (amcheck.isEmpty() || check == Check.OPEN) {
                targets.add(target);
            } else if (!amcheck.get().callable()) {
                targets.add(target.lacking("our role may not call the functions of amcheck"));
            } else if (check.isOfIndex() && sortedOtherwise) {
                targets.add(target.lacking("it is sorted by another version of its collation than this machine has"));
            } else if (check.isOfIndex() || target.bytes() > 0) {
                targets.add(target.asking(
                        switch (check) {
                            case BTREE -> amcheck.get().indexQuery(relation, deep);
                            case GIN -> amcheck.get().ginQuery(relation);
                            default -> amcheck.get().heapQuery(relation);
                        }));
            } else {
                // Nothing to verify, but its file must be there.
                targets.add(target.opening());
            }
        }
        if (amcheck.isEmpty()) {
            String lack = "extension amcheck is not installed: in database " + database + ": CREATE EXTENSION amcheck";
            targets.add(lacking(Check.HEAP, "", "", lack));
            targets.add(lacking(Check.BTREE, "", "", lack));
            targets.add(lacking(Check.GIN, "", "", lack));
        }
        return targets;
    }

    private List<Target> promises(Check check, String query) throws SQLException {
        return session.rows(sql(query)).stream()
                .map(row -> new Target(
                        check,
                        database,
                        text(row, 1),
                        text(row, 2),
                        number(row, 0),
                        sizes.getOrDefault(number(row, 0), Size.NOTHING),
                        "t".equals(row.get(3)),
                        row.get(4),
                        row.get(5)))
                .toList();
    }

    /** What is locked is not even asked for its size. */
    private List<Target> locked() throws SQLException {
        return session.rows(NOT_LOOKED_AT.replace("{locked}", array(locked))).stream()
                .map(row -> lacking(
                        Check.valueOf(text(row, 0)), text(row, 1), text(row, 2), "it is locked by another session"))
                .toList();
    }

    private Target lacking(Check check, String object, String table, String reason) {
        return new Target(check, database, object, table, 0, Size.NOTHING, true, reason, null);
    }

    private String sql(String query) {
        return FOREIGN.matcher(query)
                .replaceAll(FOREIGN_CODE)
                .replace("{code}", CODE)
                .replace("{present}", PRESENT)
                .replace("{identity}", IDENTITY)
                .replace("{enforced}", ENFORCED)
                .replace("{users}", USERS)
                .replace("{sample}", Integer.toString(Outcome.SAMPLE))
                .replace("{shared}", Identifiers.literal(withShared))
                .replace("{locked}", array(locked));
    }

    private static String array(Set<Long> oids) {
        return "'{" + String.join(",", oids.stream().map(String::valueOf).toList()) + "}'::oid[]";
    }

    private List<Long> numbers(String query) throws SQLException {
        return session.rows(query).stream().map(row -> number(row, 0)).toList();
    }

    private static long number(List<@Nullable String> row, int column) {
        return Long.parseLong(text(row, column));
    }

    private static String text(List<@Nullable String> row, int column) {
        return Objects.requireNonNull(row.get(column));
    }
}
