package io.nightshift.jobs.proof;

import io.nightshift.infra.config.Durations;
import io.nightshift.infra.damage.CheckFailure;
import io.nightshift.infra.postgres.Identifiers;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.restore.RestoredCopy;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.run.Severity;
import io.nightshift.jobs.proof.CheckResult.Wrong;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Everything that is looked at in an open copy: assertions first, then one database after the other, the smallest first, and
 * in each the smallest relations first, for as long as there is time. For one use.
 */
final class CopyChecks {

    /** Where the catalogs that all databases share are looked at; there is one in every cluster. */
    private static final String WITH_SHARED = "template1";

    private static final String AMCHECK = "amcheck";
    private static final String PG_VISIBILITY = "pg_visibility";

    private final RestoredCopy copy;
    private final List<SqlAssertion> assertions;
    private final CheckTime time;
    private final Progress progress;
    private final Cancellation cancellation;

    private final List<Wrong> wrong = new ArrayList<>();
    private final List<NotEvaluated> gaps = new ArrayList<>();
    private final Map<String, TreeSet<String>> withoutExtension = new LinkedHashMap<>();
    private final List<CheckedRelation> notReached = new ArrayList<>();
    private final List<String> databasesNotReached = new ArrayList<>();
    private int databases;
    private long catalogs;
    private long tables;
    private long indexes;
    private long counted;
    private int asked;
    private boolean answeredAll = true;

    CopyChecks(
            RestoredCopy copy,
            List<SqlAssertion> assertions,
            CheckTime time,
            Progress progress,
            Cancellation cancellation) {
        this.copy = copy;
        this.assertions = assertions;
        this.time = time;
        this.progress = progress;
        this.cancellation = cancellation;
    }

    /** A server that is lost meanwhile is a failure; everything else is in the result. */
    CheckResult run() {
        Map<String, Long> bytes = databases();
        progress.begin(
                "check", bytes.values().stream().mapToLong(Long::longValue).sum(), "bytes");
        assertions.forEach(assertion -> ask(assertion, bytes.containsKey(assertion.database())));
        bytes.keySet().forEach(this::check);
        tellExtensions();
        tellNotReached();
        boolean reachedAll = notReached.isEmpty() && databasesNotReached.isEmpty() && answeredAll;
        return new CheckResult(databases, catalogs, tables, indexes, counted, asked, 0, reachedAll, wrong, gaps);
    }

    /** Those that can be entered, which in the copy are all but the ones that were never made whole; the smallest first. */
    private Map<String, Long> databases() {
        try (CopySession session = CopySession.open(copy, WITH_SHARED, time, cancellation)) {
            for (List<@Nullable String> row : session.rows(
                    "SELECT quote_ident(datname) FROM pg_database WHERE NOT datallowconn AND datconnlimit <> -2")) {
                session.execute("ALTER DATABASE " + row.get(0) + " ALLOW_CONNECTIONS true");
            }
            Map<String, Long> bytes = new LinkedHashMap<>();
            session.rows("SELECT datname, pg_database_size(oid) FROM pg_database WHERE datallowconn ORDER BY 2, 1")
                    .forEach(row -> bytes.put(
                            Objects.requireNonNull(row.get(0)), Long.valueOf(Objects.requireNonNull(row.get(1)))));
            return bytes;
        } catch (SQLException e) {
            cancellation.check();
            throw SqlStates.failure("databases of the copy not listed", e);
        }
    }

    private void ask(SqlAssertion assertion, boolean isThere) {
        String object = assertion.database() + "/" + assertion.shown();
        if (!isThere) {
            wrong.add(new Wrong(
                    "assertion",
                    Severity.ERROR,
                    assertion.database(),
                    object,
                    "there is no such database in the backup: " + assertion.shown()));
            return;
        }
        try (CopySession session = CopySession.open(copy, assertion.database(), time, cancellation)) {
            session.execute("SET search_path = \"$user\", public");
            asked++;
            assertion
                    .contradiction(session.rows(assertion.sql()))
                    .ifPresent(fact ->
                            wrong.add(new Wrong("assertion", Severity.ERROR, assertion.database(), object, fact)));
        } catch (SQLException e) {
            cancellation.check();
            switch (CheckFailure.of(e)) {
                case CONNECTION_LOST -> throw lost(assertion.database(), e);
                case TIME_IS_OVER -> {
                    answeredAll = false;
                    gaps.add(new NotEvaluated(
                            "assertion in " + assertion.database(),
                            "no answer within " + Durations.print(time.limit()) + ": " + assertion.shown(),
                            List.of(RestoreTestReport.KEY + "assertion/" + object)));
                }
                default ->
                    wrong.add(new Wrong(
                            "assertion",
                            Severity.ERROR,
                            assertion.database(),
                            object,
                            "failed with \"" + CheckFailure.message(e) + "\": " + assertion.shown()));
            }
        }
    }

