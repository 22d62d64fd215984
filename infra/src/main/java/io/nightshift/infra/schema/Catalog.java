package io.nightshift.infra.schema;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where PostgreSQL keeps what a schema is made of. Each query yields objects as kind, name, definition, their own address and
 * that of what they are part of, as {@code pg_depend} writes addresses: class, object, column. Columns that some versions lack
 * are read through {@code to_jsonb}. Names are those of a session whose search path is {@code pg_catalog}: all qualified.
 */
enum Catalog {
    SCHEMAS("""
            SELECT 'SCHEMA', quote_ident(n.nspname), '', 'pg_namespace'::regclass::oid, n.oid, 0, 0, 0, 0
              FROM pg_namespace n WHERE OURS(n) AND NOT_OF_EXTENSION(pg_namespace, n)
            """),
    EXTENSIONS("""
            SELECT 'EXTENSION', quote_ident(e.extname), format('SCHEMA %I VERSION %L', n.nspname, e.extversion),
                   'pg_extension'::regclass::oid, e.oid, 0, 0, 0, 0
              FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
            """),
    COLLATIONS("""
            SELECT 'COLLATION', format('%I.%I', n.nspname, c.collname),
                   concat_ws(', ', format('PROVIDER = %s', CASE c.collprovider WHEN 'i' THEN 'icu' WHEN 'c' THEN 'libc' ELSE 'builtin' END),
                             'LOCALE = ' || quote_literal(coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale')),
                             'LC_COLLATE = ' || quote_literal(c.collcollate), 'LC_CTYPE = ' || quote_literal(c.collctype),
                             'RULES = ' || quote_literal(to_jsonb(c) ->> 'collicurules'),
                             'DETERMINISTIC = ' || c.collisdeterministic),
                   'pg_collation'::regclass::oid, c.oid, 0, 0, 0, 0
              FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
             WHERE OURS(n) AND NOT_OF_EXTENSION(pg_collation, c)
            """),
    TYPES("""
            SELECT CASE t.typtype WHEN 'e' THEN 'ENUM' WHEN 'r' THEN 'RANGE' WHEN 'd' THEN 'DOMAIN' ELSE 'COMPOSITE' END,
                   format('%I.%I', n.nspname, t.typname),
                   CASE t.typtype
                       WHEN 'e' THEN (SELECT coalesce(string_agg(quote_literal(l.enumlabel), ', ' ORDER BY l.enumsortorder), '')
                                        FROM pg_enum l WHERE l.enumtypid = t.oid)
                       WHEN 'r' THEN (SELECT concat_ws(', ', 'SUBTYPE = ' || format_type(r.rngsubtype, NULL),
                                                       'COLLATION = ' || nullif(r.rngcollation, 0)::regcollation,
                                                       'SUBTYPE_DIFF = ' || nullif(r.rngsubdiff, 0)::regproc,
                                                       format('MULTIRANGE_TYPE_NAME = %I.%I', mn.nspname, m.typname))
                                        FROM pg_range r JOIN pg_type m ON m.oid = r.rngmultitypid JOIN pg_namespace mn ON mn.oid = m.typnamespace
                                       WHERE r.rngtypid = t.oid)
                       WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod)
                           || CASE WHEN t.typcollation <> b.typcollation THEN ' COLLATE ' || t.typcollation::regcollation ELSE '' END
                       ELSE '' END,
                   'pg_type'::regclass::oid, t.oid, 0, 0, 0, 0
              FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
              LEFT JOIN pg_class c ON c.oid = t.typrelid LEFT JOIN pg_type b ON b.oid = t.typbasetype
             WHERE OURS(n) AND NOT_OF_EXTENSION(pg_type, t) AND (t.typtype IN ('e', 'r', 'd') OR t.typtype = 'c' AND c.relkind = 'c')
            """),
    ATTRIBUTES("""
            SELECT 'ATTRIBUTE', quote_ident(a.attname),
                   format_type(a.atttypid, a.atttypmod)
                       || CASE WHEN a.attcollation <> b.typcollation THEN ' COLLATE ' || a.attcollation::regcollation ELSE '' END,
                   'pg_class'::regclass::oid, c.oid, a.attnum, 'pg_type'::regclass::oid, c.reltype, 0
              FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
              JOIN pg_type b ON b.oid = a.atttypid
             WHERE c.relkind = 'c' AND a.attnum > 0 AND NOT a.attisdropped AND OURS(n) AND NOT_OF_EXTENSION(pg_class, c)
             ORDER BY c.oid, a.attnum
            """),
    DOMAIN_PARTS("""
            SELECT p.kind, '', p.definition, 0, 0, 0, 'pg_type'::regclass::oid, t.oid, 0
              FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
              CROSS JOIN LATERAL (VALUES ('DEFAULT', pg_get_expr(t.typdefaultbin, 0)),
                                         ('NOT_NULL', CASE WHEN t.typnotnull THEN '' END)) AS p (kind, definition)
             WHERE t.typtype = 'd' AND p.definition IS NOT NULL AND OURS(n) AND NOT_OF_EXTENSION(pg_type, t)
            """),
    SEQUENCES("""
            SELECT 'SEQUENCE', format('%I.%I', n.nspname, c.relname),
                   'AS ' || format_type(s.seqtypid, NULL) || ' ' || SEQUENCE_OPTIONS(s), 'pg_class'::regclass::oid, c.oid, 0, 0, 0, 0
              FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relpersistence <> 't' AND OURS(n) AND NOT_OF_EXTENSION(pg_class, c)
               AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'i')
            """),
    OWNED_SEQUENCES("""
            SELECT 'OWNED_BY', '', format('%I.%I.%I', tn.nspname, t.relname, a.attname), 0, 0, 0,
                   'pg_class'::regclass::oid, c.oid, 0
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
                              AND d.deptype = 'a'
              JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace tn ON tn.oid = t.relnamespace
              JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
             WHERE c.relkind = 'S' AND OURS(n) AND NOT_OF_EXTENSION(pg_class, c)
            """),
    FUNCTIONS("""
            SELECT 'FUNCTION', ROUTINE(n, p), pg_get_functiondef(p.oid), 'pg_proc'::regclass::oid, p.oid, 0, 0, 0, 0
              FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
             WHERE p.prokind <> 'a' AND OURS(n) AND NOT_OF_EXTENSION(pg_proc, p)
               AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'i')
            """),
    CASTS("""
            SELECT 'CAST', format('(%s AS %s)', format_type(c.castsource, NULL), format_type(c.casttarget, NULL)),
                   CASE c.castmethod WHEN 'f' THEN 'WITH FUNCTION ' || c.castfunc::regprocedure WHEN 'i' THEN 'WITH INOUT' ELSE 'WITHOUT FUNCTION' END
                       || CASE c.castcontext WHEN 'a' THEN ' AS ASSIGNMENT' WHEN 'i' THEN ' AS IMPLICIT' ELSE '' END,
                   'pg_cast'::regclass::oid, c.oid, 0, 0, 0, 0
              FROM pg_cast c WHERE c.oid >= 16384 AND NOT_OF_EXTENSION(pg_cast, c)
               AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_cast'::regclass AND d.objid = c.oid AND d.deptype = 'i')
            """),
    OPERATORS("""
            SELECT 'OPERATOR', format('%I.%s (%s, %s)', n.nspname, o.oprname, coalesce(format_type(nullif(o.oprleft, 0), NULL), 'NONE'),
                                      coalesce(format_type(nullif(o.oprright, 0), NULL), 'NONE')),
                   format('%I.%s (', n.nspname, o.oprname)
                       || concat_ws(', ', 'FUNCTION = ' || o.oprcode::regproc, 'LEFTARG = ' || format_type(nullif(o.oprleft, 0), NULL),
                                    'RIGHTARG = ' || format_type(nullif(o.oprright, 0), NULL),
                                    (SELECT format('COMMUTATOR = OPERATOR(%I.%s)', cn.nspname, c.oprname)
                                       FROM pg_operator c JOIN pg_namespace cn ON cn.oid = c.oprnamespace WHERE c.oid = o.oprcom),
                                    (SELECT format('NEGATOR = OPERATOR(%I.%s)', cn.nspname, c.oprname)
                                       FROM pg_operator c JOIN pg_namespace cn ON cn.oid = c.oprnamespace WHERE c.oid = o.oprnegate),
                                    'RESTRICT = ' || nullif(o.oprrest, 0)::regproc, 'JOIN = ' || nullif(o.oprjoin, 0)::regproc,
                                    CASE WHEN o.oprcanhash THEN 'HASHES' END, CASE WHEN o.oprcanmerge THEN 'MERGES' END) || ')',
                   'pg_operator'::regclass::oid, o.oid, 0, 0, 0, 0
              FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
             WHERE o.oprcode <> 0 AND OURS(n) AND NOT_OF_EXTENSION(pg_operator, o)
            """),
    TEXT_SEARCH_DICTIONARIES("""
            SELECT 'TEXT_SEARCH_DICTIONARY', format('%I.%I', n.nspname, d.dictname),
                   concat_ws(', ', format('TEMPLATE = %I.%I', tn.nspname, t.tmplname), d.dictinitoption),
                   'pg_ts_dict'::regclass::oid, d.oid, 0, 0, 0, 0
              FROM pg_ts_dict d JOIN pg_namespace n ON n.oid = d.dictnamespace JOIN pg_ts_template t ON t.oid = d.dicttemplate
              JOIN pg_namespace tn ON tn.oid = t.tmplnamespace
             WHERE OURS(n) AND NOT_OF_EXTENSION(pg_ts_dict, d)
            """),
    TEXT_SEARCH_CONFIGURATIONS("""
            SELECT 'TEXT_SEARCH_CONFIGURATION', format('%I.%I', n.nspname, c.cfgname), format('PARSER = %I.%I', pn.nspname, p.prsname),
                   'pg_ts_config'::regclass::oid, c.oid, 0, 0, 0, 0
              FROM pg_ts_config c JOIN pg_namespace n ON n.oid = c.cfgnamespace JOIN pg_ts_parser p ON p.oid = c.cfgparser
              JOIN pg_namespace pn ON pn.oid = p.prsnamespace
             WHERE OURS(n) AND NOT_OF_EXTENSION(pg_ts_config, c)
            """),
    TEXT_SEARCH_MAPPINGS("""
            SELECT 'TEXT_SEARCH_MAPPING', k.alias, string_agg(format('%I.%I', dn.nspname, d.dictname), ', ' ORDER BY m.mapseqno), 0, 0, 0,
                   'pg_ts_config'::regclass::oid, c.oid, 0
              FROM pg_ts_config c JOIN pg_namespace n ON n.oid = c.cfgnamespace JOIN pg_ts_config_map m ON m.mapcfg = c.oid
              JOIN pg_ts_dict d ON d.oid = m.mapdict JOIN pg_namespace dn ON dn.oid = d.dictnamespace
              CROSS JOIN LATERAL ts_token_type(c.cfgparser) k
             WHERE k.tokid = m.maptokentype AND OURS(n) AND NOT_OF_EXTENSION(pg_ts_config, c)
             GROUP BY c.oid, k.alias
            """),
    AGGREGATES("""
            SELECT 'AGGREGATE', ROUTINE(n, p),
                   format('%I.%I(%s) (', n.nspname, p.proname, pg_get_function_arguments(p.oid))
                       || concat_ws(', ', 'SFUNC = ' || a.aggtransfn::regproc, 'STYPE = ' || format_type(a.aggtranstype, NULL),
                                    'SSPACE = ' || nullif(a.aggtransspace, 0),
                                    'FINALFUNC = ' || nullif(a.aggfinalfn, 0)::regproc, CASE WHEN a.aggfinalextra THEN 'FINALFUNC_EXTRA' END,
                                    'COMBINEFUNC = ' || nullif(a.aggcombinefn, 0)::regproc,
                                    'SERIALFUNC = ' || nullif(a.aggserialfn, 0)::regproc,
                                    'DESERIALFUNC = ' || nullif(a.aggdeserialfn, 0)::regproc,
                                    'INITCOND = ' || quote_literal(a.agginitval),
                                    'MSFUNC = ' || nullif(a.aggmtransfn, 0)::regproc, 'MINVFUNC = ' || nullif(a.aggminvtransfn, 0)::regproc,
                                    'MSTYPE = ' || format_type(nullif(a.aggmtranstype, 0), NULL),
                                    'MFINALFUNC = ' || nullif(a.aggmfinalfn, 0)::regproc, 'MINITCOND = ' || quote_literal(a.aggminitval),
                                    (SELECT format('SORTOP = OPERATOR(%I.%s)', on_.nspname, o.oprname)
                                       FROM pg_operator o JOIN pg_namespace on_ ON on_.oid = o.oprnamespace WHERE o.oid = a.aggsortop),
                                    CASE p.proparallel WHEN 's' THEN 'PARALLEL = SAFE' WHEN 'r' THEN 'PARALLEL = RESTRICTED' END,
                                    CASE WHEN a.aggkind = 'h' THEN 'HYPOTHETICAL' END) || ')',
                   'pg_proc'::regclass::oid, p.oid, 0, 0, 0, 0
              FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid JOIN pg_namespace n ON n.oid = p.pronamespace
             WHERE OURS(n) AND NOT_OF_EXTENSION(pg_proc, p)
            """),
    FOREIGN_DATA_WRAPPERS("""
            SELECT 'FOREIGN_DATA_WRAPPER', quote_ident(w.fdwname),
                   concat_ws(' ', 'HANDLER ' || nullif(w.fdwhandler, 0)::regproc, 'VALIDATOR ' || nullif(w.fdwvalidator, 0)::regproc,
                             OPTIONS(w.fdwoptions)),
                   'pg_foreign_data_wrapper'::regclass::oid, w.oid, 0, 0, 0, 0
              FROM pg_foreign_data_wrapper w WHERE NOT_OF_EXTENSION(pg_foreign_data_wrapper, w)
            """),
    /** Their options are hidden from those who may not see them. */
    USER_MAPPINGS("""
            SELECT 'USER_MAPPING', CASE m.umuser WHEN 0 THEN 'PUBLIC' ELSE quote_ident(m.usename) END, coalesce(OPTIONS(m.umoptions), ''),
                   'pg_user_mapping'::regclass::oid, m.umid, 0, 'pg_foreign_server'::regclass::oid, m.srvid, 0
              FROM pg_user_mappings m
            """),
    SERVERS("""
            SELECT 'SERVER', quote_ident(s.srvname),
                   concat_ws(' ', 'TYPE ' || quote_literal(s.srvtype), 'VERSION ' || quote_literal(s.srvversion),
                             'FOREIGN DATA WRAPPER ' || quote_ident(w.fdwname), OPTIONS(s.srvoptions)),
                   'pg_foreign_server'::regclass::oid, s.oid, 0, 0, 0, 0
              FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
             WHERE NOT_OF_EXTENSION(pg_foreign_server, s)
            """),
    TABLES("""
            SELECT CASE c.relkind WHEN 'f' THEN 'FOREIGN_TABLE' ELSE 'TABLE' END, format('%I.%I', n.nspname, c.relname),
                   concat_ws(' ', 'PARTITION BY ' || CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
                             'USING ' || CASE WHEN c.relkind = 'r' THEN nullif(m.amname, 'heap') END,
                             'SERVER ' || quote_ident(s.srvname), OPTIONS(f.ftoptions)),
                   'pg_class'::regclass::oid, c.oid, 0, 0, 0, 0
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_am m ON m.oid = c.relam
              LEFT JOIN pg_foreign_table f ON f.ftrelid = c.oid LEFT JOIN pg_foreign_server s ON s.oid = f.ftserver
             WHERE c.relkind IN ('r', 'p', 'f') AND TABLES_OF(n, c)
            """),
    PARTITIONS("""
            SELECT 'ATTACHMENT', format('%I.%I', pn.nspname, p.relname), pg_get_expr(c.relpartbound, c.oid), 0, 0, 0,
                   'pg_class'::regclass::oid, c.oid, 0
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_inherits i ON i.inhrelid = c.oid
              JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
             WHERE c.relkind IN ('r', 'p', 'f') AND c.relispartition AND TABLES_OF(n, c)
            """),
    PARENTS("""
            SELECT 'INHERITANCE', format('%I.%I', pn.nspname, p.relname), '', 0, 0, 0, 'pg_class'::regclass::oid, c.oid, 0
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_inherits i ON i.inhrelid = c.oid
              JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
             WHERE c.relkind IN ('r', 'f') AND NOT c.relispartition AND TABLES_OF(n, c)
             ORDER BY c.oid, i.inhseqno
            """),
    /** Those of a parent are its own. */
    COLUMNS("""
            SELECT 'COLUMN', quote_ident(a.attname),
                   format_type(a.atttypid, a.atttypmod)
                       || CASE WHEN a.attcollation <> b.typcollation THEN ' COLLATE ' || a.attcollation::regcollation ELSE '' END
                       || CASE WHEN a.attgenerated <> '' THEN ' GENERATED ALWAYS AS (' || pg_get_expr(d.adbin, d.adrelid) || ')'
                                || CASE a.attgenerated WHEN 's' THEN ' STORED' ELSE ' VIRTUAL' END ELSE '' END
                       || coalesce(' ' || OPTIONS(a.attfdwoptions), ''),
                   'pg_class'::regclass::oid, c.oid, a.attnum, 'pg_class'::regclass::oid, c.oid, 0
              FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
              JOIN pg_type b ON b.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum AND a.attgenerated <> ''
             WHERE c.relkind IN ('r', 'p', 'f') AND a.attnum > 0 AND NOT a.attisdropped AND a.attinhcount = 0 AND TABLES_OF(n, c)
            """),
    COLUMN_ORDERS("""
            SELECT 'COLUMN_ORDER', '', string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum), 0, 0, 0,
                   CASE c.relkind WHEN 'c' THEN 'pg_type'::regclass::oid ELSE 'pg_class'::regclass::oid END,
                   CASE c.relkind WHEN 'c' THEN c.reltype ELSE c.oid END, 0
              FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind IN ('r', 'p', 'f', 'c') AND a.attnum > 0 AND NOT a.attisdropped AND a.attinhcount = 0 AND TABLES_OF(n, c)
             GROUP BY c.oid
            """),
    /** Of columns of a parent only where they differ from it; all of views. */
    DEFAULTS("""
            SELECT 'DEFAULT', quote_ident(a.attname), coalesce(pg_get_expr(d.adbin, d.adrelid), 'NULL'),
                   CASE WHEN d.oid IS NULL THEN 0 ELSE 'pg_attrdef'::regclass::oid END, coalesce(d.oid, 0), 0,
                   'pg_class'::regclass::oid, c.oid, 0
              FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
              LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
             WHERE c.relkind IN ('r', 'p', 'f', 'v') AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND TABLES_OF(n, c)
               AND CASE WHEN a.attinhcount = 0 THEN d.oid IS NOT NULL
                        ELSE NOT EXISTS (
                            SELECT FROM pg_inherits i JOIN pg_attribute pa ON pa.attrelid = i.inhparent AND pa.attname = a.attname
                              LEFT JOIN pg_attrdef pd ON pd.adrelid = pa.attrelid AND pd.adnum = pa.attnum
                             WHERE i.inhrelid = c.oid
                               AND pg_get_expr(pd.adbin, pd.adrelid) IS NOT DISTINCT FROM pg_get_expr(d.adbin, d.adrelid)) END
            """),
    /** Of columns of a parent only where the parent has none. */
    NOT_NULLS("""
            SELECT 'NOT_NULL', quote_ident(a.attname),
                   CASE WHEN EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'n' AND NOT k.convalidated
                                        AND k.conkey = ARRAY[a.attnum]) THEN 'NOT VALID' ELSE '' END,
                   0, 0, 0, 'pg_class'::regclass::oid, c.oid, 0
              FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind IN ('r', 'p', 'f') AND a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull AND TABLES_OF(n, c)
               AND (a.attinhcount = 0 OR NOT EXISTS (
                   SELECT FROM pg_inherits i JOIN pg_attribute pa ON pa.attrelid = i.inhparent AND pa.attname = a.attname
                    WHERE i.inhrelid = c.oid AND pa.attnotnull))
            """),
    IDENTITIES("""
            SELECT 'IDENTITY', quote_ident(a.attname),
                   CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END || ' AS IDENTITY (' || SEQUENCE_OPTIONS(s) || ')',
                   0, 0, 0, 'pg_class'::regclass::oid, c.oid, 0
              FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
              JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid = a.attnum
                              AND d.classid = 'pg_class'::regclass AND d.deptype = 'i'
              JOIN pg_sequence s ON s.seqrelid = d.objid
             WHERE a.attidentity <> '' AND a.attinhcount = 0 AND TABLES_OF(n, c)
            """),
    CONSTRAINTS("""
            SELECT 'CONSTRAINT', quote_ident(k.conname), pg_get_constraintdef(k.oid), 'pg_constraint'::regclass::oid, k.oid, 0,
                   CASE WHEN k.conrelid = 0 THEN 'pg_type'::regclass::oid ELSE 'pg_class'::regclass::oid END,
                   CASE WHEN k.conrelid = 0 THEN k.contypid ELSE k.conrelid END, 0
              FROM pg_constraint k LEFT JOIN pg_class c ON c.oid = k.conrelid LEFT JOIN pg_type t ON t.oid = k.contypid
              JOIN pg_namespace n ON n.oid = coalesce(c.relnamespace, t.typnamespace)
             WHERE k.contype IN ('c', 'p', 'u', 'x', 'f') AND k.coninhcount = 0 AND k.conparentid = 0 AND OURS(n)
               AND (c.oid IS NULL OR TABLES_OF(n, c)) AND (t.oid IS NULL OR NOT_OF_EXTENSION(pg_type, t))
            """),
    /** Without those of constraints, and without those of partitions that an index of the whole has made. */
    INDEXES("""
            SELECT 'INDEX', format('%I.%I', n.nspname, i.relname), pg_get_indexdef(i.oid), 'pg_class'::regclass::oid, i.oid, 0,
                   'pg_class'::regclass::oid, c.oid, 0
              FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
              JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE NOT i.relispartition AND TABLES_OF(n, c)
               AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.oid AND k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x'))
            """),
    /** Expressions are written without the pretty printing of {@code pg_get_statisticsobjdef}, as everywhere else. */
    STATISTICS("""
            SELECT 'STATISTICS', format('%I.%I', sn.nspname, s.stxname),
                   CASE WHEN s.stxexprs IS NULL THEN pg_get_statisticsobjdef(s.oid)
                        ELSE format('CREATE STATISTICS %I.%I %sON %s FROM %I.%I', sn.nspname, s.stxname,
                                    CASE WHEN NOT s.stxkind @> '{d,f,m}' AND cardinality(pg_get_statisticsobjdef_expressions(s.oid)) + cardinality(s.stxkeys::int2[]) > 1
                                         THEN '(' || concat_ws(', ', CASE WHEN 'd' = ANY (s.stxkind) THEN 'ndistinct' END,
                                                               CASE WHEN 'f' = ANY (s.stxkind) THEN 'dependencies' END,
                                                               CASE WHEN 'm' = ANY (s.stxkind) THEN 'mcv' END) || ') ' ELSE '' END,
                                    concat_ws(', ', (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
                                                      WHERE a.attrelid = s.stxrelid AND a.attnum = ANY (s.stxkeys::int2[])),
                                              (SELECT string_agg('(' || e || ')', ', ' ORDER BY n)
                                                 FROM unnest(pg_get_statisticsobjdef_expressions(s.oid)) WITH ORDINALITY AS x (e, n))),
                                    n.nspname, c.relname) END,
                   'pg_statistic_ext'::regclass::oid, s.oid, 0,
                   'pg_class'::regclass::oid, c.oid, 0
              FROM pg_statistic_ext s JOIN pg_namespace sn ON sn.oid = s.stxnamespace JOIN pg_class c ON c.oid = s.stxrelid
              JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE TABLES_OF(n, c)
            """),
    /** Read some at a time: it locks, if weakly, every table of every view. */
    VIEWS("""
            SELECT CASE c.relkind WHEN 'm' THEN 'MATERIALIZED_VIEW' ELSE 'VIEW' END, format('%I.%I', n.nspname, c.relname),
                   CASE WHEN c.relkind = 'v' AND c.reloptions IS NOT NULL
                        THEN format('WITH (%s) ', (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(c.reloptions) o)) ELSE '' END
                       || E'AS\\n' || CASE WHEN c.relkind = 'm' AND NOT c.relispopulated
                                          THEN rtrim(pg_get_viewdef(c.oid), ';') || E'\\n WITH NO DATA;' ELSE pg_get_viewdef(c.oid) END,
                   'pg_class'::regclass::oid, c.oid, 0, 0, 0, 0
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind IN ('v', 'm') AND c.oid > %d AND TABLES_OF(n, c)
             ORDER BY c.oid LIMIT 50
            """),
    RULES("""
            SELECT 'RULE', quote_ident(r.rulename), pg_get_ruledef(r.oid), 'pg_rewrite'::regclass::oid, r.oid, 0, 'pg_class'::regclass::oid, c.oid, 0
              FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE r.rulename <> '_RETURN' AND TABLES_OF(n, c)
            """),
    RULE_STATES("""
            SELECT 'RULE_STATE', '', CASE r.ev_enabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END,
                   0, 0, 0, 'pg_rewrite'::regclass::oid, r.oid, 0
              FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE r.rulename <> '_RETURN' AND r.ev_enabled <> 'O' AND TABLES_OF(n, c)
            """),
    TRIGGERS("""
            SELECT 'TRIGGER', quote_ident(t.tgname), pg_get_triggerdef(t.oid), 'pg_trigger'::regclass::oid, t.oid, 0, 'pg_class'::regclass::oid, c.oid, 0
              FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND TABLES_OF(n, c)
            """),
    TRIGGER_STATES("""
            SELECT 'TRIGGER_STATE', '', CASE t.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END,
                   0, 0, 0, 'pg_trigger'::regclass::oid, t.oid, 0
              FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND t.tgenabled <> 'O' AND TABLES_OF(n, c)
            """),
    /** Of single partitions, where they are not those of the whole. */
    PARTITION_TRIGGER_STATES("""
            WITH RECURSIVE made AS (
                SELECT t.oid, t.oid AS whole FROM pg_trigger t WHERE t.tgparentid = 0 AND NOT t.tgisinternal
                UNION ALL
                SELECT t.oid, m.whole FROM made m JOIN pg_trigger t ON t.tgparentid = m.oid)
            SELECT 'PARTITION_TRIGGER_STATE', format('%I.%I', n.nspname, c.relname),
                   CASE t.tgenabled WHEN 'O' THEN 'ENABLE' WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END,
                   0, 0, 0, 'pg_trigger'::regclass::oid, m.whole, 0
              FROM made m JOIN pg_trigger t ON t.oid = m.oid JOIN pg_trigger w ON w.oid = m.whole JOIN pg_class c ON c.oid = t.tgrelid
              JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE t.tgenabled <> w.tgenabled AND TABLES_OF(n, c)
            """),
    POLICIES("""
            SELECT 'POLICY', quote_ident(p.polname),
                   concat_ws(' ', CASE WHEN p.polpermissive THEN 'AS PERMISSIVE' ELSE 'AS RESTRICTIVE' END,
                             'FOR ' || CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                                                     WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                             'TO ' || (SELECT string_agg(CASE WHEN r = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END, ', '
                                                         ORDER BY pg_get_userbyid(r)) FROM unnest(p.polroles) r),
                             'USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
                             'WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')'),
                   'pg_policy'::regclass::oid, p.oid, 0, 'pg_class'::regclass::oid, c.oid, 0
              FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE TABLES_OF(n, c)
            """),
    TABLE_PROPERTIES("""
            SELECT p.kind, '', p.definition, 0, 0, 0, 'pg_class'::regclass::oid, c.oid, 0
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              CROSS JOIN LATERAL (VALUES
                  ('UNLOGGED', CASE WHEN c.relpersistence = 'u' THEN '' END),
                  ('ROW_SECURITY', CASE WHEN c.relrowsecurity THEN '' END),
                  ('FORCED_ROW_SECURITY', CASE WHEN c.relforcerowsecurity THEN '' END),
                  ('REPLICA_IDENTITY', CASE c.relreplident WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING' WHEN 'i' THEN (
                      SELECT format('USING INDEX %I', i.relname) FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
                       WHERE x.indrelid = c.oid AND x.indisreplident) END)) AS p (kind, definition)
             WHERE c.relkind IN ('r', 'p') AND p.definition IS NOT NULL AND TABLES_OF(n, c)
            """),
    OPTIONS("""
            SELECT 'OPTION', o.prefix || split_part(o.option, '=', 1), substr(o.option, strpos(o.option, '=') + 1), 0, 0, 0,
                   'pg_class'::regclass::oid, c.oid, 0
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              CROSS JOIN LATERAL (
                  SELECT '' AS prefix, unnest(c.reloptions) AS option
                  UNION ALL SELECT 'toast.', unnest(t.reloptions) FROM pg_class t WHERE t.oid = c.reltoastrelid) o
             WHERE c.relkind IN ('r', 'p', 'm') AND TABLES_OF(n, c)
            """),
    /** Of an index, or of the constraint that it is made for. */
    CLUSTER_MARKS("""
            SELECT 'CLUSTER_MARK', '', '', 0, 0, 0,
                   CASE WHEN k.oid IS NULL THEN 'pg_class'::regclass::oid ELSE 'pg_constraint'::regclass::oid END, coalesce(k.oid, x.indexrelid), 0
              FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
              LEFT JOIN pg_constraint k ON k.conindid = x.indexrelid AND k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x')
             WHERE x.indisclustered AND TABLES_OF(n, c)
            """),
    /** Of those that constraints have made; others say theirs themselves. */
    INDEX_OPTIONS("""
            SELECT 'INDEX_OPTION', split_part(o, '=', 1), substr(o, strpos(o, '=') + 1), 0, 0, 0, 'pg_constraint'::regclass::oid, k.oid, 0
              FROM pg_constraint k JOIN pg_class i ON i.oid = k.conindid JOIN pg_class c ON c.oid = k.conrelid
              JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL unnest(i.reloptions) o
             WHERE k.contype IN ('p', 'u', 'x') AND TABLES_OF(n, c)
            """),
    /** Of columns, of expressions of indexes, which have numbers, and of extended statistics. */
    STATISTICS_TARGETS("""
            SELECT 'STATISTICS_TARGET', CASE WHEN c.relkind IN ('i', 'I') THEN a.attnum::text ELSE quote_ident(a.attname) END,
                   a.attstattarget::text, 0, 0, 0, 'pg_class'::regclass::oid, c.oid, 0
              FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind IN ('r', 'p', 'f', 'm', 'i', 'I') AND a.attnum > 0 AND NOT a.attisdropped AND a.attstattarget >= 0 AND TABLES_OF(n, c)
            UNION ALL
            SELECT 'STATISTICS_TARGET', '', s.stxstattarget::text, 0, 0, 0, 'pg_statistic_ext'::regclass::oid, s.oid, 0
              FROM pg_statistic_ext s WHERE s.stxstattarget >= 0
            """),
    COLUMN_OPTIONS("""
            SELECT 'COLUMN_OPTIONS', quote_ident(a.attname),
                   (SELECT string_agg(split_part(o, '=', 1) || ' = ' || split_part(o, '=', 2), ', ' ORDER BY o) FROM unnest(a.attoptions) o),
                   0, 0, 0, 'pg_class'::regclass::oid, c.oid, 0
              FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind IN ('r', 'p', 'f', 'm') AND a.attnum > 0 AND NOT a.attisdropped AND a.attoptions IS NOT NULL AND TABLES_OF(n, c)
            """),
    PUBLICATIONS("""
            SELECT 'PUBLICATION', quote_ident(p.pubname),
                   CASE WHEN p.puballtables THEN 'FOR ALL TABLES ' ELSE '' END || format('WITH (publish = %L, publish_via_partition_root = %s',
                       concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
                                 CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END), p.pubviaroot::text)
                       || CASE WHEN to_jsonb(p) ->> 'pubgencols' = 's' THEN ', publish_generated_columns = stored' ELSE '' END || ')',
                   'pg_publication'::regclass::oid, p.oid, 0, 0, 0, 0
              FROM pg_publication p WHERE NOT_OF_EXTENSION(pg_publication, p)
            """),
    PUBLISHED_TABLES("""
            SELECT 'PUBLISHED_TABLE', format('%I.%I', n.nspname, c.relname),
                   concat_ws(' ', '(' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname) FROM pg_attribute a
                                           WHERE a.attrelid = c.oid AND a.attnum = ANY (r.prattrs)) || ')',
                             'WHERE (' || pg_get_expr(r.prqual, r.prrelid) || ')'),
                   'pg_publication_rel'::regclass::oid, r.oid, 0, 'pg_publication'::regclass::oid, r.prpubid, 0
              FROM pg_publication_rel r JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            """),
    PUBLISHED_SCHEMAS("""
            SELECT 'PUBLISHED_SCHEMA', quote_ident(n.nspname), '', 'pg_publication_namespace'::regclass::oid, r.oid, 0,
                   'pg_publication'::regclass::oid, r.pnpubid, 0
              FROM pg_publication_namespace r JOIN pg_namespace n ON n.oid = r.pnnspid
            """),
    /** Without their connections, which only superusers may see. */
    SUBSCRIPTIONS("""
            SELECT 'SUBSCRIPTION', quote_ident(s.subname),
                   format('PUBLICATION %s WITH (enabled = %s, slot_name = %s, binary = %s, streaming = %s, synchronous_commit = %L, disable_on_error = %s)',
                          (SELECT string_agg(quote_ident(p), ', ' ORDER BY p) FROM unnest(s.subpublications) p), s.subenabled,
                          coalesce(quote_literal(s.subslotname), 'NONE'), s.subbinary,
                          CASE WHEN s.substream::text IN ('true', 't') THEN 'on' WHEN s.substream::text = 'p' THEN 'parallel' ELSE 'off' END,
                          s.subsynccommit, s.subdisableonerr),
                   'pg_subscription'::regclass::oid, s.oid, 0, 0, 0, 0
              FROM pg_subscription s WHERE s.subdbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
            """),
    /** Of this database, and of roles in it; their values are what each role likes, and not yet quoted. */
    SETTINGS("""
            SELECT 'SETTING', split_part(o, '=', 1) || coalesce(' FOR ROLE ' || quote_ident(pg_get_userbyid(nullif(s.setrole, 0))), ''),
                   substr(o, strpos(o, '=') + 1), 0, 0, 0, 0, 0, 0
              FROM pg_db_role_setting s CROSS JOIN LATERAL unnest(s.setconfig) o
             WHERE s.setdatabase = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
            """),
    EVENT_TRIGGERS("""
            SELECT 'EVENT_TRIGGER', quote_ident(e.evtname),
                   concat_ws(' ', 'ON ' || e.evtevent,
                             'WHEN TAG IN (' || (SELECT string_agg(quote_literal(t), ', ' ORDER BY t) FROM unnest(e.evttags) t) || ')',
                             format('EXECUTE FUNCTION %I.%I()', n.nspname, p.proname)),
                   'pg_event_trigger'::regclass::oid, e.oid, 0, 0, 0, 0
              FROM pg_event_trigger e JOIN pg_proc p ON p.oid = e.evtfoid JOIN pg_namespace n ON n.oid = p.pronamespace
             WHERE NOT_OF_EXTENSION(pg_event_trigger, e)
            """),
    EVENT_TRIGGER_STATES("""
            SELECT 'TRIGGER_STATE', '', CASE e.evtenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END,
                   0, 0, 0, 'pg_event_trigger'::regclass::oid, e.oid, 0
              FROM pg_event_trigger e WHERE e.evtenabled <> 'O' AND NOT_OF_EXTENSION(pg_event_trigger, e)
            """),
    /** A sequence of a column has that of its table. */
    OWNERS("""
            SELECT 'OWNER', '', quote_ident(pg_get_userbyid(o.owner)), 0, 0, 0, o.class, o.oid, 0 FROM (OWNED) o
             WHERE NOT (o.type = 's' AND EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = o.oid
                                                    AND d.deptype = 'a' AND d.refclassid = 'pg_class'::regclass))
            """),
    /**
     * One for each role whose rights are not those that come with the object; {@code NONE} if it has fewer: none. With the roles
     * other than the owner that have granted some of them, who alone can take those back.
     */
    PRIVILEGES("""
            WITH owned AS (OWNED),
                 granted AS (
                     SELECT o.class, o.oid, a.grantee, a.privilege_type AS privilege, a.is_grantable
                       FROM owned o CROSS JOIN LATERAL aclexplode(coalesce(o.acl, acldefault(o.type, o.owner))) a
                      WHERE o.acl IS NOT NULL
                     UNION
                     SELECT o.class, o.oid, a.grantee, format('%s (%s)', a.privilege_type, string_agg(quote_ident(c.attname), ', ' ORDER BY c.attname)),
                            a.is_grantable
                       FROM owned o JOIN pg_attribute c ON c.attrelid = o.oid AND NOT c.attisdropped AND c.attacl IS NOT NULL CROSS JOIN LATERAL aclexplode(c.attacl) a
                      WHERE o.class = 'pg_class'::regclass GROUP BY o.class, o.oid, a.grantee, a.privilege_type, a.is_grantable),
                 passed AS (
                     SELECT o.class, o.oid, a.grantee, a.grantor, a.privilege_type AS privilege
                       FROM owned o CROSS JOIN LATERAL aclexplode(o.acl) a WHERE a.grantor <> o.owner
                     UNION
                     SELECT o.class, o.oid, a.grantee, a.grantor, format('%s (%s)', a.privilege_type, string_agg(quote_ident(c.attname), ', ' ORDER BY c.attname))
                       FROM owned o JOIN pg_attribute c ON c.attrelid = o.oid AND NOT c.attisdropped AND c.attacl IS NOT NULL CROSS JOIN LATERAL aclexplode(c.attacl) a
                      WHERE o.class = 'pg_class'::regclass AND a.grantor <> o.owner GROUP BY o.class, o.oid, a.grantee, a.grantor, a.privilege_type),
                 grantors AS (
                     SELECT class, oid, grantee, string_agg(E'\\nGRANTED BY ' || grantor || ': ' || privileges, '' ORDER BY grantor) AS lines
                       FROM (SELECT class, oid, grantee, quote_ident(pg_get_userbyid(grantor)) AS grantor,
                                    string_agg(privilege, ', ' ORDER BY privilege) AS privileges
                               FROM passed p GROUP BY class, oid, grantee, p.grantor) g GROUP BY class, oid, grantee),
                 usual AS (
                     SELECT o.class, o.oid, a.grantee, a.privilege_type AS privilege, a.is_grantable
                       FROM owned o CROSS JOIN LATERAL aclexplode(acldefault(o.type, o.owner)) a WHERE o.acl IS NOT NULL),
                 rights AS (
                     SELECT class, oid, grantee, string_agg(privileges, E'\\n' ORDER BY is_grantable) AS privileges
                       FROM (SELECT class, oid, grantee, is_grantable,
                                    string_agg(privilege, ', ' ORDER BY privilege) || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS privileges
                               FROM granted GROUP BY class, oid, grantee, is_grantable) g GROUP BY class, oid, grantee),
                 usual_rights AS (
                     SELECT class, oid, grantee, string_agg(privilege, ', ' ORDER BY privilege) AS privileges FROM usual GROUP BY class, oid, grantee)
            SELECT 'PRIVILEGES', CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
                   coalesce(r.privileges, 'NONE') || coalesce(g.lines, ''), 0, 0, 0, class, oid, 0
              FROM rights r FULL JOIN usual_rights u USING (class, oid, grantee) LEFT JOIN grantors g USING (class, oid, grantee)
             WHERE r.privileges IS DISTINCT FROM u.privileges
            """),
    /** Those that come with objects which a role makes; of a schema they are added to those of all schemas. */
    DEFAULT_PRIVILEGES("""
            WITH granted AS (
                     SELECT d.oid, a.grantee, a.is_grantable, string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type)
                                || CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS privileges
                       FROM pg_default_acl d CROSS JOIN LATERAL aclexplode(d.defaclacl) a GROUP BY d.oid, a.grantee, a.is_grantable),
                 rights AS (SELECT oid, grantee, string_agg(privileges, E'\\n' ORDER BY is_grantable) AS privileges FROM granted GROUP BY oid, grantee),
                 usual AS (
                     SELECT d.oid, a.grantee, string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type) AS privileges
                       FROM pg_default_acl d
                       CROSS JOIN LATERAL aclexplode(acldefault(CASE d.defaclobjtype WHEN 'S' THEN 's' ELSE d.defaclobjtype END, d.defaclrole)) a
                      WHERE d.defaclnamespace = 0 GROUP BY d.oid, a.grantee)
            SELECT 'DEFAULT_PRIVILEGES',
                   format('FOR ROLE %I ON %s TO %s', pg_get_userbyid(d.defaclrole),
                          CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES'
                                               WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END,
                          CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END),
                   coalesce(r.privileges, 'NONE'), 0, 0, 0, CASE d.defaclnamespace WHEN 0 THEN 0 ELSE 'pg_namespace'::regclass::oid END,
                   d.defaclnamespace, 0
              FROM rights r FULL JOIN usual u USING (oid, grantee) JOIN pg_default_acl d USING (oid)
             WHERE r.privileges IS DISTINCT FROM u.privileges
            """),
    /** Rights to call PostgreSQL's own functions, where they are not as they were when the cluster was made. */
    SYSTEM_PRIVILEGES("""
            WITH changed AS (
                     SELECT p.oid, coalesce(p.proacl, acldefault('f', p.proowner)) AS is,
                            coalesce(i.initprivs, acldefault('f', p.proowner)) AS was
                       FROM pg_proc p LEFT JOIN pg_init_privs i ON i.classoid = 'pg_proc'::regclass AND i.objoid = p.oid AND i.privtype = 'i'
                      WHERE p.oid < 16384 AND p.proacl IS DISTINCT FROM i.initprivs),
                 have AS (SELECT c.oid, a.grantee, a.is_grantable FROM changed c CROSS JOIN LATERAL aclexplode(c.is) a),
                 had AS (SELECT c.oid, a.grantee, a.is_grantable FROM changed c CROSS JOIN LATERAL aclexplode(c.was) a)
            SELECT 'SYSTEM_PRIVILEGES',
                   format('ON ROUTINE %s TO %s', ROUTINE(n, p), CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END),
                   CASE WHEN h.is_grantable THEN 'EXECUTE WITH GRANT OPTION' WHEN h.is_grantable IS NULL THEN 'NONE' ELSE 'EXECUTE' END,
                   0, 0, 0, 0, 0, 0
              FROM have h FULL JOIN had w USING (oid, grantee) JOIN pg_proc p USING (oid) JOIN pg_namespace n ON n.oid = p.pronamespace
             WHERE h.is_grantable IS DISTINCT FROM w.is_grantable
            """);

