package io.nightshift.jobs.integrity;

import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The extension amcheck as a database has it. What its functions can do is seen from their signatures: after an upgrade of the
 * server it is still the old one.
 *
 * @param schema of its functions, quoted
 * @param checksUnique whether indexes can be asked for duplicates, from version 1.4 on
 * @param checksGin whether GIN indexes can be asked, and the server is of a minor version whose answer is to be believed
 * @param callable whether our role may call them
 */
record Amcheck(String schema, boolean checksUnique, boolean checksGin, boolean callable) {

    private static final String SCHEMA = "nightshift_integrity";

    /** Of version 1.5; its checks were mended after 18.0. This is the oldest one that our tests have seen silent on sound indexes. */
    private static final int GIN_BELIEVED_FROM = 180006;

    private static final String FUNCTIONS = """
            SELECT quote_ident(n.nspname), bool_or('checkunique' = ANY (p.proargnames)),
                   bool_or(p.proname = 'gin_index_check') AND current_setting('server_version_num')::int >= %d,
                   bool_and(has_function_privilege(p.oid, 'EXECUTE') AND has_schema_privilege(n.oid, 'USAGE'))
              FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                                  JOIN pg_proc p ON p.pronamespace = n.oid
             WHERE e.extname = 'amcheck' AND p.proname IN ('bt_index_check', 'bt_index_parent_check', 'verify_heapam', 'gin_index_check')
               AND EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                              AND d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e')
             GROUP BY n.nspname
            """.formatted(GIN_BELIEVED_FROM);

    static Optional<Amcheck> in(CheckSession session) throws SQLException {
        return session.rows(FUNCTIONS).stream().map(Amcheck::of).findFirst();
    }

    private static Amcheck of(List<@Nullable String> row) {
        return new Amcheck(
                Objects.requireNonNull(row.get(0)),
                "t".equals(row.get(1)),
                "t".equals(row.get(2)),
                "t".equals(row.get(3)));
    }

    /** Makes sure that a copy has it, in the newest version of this machine, if the machine has one. */
    static void install(CheckSession copy) throws SQLException {
        if (copy.text("SELECT name FROM pg_available_extensions WHERE name = 'amcheck'")
                .isEmpty()) {
            return;
        }
        copy.execute("SET default_transaction_read_only = off");
        if (copy.text("SELECT extname FROM pg_extension WHERE extname = 'amcheck'")
                .isPresent()) {
            copy.execute("ALTER EXTENSION amcheck UPDATE");
        } else {
            // Nothing of the source's own may run; a session can see to that for itself from 17 on.
            for (List<@Nullable String> trigger :
                    copy.rows("SELECT quote_ident(evtname) FROM pg_event_trigger WHERE evtenabled <> 'D'")) {
                copy.execute("ALTER EVENT TRIGGER " + trigger.get(0) + " DISABLE");
            }
            copy.execute("CREATE SCHEMA IF NOT EXISTS " + SCHEMA);
            copy.execute("CREATE EXTENSION amcheck SCHEMA " + SCHEMA);
        }
        copy.execute("SET default_transaction_read_only = on");
    }

    /** With the blocks as parameters. */
    String heapQuery(long relation) {
        return "SELECT format('block %s%s', blkno, ', line pointer ' || offnum), msg, count(*) OVER () FROM " + schema
                + ".verify_heapam(" + relation
                + "::regclass, check_toast => true, startblock => $1, endblock => $2) LIMIT " + Outcome.SAMPLE;
    }

    /**
     * It fails on what it finds.
     *
     * @param deep also how its pages hang together, under a lock that lets nobody write and that no standby gives
     */
    String indexQuery(long index, boolean deep) {
        return "SELECT '', '', 0::bigint FROM (SELECT " + schema
                + (deep ? ".bt_index_parent_check(index => " : ".bt_index_check(index => ") + index
                + "::regclass, heapallindexed => true" + (deep ? ", rootdescend => true" : "")
                + (checksUnique ? ", checkunique => true" : "") + ")) AS checked";
    }

    /** It fails on what it finds. */
    String ginQuery(long index) {
        return "SELECT '', '', 0::bigint FROM (SELECT " + schema + ".gin_index_check(index => " + index
                + "::regclass)) AS checked";
    }
}