    private void check(String database) {
        if (time.isOver()) {
            databasesNotReached.add(database);
            return;
        }
        progress.note(database);
        try (CopySession session = CopySession.open(copy, database, time, cancellation)) {
            session.execute("SET max_parallel_workers_per_gather = 0; SET jit = off");
            session.disableEventTriggers();
            databases++;
            readCatalogs(session, database);
            Optional<String> amcheck = extension(session, database, AMCHECK);
            Optional<String> visibility = extension(session, database, PG_VISIBILITY);
            for (CheckedRelation relation : CheckedRelation.of(session, database, WITH_SHARED)) {
                if (time.isOver()) {
                    notReached.add(relation);
                } else if (relation.isIndex()) {
                    amcheck.ifPresent(schema -> checkIndex(session, schema, relation));
                } else {
                    checkTable(session, amcheck, visibility, relation);
                }
                progress.advance(relation.bytes());
            }
        } catch (SQLException e) {
            judge("catalog", database, e);
        }
    }

    /** Down to the last of their values, also those that are stored out of line. */
    private void readCatalogs(CopySession session, String database) throws SQLException {
        List<List<@Nullable String>> names = session.rows("""
                SELECT relname FROM pg_class
                 WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r' AND relname <> 'pg_largeobject'
                   AND (NOT relisshared OR current_database() = %s)
                 ORDER BY oid
                """.formatted(Identifiers.literal(WITH_SHARED)));
        for (List<@Nullable String> row : names) {
            String name = Objects.requireNonNull(row.get(0));
            attempt("catalog", database + ".pg_catalog." + name, () -> {
                session.rows("SELECT count(c::text) FROM pg_catalog." + Identifiers.quoted(name) + " c");
                catalogs++;
            });
        }
    }

    private Optional<String> extension(CopySession session, String database, String name) {
        try {
            Optional<String> schema = session.extension(name);
            if (schema.isEmpty()) {
                withoutExtension.computeIfAbsent(name, first -> new TreeSet<>()).add(database);
            }
            return schema;
        } catch (SQLException e) {
            judge(name.equals(AMCHECK) ? "heap" : "visibility", database, e);
            return Optional.empty();
        }
    }

    private void checkIndex(CopySession session, String schema, CheckedRelation index) {
        if (index.sortedOtherwise()) {
            gaps.add(new NotEvaluated(
                    index.toString(),
                    "it is sorted by another version of its collation than this machine has",
                    List.of(RestoreTestReport.KEY + "index/" + index)));
            return;
        }
        reach("index", index, () -> {
            session.rows("SELECT " + schema + ".bt_index_check(" + index.oid() + "::regclass, true)");
            indexes++;
        });
    }

    private void checkTable(
            CopySession session, Optional<String> amcheck, Optional<String> visibility, CheckedRelation table) {
        boolean sound = amcheck.map(schema -> reach("heap", table, () -> {
                    tables++;
                    session.rows("SELECT blkno, offnum, msg, count(*) OVER () FROM " + schema + ".verify_heapam("
                                    + table.oid() + "::regclass, check_toast => true) LIMIT 1")
                            .forEach(row -> wrong.add(Wrong.damage(
                                    "heap",
                                    table.toString(),
                                    "block " + row.get(0) + (row.get(1) == null ? "" : ", line pointer " + row.get(1))
                                            + ": " + row.get(2) + more(row.get(3)))));
                }))
                .orElse(true);
        // A page that cannot be read would only be told once more.
        if (!sound) {
            return;
        }
        visibility.ifPresent(schema -> reach("visibility", table, () -> {
            if (isAsSaid(session, schema + ".pg_check_visible", "all-visible", "not visible to all", table)) {
                isAsSaid(session, schema + ".pg_check_frozen", "all-frozen", "not frozen", table);
            }
        }));
        if (table.countable()) {
            reach("count", table, () -> count(session, table));
        }
    }

    /** Whether the rows are what the visibility map says of their pages. */
    private boolean isAsSaid(CopySession session, String function, String said, String found, CheckedRelation table)
            throws SQLException {
        List<List<@Nullable String>> rows = session.rows(
                "SELECT t_ctid, count(*) OVER () FROM " + function + "(" + table.oid() + "::regclass) LIMIT 1");
        for (List<@Nullable String> row : rows) {
            wrong.add(Wrong.damage(
                    "visibility",
                    table.toString(),
                    row.get(1) + " rows are " + found + " on pages that its visibility map calls " + said
                            + ", the first at " + row.get(0) + ": index-only scans and VACUUM go wrong there"));
        }
        return rows.isEmpty();
    }