    /** Which addresses stand for others: class and object, twice. */
    static final String ADDRESSES = """
            SELECT 'pg_rewrite'::regclass::oid, r.oid, 'pg_class'::regclass::oid, r.ev_class
              FROM pg_rewrite r WHERE r.rulename = '_RETURN' AND r.oid >= 16384
            UNION ALL
            SELECT 'pg_class'::regclass::oid, k.conindid, 'pg_constraint'::regclass::oid, k.oid
              FROM pg_constraint k WHERE k.contype IN ('p', 'u', 'x')
            UNION ALL
            SELECT 'pg_type'::regclass::oid, c.reltype, 'pg_class'::regclass::oid, c.oid FROM pg_class c WHERE c.reltype <> 0 AND c.relkind <> 'c' AND c.oid >= 16384
            UNION ALL
            SELECT 'pg_class'::regclass::oid, c.oid, 'pg_type'::regclass::oid, c.reltype FROM pg_class c WHERE c.relkind = 'c' AND c.oid >= 16384
            UNION ALL
            SELECT 'pg_type'::regclass::oid, t.typarray, 'pg_type'::regclass::oid, t.oid FROM pg_type t WHERE t.typarray >= 16384
            UNION ALL
            SELECT 'pg_type'::regclass::oid, r.rngmultitypid, 'pg_type'::regclass::oid, r.rngtypid FROM pg_range r WHERE r.rngtypid >= 16384
            """;