    /** An index-only scan believes the visibility map, a sequential one does not. */
    private void count(CopySession session, CheckedRelation table) throws SQLException {
        String count = "SELECT count(*) FROM ONLY " + table.quoted();
        session.execute("SET enable_seqscan = off; SET enable_indexscan = on; SET enable_indexonlyscan = on;"
                + " SET enable_bitmapscan = off");
        boolean isIndexOnly = session.rows("EXPLAIN (COSTS off) " + count).stream()
                .anyMatch(line -> String.valueOf(line.get(0)).contains("Index Only Scan"));
        if (!isIndexOnly) {
            return;
        }
        String byIndex = session.text(count).orElseThrow();
        session.execute("SET enable_seqscan = on; SET enable_indexscan = off; SET enable_indexonlyscan = off");
        String byTable = session.text(count).orElseThrow();
        counted++;
        if (!byIndex.equals(byTable)) {
            wrong.add(Wrong.damage(
                    "count",
                    table.toString(),
                    "a sequential scan counts " + byTable + " rows, an index-only scan " + byIndex));
        }
    }

    private static String more(@Nullable String all) {
        long others = Long.parseLong(Objects.requireNonNull(all)) - 1;
        return others > 0 ? " (and " + others + " more)" : "";
    }

    /** One check that a server does or cannot do. */
    @FunctionalInterface
    private interface Check {
        void run() throws SQLException;
    }

    /** Whether it was done and nothing that it needs was damaged. */
    private boolean attempt(String check, String subject, Check action) {
        try {
            action.run();
            return true;
        } catch (SQLException e) {
            judge(check, subject, e);
            return false;
        }
    }

    /** The same for what may take long. */
    private boolean reach(String check, CheckedRelation relation, Check action) {
        int before = wrong.size();
        try {
            action.run();
            return wrong.size() == before;
        } catch (SQLException e) {
            if (CheckFailure.of(e) == CheckFailure.TIME_IS_OVER && !cancellation.isCancelled()) {
                notReached.add(relation);
            } else {
                judge(check, relation.toString(), e);
            }
            return false;
        }
    }

    private void judge(String check, String subject, SQLException e) {
        cancellation.check();
        switch (CheckFailure.of(e)) {
            case DAMAGE -> wrong.add(Wrong.damage(check, subject, CheckFailure.message(e)));
            case CONNECTION_LOST -> throw lost(subject, e);
            case TIME_IS_OVER, NOT_JUDGED -> {
                answeredAll &= CheckFailure.of(e) != CheckFailure.TIME_IS_OVER;
                gaps.add(new NotEvaluated(
                        subject, CheckFailure.message(e), List.of(RestoreTestReport.KEY + check + "/" + subject)));
            }
        }
    }

    private static RuntimeException lost(String subject, SQLException e) {
        return SqlStates.failure("the copy's server was lost while it looked at " + subject, e);
    }

    private void tellExtensions() {
        withoutExtension.forEach((name, lacking) -> gaps.add(new NotEvaluated(
                name.equals(AMCHECK) ? "pages of tables and indexes" : "visibility maps",
                "extension " + name
                        + " is not installed on this machine: install PostgreSQL's contrib package; databases "
                        + String.join(", ", lacking),
                name.equals(AMCHECK)
                        ? List.of(RestoreTestReport.KEY + "heap/", RestoreTestReport.KEY + "index/")
                        : List.of(RestoreTestReport.KEY + "visibility/"))));
    }

    private void tellNotReached() {
        List<String> keys = List.of(
                RestoreTestReport.KEY + "heap/",
                RestoreTestReport.KEY + "index/",
                RestoreTestReport.KEY + "visibility/",
                RestoreTestReport.KEY + "count/",
                RestoreTestReport.KEY + "catalog/");
        String limit = "not reached within check-limit " + Durations.print(time.limit());
        if (!notReached.isEmpty()) {
            long bytes = notReached.stream().mapToLong(CheckedRelation::bytes).sum();
            long index = notReached.stream().filter(CheckedRelation::isIndex).count();
            gaps.add(new NotEvaluated(
                    RestoreTestReport.count(notReached.size() - index, "table", "tables") + " and "
                            + RestoreTestReport.count(index, "index", "indexes") + ", "
                            + RestoreTestReport.bytes(bytes),
                    limit + ", the first: " + notReached.get(0),
                    keys));
        }
        if (!databasesNotReached.isEmpty()) {
            gaps.add(new NotEvaluated("databases " + String.join(", ", databasesNotReached), limit, keys));
        }
    }
}