    static final String DEPENDENCIES = """
            SELECT classid, objid, objsubid, refclassid, refobjid, refobjsubid, deptype
              FROM pg_depend WHERE objid >= 16384 AND refobjid >= 16384 AND deptype IN ('n', 'a', 'i')
            """;

    private static final Pattern PHRASE = Pattern.compile("([A-Z_]{4,})\\(([a-z_.]+)(?:, ([a-z]+))?\\)");

    private static final String OWNED = """
            SELECT 'pg_namespace'::regclass::oid AS class, n.oid, n.nspowner AS owner, n.nspacl AS acl, 'n'::"char" AS type
              FROM pg_namespace n WHERE OURS(n) AND NOT_OF_EXTENSION(pg_namespace, n)
            UNION ALL
            SELECT 'pg_class'::regclass::oid, c.oid, c.relowner, c.relacl, CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char"
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND TABLES_OF(n, c)
            UNION ALL
            SELECT 'pg_proc'::regclass::oid, p.oid, p.proowner, p.proacl, 'f'
              FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
             WHERE OURS(n) AND NOT_OF_EXTENSION(pg_proc, p)
            UNION ALL
            SELECT 'pg_type'::regclass::oid, t.oid, t.typowner, t.typacl, 'T'
              FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
             WHERE (t.typtype IN ('e', 'r', 'd') OR t.typtype = 'c' AND c.relkind = 'c') AND OURS(n) AND NOT_OF_EXTENSION(pg_type, t)
            UNION ALL
            SELECT 'pg_foreign_server'::regclass::oid, s.oid, s.srvowner, s.srvacl, 'S' FROM pg_foreign_server s
             WHERE NOT_OF_EXTENSION(pg_foreign_server, s)
            UNION ALL
            SELECT 'pg_foreign_data_wrapper'::regclass::oid, w.oid, w.fdwowner, w.fdwacl, 'F' FROM pg_foreign_data_wrapper w
             WHERE NOT_OF_EXTENSION(pg_foreign_data_wrapper, w)
            UNION ALL
            SELECT 'pg_statistic_ext'::regclass::oid, s.oid, s.stxowner, NULL, 'r' FROM pg_statistic_ext s
            UNION ALL
            SELECT 'pg_publication'::regclass::oid, p.oid, p.pubowner, NULL, 'r' FROM pg_publication p
            UNION ALL
            SELECT 'pg_event_trigger'::regclass::oid, e.oid, e.evtowner, NULL, 'r' FROM pg_event_trigger e
            """;

    private final String written;

    Catalog(String written) {
        this.written = written;
    }

    /** With the phrases written out that many of them have in common. */
    String query() {
        Matcher phrase = PHRASE.matcher(written.replace("(OWNED)", "(" + OWNED + ")"));
        StringBuilder spelled = new StringBuilder();
        while (phrase.find()) {
            String first = phrase.group(2);
            String second = phrase.group(3);
            String text = switch (phrase.group(1)) {
                case "OURS" -> "%1$s.nspname !~ '^pg_' AND %1$s.nspname <> 'information_schema'".formatted(first);
                case "NOT_OF_EXTENSION" ->
                    ("NOT EXISTS (SELECT FROM pg_depend ext WHERE ext.classid = '%s'::regclass AND ext.objid = %s.oid"
                                    + " AND ext.deptype = 'e')")
                            .formatted(first, second);
                case "TABLES_OF" ->
                    ("%1$s.nspname !~ '^pg_' AND %1$s.nspname <> 'information_schema' AND %2$s.relpersistence <> 't'"
                                    + " AND NOT EXISTS (SELECT FROM pg_depend ext WHERE ext.classid = 'pg_class'::regclass"
                                    + " AND ext.objid = %2$s.oid AND ext.deptype = 'e')")
                            .formatted(first, second);
                case "ROUTINE" ->
                    ("format('%%I.%%I(%%s)', %s.nspname, %2$s.proname, (SELECT string_agg(format_type(a.type, NULL), ', ' ORDER BY a.n)"
                                    + " FROM unnest(%2$s.proargtypes) WITH ORDINALITY AS a (type, n)))")
                            .formatted(first, second);
                case "SEQUENCE_OPTIONS" ->
                    ("format('INCREMENT BY %%s MINVALUE %%s MAXVALUE %%s START WITH %%s CACHE %%s %%s', %1$s.seqincrement, %1$s.seqmin,"
                                    + " %1$s.seqmax, %1$s.seqstart, %1$s.seqcache, CASE WHEN %1$s.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END)")
                            .formatted(first);
                case "OPTIONS" ->
                    ("('OPTIONS (' || (SELECT string_agg(format('%%I %%L', split_part(o, '=', 1), substr(o, strpos(o, '=') + 1)), ', ' ORDER BY o)"
                                    + " FROM unnest(%s) o) || ')')")
                            .formatted(first);
                default -> phrase.group();
            };
            phrase.appendReplacement(spelled, Matcher.quoteReplacement(text));
        }
        return phrase.appendTail(spelled).toString();
    }
}
