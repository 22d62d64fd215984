package io.nightshift.jobs.integrity.rule;

import io.nightshift.infra.config.RuleCheck;
import io.nightshift.infra.config.RuleConfig;
import io.nightshift.infra.postgres.Identifiers;
import io.nightshift.infra.postgres.TableName;
import java.math.BigDecimal;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The rows of two tables, or aggregates of them. Rows are read in ranges of the primary key and hashed by the servers, with the
 * hash functions of their types (hash_record_extended, 14 on): numbers that are equal are the same however they are written.
 * Each side is seen at a moment of its own, so that only what is different at a second look counts.
 */
final class Comparison {

    private static final int CHUNK = 20_000;
    private static final int MOST_GROUPS = 100_000;

    /** Beyond it differences are counted, and not told row by row. */
    private static final int MOST_ROWS = 10 * CHUNK;

    private static final String HERE = "only here";
    private static final String THERE = "only there";

    /** One of the two tables. */
    private record Side(RuleServer server, String database, TableName name) {

        TableFacts table(List<String> problems) throws Unanswered {
            try {
                TableFacts facts = PreparedRule.facts(server.session(database), name, problems);
                return facts == null ? new TableFacts(name, Map.of(), false, false) : facts;
            } catch (SQLException failed) {
                throw Unanswered.because(String.valueOf(failed.getMessage()));
            }
        }

        @Override
        public String toString() {
            return database + "." + name + " on " + server;
        }
    }

    /** How many rows of a range there are, and the sum of their hashes. */
    private record Digest(long rows, String sum) {}

    private final RuleConfig rule;
    private final RuleCheck.Compare compare;
    private final Side here;
    private final Side there;
    private final long until;
    private final List<String> told = new ArrayList<>();
    private long different;
    private long total;

    Comparison(RuleConfig rule, RuleServer here, RuleServer there) {
        this.rule = rule;
        this.compare = (RuleCheck.Compare) rule.check();
        TableName table = Objects.requireNonNull(PreparedRule.table(rule));
        this.here = new Side(here, rule.database(), table);
        this.there = new Side(
                there,
                compare.database() == null ? rule.database() : compare.database(),
                compare.table() == null
                        ? table
                        : TableName.parse(compare.table()).get(0));
        this.until = System.nanoTime() + rule.running().timeout().toNanos();
    }

    RuleResult judge() {
        String where = here + " and " + there;
        try {
            List<String> problems = new ArrayList<>();
            TableFacts mine = here.table(problems);
            TableFacts other = there.table(problems);
            if (problems.isEmpty()) {
                problems.addAll(problems(mine, other));
            }
            if (!problems.isEmpty()) {
                return RuleResult.notEvaluated(rule, String.join("; ", problems), where);
            }
            if (compare.measures().isEmpty()) {
                compareRows(mine, other);
            } else {
                compareGroups(mine, other);
            }
            return RuleResult.ofRows(
                    rule, different, total, compare.measures().isEmpty() ? "rows" : "groups", told, where);
        } catch (Unanswered unanswered) {
            return unanswered.isTooLong()
                    ? RuleResult.tooLong(rule, unanswered.reason(), where)
                    : RuleResult.notEvaluated(rule, unanswered.reason(), where);
        }
    }

    /** Everything that keeps the two from being compared. */
    List<String> problems() throws Unanswered {
        List<String> problems = new ArrayList<>();
        TableFacts mine = here.table(problems);
        TableFacts other = there.table(problems);
        return problems.isEmpty() ? problems(mine, other) : problems;
    }

    private List<String> problems(TableFacts mine, TableFacts other) throws Unanswered {
        List<String> problems = new ArrayList<>();
        List<String> named = Stream.of(
                        columns(mine), key(mine), compare.by(), rule.shown().masks())
                .flatMap(List::stream)
                .distinct()
                .toList();
        problems.addAll(mine.lacking(named));
        other.lacking(named.stream().filter(mine.columns()::containsKey).toList())
                .forEach(lack -> problems.add(lack + " (" + there + ")"));
        if (!problems.isEmpty()) {
            return problems;
        }
        if (!compare.measures().isEmpty()) {
            explain(here, groups(mine), problems);
            explain(there, groups(other), problems);
            return problems;
        }
        if (key(mine).isEmpty()) {
            problems.add("table " + mine.name() + " has no primary key; say in key what tells its rows apart");
        }
        for (String column : named) {
            TableFacts.Column one = mine.column(column);
            if (!one.isComparable(other.column(column))) {
                problems.add("column " + column + " is " + one.type() + " here and "
                        + other.column(column).type() + " there: their hashes are not comparable");
            }
        }
        String encoding = encoding(here);
        if (!encoding.equals(encoding(there))) {
            problems.add("database " + here.database() + " is encoded as " + encoding + ", and " + there.database()
                    + " as " + encoding(there) + ": the hashes of their texts are not comparable");
        }
        if (problems.isEmpty()) {
            List<String> key = key(mine);
            explain(here, end(mine, key, List.of()), problems);
            explain(here, digest(mine, hashed(mine), range(mine, key, List.of(), List.of())), problems);
            explain(there, digest(other, hashed(mine), range(other, key, List.of(), List.of())), problems);
        }
        return problems;
    }

    private String encoding(Side side) throws Unanswered {
        return String.valueOf(
                ask(side, "SELECT current_setting('server_encoding')").get(0).get(0));
    }

    private void explain(Side side, String sql, List<String> problems) {
        try {
            ask(side, "EXPLAIN " + sql);
        } catch (Unanswered refused) {
            String problem = refused.reason() + " (" + side + ")";
            if (!problems.contains(problem)) {
                problems.add(problem);
            }
        }
    }

    private List<String> key(TableFacts table) {
        return !compare.measures().isEmpty() ? List.of() : rule.key().isEmpty() ? table.primaryKey() : rule.key();
    }

    private List<String> columns(TableFacts table) {
        return !compare.measures().isEmpty()
                ? List.of()
                : compare.columns().isEmpty() ? List.copyOf(table.columns().keySet()) : compare.columns();
    }

    /** What is hashed of a row: with its key, or rows could change places unseen. */
    private List<String> hashed(TableFacts table) {
        return Stream.concat(key(table).stream(), columns(table).stream())
                .distinct()
                .toList();
    }

    private List<List<@Nullable String>> ask(Side side, String sql) throws Unanswered {
        return side.server().ask(rule, side.database(), side.name(), until, session -> session.rows(sql));
    }

    // rows

    private void compareRows(TableFacts mine, TableFacts other) throws Unanswered {
        List<String> key = key(mine);
        List<String> columns = hashed(mine);
        refuseNulls(here, mine, key);
        refuseNulls(there, other, key);
        List<String> low = List.of();
        while (true) {
            List<String> high = high(mine, key, low);
            String inMine = range(mine, key, low, high);
            String inOther = range(other, key, low, high);
            Digest left = digest(here, mine, columns, inMine);
            Digest right = digest(there, other, columns, inOther);
            total += left.rows();
            if (!left.equals(right)) {
                compareRange(mine, other, key, columns, inMine, inOther);
            }
            if (high.isEmpty()) {
                return;
            }
            low = high;
        }
    }

    /** A row with a null in its key lies in no range: it would not be seen. */
    private void refuseNulls(Side side, TableFacts table, List<String> key) throws Unanswered {
        if (key.stream().noneMatch(column -> table.column(column).isNullable())) {
            return;
        }
        String names = key.stream().map(Identifiers::quoted).collect(Collectors.joining(", "));
        String range = range(table, key, List.of(), List.of());
        String rows = " FROM " + table.sql() + range + (range.isEmpty() ? " WHERE " : " AND ") + "num_nulls(" + names
                + ") > 0";
        if ("t".equals(ask(side, "SELECT EXISTS (SELECT" + rows + ")").get(0).get(0))) {
            throw Unanswered.because(
                    "key " + String.join(", ", key) + " is null in rows of " + side + ": it does not tell them apart");
        }
    }

    /** The key at which the next range ends; empty for the last one. */
    private List<String> high(TableFacts table, List<String> key, List<String> low) throws Unanswered {
        List<List<@Nullable String>> row = ask(here, end(table, key, low));
        if (row.isEmpty()) {
            return List.of();
        }
        // Also of a column that cannot hold one: damage can.
        if (row.get(0).contains(null)) {
            throw Unanswered.because("key " + String.join(", ", key) + " is null in rows of " + here);
        }
        return row.get(0).stream().map(Objects::requireNonNull).toList();
    }

    private String end(TableFacts table, List<String> key, List<String> low) {
        return "SELECT " + texts(table, key) + " FROM " + table.sql() + range(table, key, low, List.of()) + " ORDER BY "
                + ordered(table, key) + " OFFSET " + (CHUNK - 1) + " LIMIT 1";
    }

    /** Text is put in order by its bytes: two servers need not agree on anything else. */
    private static String ordered(TableFacts table, List<String> key) {
        return key.stream()
                .map(column -> Identifiers.quoted(column)
                        + (table.column(column).isCollated() ? " COLLATE pg_catalog.\"C\"" : ""))
                .collect(Collectors.joining(", "));
    }

    private static String texts(TableFacts table, List<String> columns) {
        return columns.stream().map(column -> text(table, column)).collect(Collectors.joining(", "));
    }

    /** One text for one value. */
    private static String text(TableFacts table, String column) {
        String quoted = Identifiers.quoted(column);
        return (table.column(column).type().equals("numeric") ? "trim_scale(" + quoted + ")" : quoted) + "::text";
    }

    private String range(TableFacts table, List<String> key, List<String> low, List<String> high) {
        List<String> conditions = new ArrayList<>();
        if (rule.filter() != null) {
            conditions.add("(" + RuleQuery.withoutEnd(rule.filter()) + "\n)");
        }
        String ordered = "(" + ordered(table, key) + ")";
        if (!low.isEmpty()) {
            conditions.add(ordered + " > (" + literals(low) + ")");
        }
        if (!high.isEmpty()) {
            conditions.add(ordered + " <= (" + literals(high) + ")");
        }
        return conditions.isEmpty() ? "" : " WHERE " + String.join(" AND ", conditions);
    }

    private static String literals(List<String> values) {
        return values.stream().map(Identifiers::literal).collect(Collectors.joining(", "));
    }

    private static String hash(TableFacts table, List<String> columns) {
        return "hash_record_extended(ROW("
                + columns.stream()
                        .map(column -> Identifiers.quoted(column)
                                + (table.column(column).hasHash() ? "" : "::text"))
                        .collect(Collectors.joining(", "))
                + "), 0)";
    }

    private Digest digest(Side side, TableFacts table, List<String> columns, String range) throws Unanswered {
        List<@Nullable String> row = ask(side, digest(table, columns, range)).get(0);
        return new Digest(Long.parseLong(Objects.requireNonNull(row.get(0))), Objects.requireNonNull(row.get(1)));
    }

    /**
     * The hash of a row is a sum of those of its columns, so that the sum over rows is the same whichever row has which value:
     * it is hashed once more.
     */
    private static String digest(TableFacts table, List<String> columns, String range) {
        return "SELECT count(*), coalesce(sum(hashint8extended(" + hash(table, columns) + ", 0)), 0) FROM "
                + table.sql() + range;
    }

    private void compareRange(
            TableFacts mine, TableFacts other, List<String> key, List<String> columns, String inMine, String inOther)
            throws Unanswered {
        Map<List<String>, String> first = differences(mine, other, key, columns, inMine, inOther);
        Map<List<String>, String> second =
                first.isEmpty() ? first : differences(mine, other, key, columns, inMine, inOther);
        second.forEach((row, what) -> {
            if (what.equals(first.get(row))) {
                count(row, key, what);
            }
        });
    }

    private void count(List<? extends @Nullable String> row, List<String> names, String what) {
        different++;
        if (what.equals(THERE)) {
            total++;
        }
        if (told.size() < rule.shown().sample()) {
            List<String> shown = new ArrayList<>();
            for (int i = 0; i < names.size(); i++) {
                String value = row.get(i);
                shown.add(names.get(i) + " "
                        + (value == null || !rule.isMasked(names.get(i)) ? String.valueOf(value) : masked(value)));
            }
            told.add(String.join(", ", shown) + (shown.isEmpty() ? "" : ": ") + what);
        }
    }

    private static String masked(String value) {
        return (value.length() > 1 ? value.substring(0, 1) : "") + "***";
    }

    private Map<List<String>, String> differences(
            TableFacts mine, TableFacts other, List<String> key, List<String> columns, String inMine, String inOther)
            throws Unanswered {
        Map<List<String>, String> left = hashes(here, mine, key, columns, inMine);
        Map<List<String>, String> right = hashes(there, other, key, columns, inOther);
        Map<List<String>, String> differences = new LinkedHashMap<>();
        left.forEach((row, hash) -> {
            String its = right.remove(row);
            if (!hash.equals(its)) {
                differences.put(row, its == null ? HERE : "differs");
            }
        });
        right.keySet().forEach(row -> differences.put(row, THERE));
        return differences;
    }

    private Map<List<String>, String> hashes(
            Side side, TableFacts table, List<String> key, List<String> columns, String range) throws Unanswered {
        List<List<@Nullable String>> rows = ask(
                side,
                "SELECT " + hash(table, columns) + ", " + texts(table, key) + " FROM " + table.sql() + range + " LIMIT "
                        + (MOST_ROWS + 1));
        if (rows.size() > MOST_ROWS) {
            throw Unanswered.because("more than " + RuleResult.number(MOST_ROWS) + " rows of " + side + " lie where "
                    + RuleResult.number(CHUNK) + " of " + here + " do");
        }
        Map<List<String>, String> hashes = new LinkedHashMap<>();
        for (List<@Nullable String> row : rows) {
            List<String> values = row.stream().map(String::valueOf).toList();
            if (hashes.put(values.subList(1, values.size()), values.get(0)) != null) {
                throw Unanswered.because(
                        "key " + String.join(", ", key) + " does not tell the rows of " + side + " apart");
            }
        }
        return hashes;
    }

    // groups

    private String groups(TableFacts table) {
        String by = compare.by().stream().map(Identifiers::quoted).collect(Collectors.joining(", "));
        String selected = Stream.concat(
                        compare.by().stream().map(column -> text(table, column)),
                        compare.measures().stream().map(measure -> "(" + RuleQuery.withoutEnd(measure) + "\n)::text"))
                .collect(Collectors.joining(", "));
        return "SELECT " + selected + " FROM " + table.sql()
                + (rule.filter() == null ? "" : " WHERE (" + RuleQuery.withoutEnd(rule.filter()) + "\n)")
                // One row for all, of aggregates only.
                + (by.isEmpty() ? " HAVING true" : " GROUP BY " + by) + " LIMIT " + (MOST_GROUPS + 1);
    }

    private void compareGroups(TableFacts mine, TableFacts other) throws Unanswered {
        Map<List<@Nullable String>, String> first = groupDifferences(mine, other);
        if (first.isEmpty()) {
            return;
        }
        groupDifferences(mine, other).forEach((group, what) -> {
            if (what.equals(first.get(group))) {
                count(group, compare.by(), what);
            }
        });
    }

    private Map<List<@Nullable String>, String> groupDifferences(TableFacts mine, TableFacts other) throws Unanswered {
        Map<List<@Nullable String>, List<@Nullable String>> left = measured(here, mine);
        Map<List<@Nullable String>, List<@Nullable String>> right = measured(there, other);
        total = left.size();
        Map<List<@Nullable String>, String> differences = new LinkedHashMap<>();
        left.forEach((group, values) -> {
            List<@Nullable String> its = right.remove(group);
            if (its == null) {
                differences.put(group, HERE);
            } else if (!normal(values).equals(normal(its))) {
                differences.put(
                        group,
                        rule.shown().masks().isEmpty()
                                ? words(values) + " here and " + words(its) + " there"
                                : "differs");
            }
        });
        right.keySet().forEach(group -> differences.put(group, THERE));
        return differences;
    }

    private static String words(List<@Nullable String> values) {
        return values.stream().map(String::valueOf).collect(Collectors.joining(", "));
    }

    private Map<List<@Nullable String>, List<@Nullable String>> measured(Side side, TableFacts table)
            throws Unanswered {
        List<List<@Nullable String>> rows = ask(side, groups(table));
        if (rows.size() > MOST_GROUPS) {
            throw Unanswered.because("more than " + RuleResult.number(MOST_GROUPS) + " groups; compare rows instead");
        }
        Map<List<@Nullable String>, List<@Nullable String>> measured = new LinkedHashMap<>();
        int size = compare.by().size();
        for (List<@Nullable String> row : rows) {
            if (measured.put(row.subList(0, size), row.subList(size, row.size())) != null) {
                throw Unanswered.because("measures of " + side
                        + " have several rows of one group: they are no aggregates," + " or groups look the same");
            }
        }
        return measured;
    }

    /** A number is the same however it is written. */
    private static List<@Nullable String> normal(List<@Nullable String> values) {
        List<@Nullable String> normal = new ArrayList<>();
        for (String value : values) {
            normal.add(value == null ? null : normal(value));
        }
        return normal;
    }

    /** Not in full: a text such as 1e900000000 would have as many digits. */
    private static String normal(String value) {
        try {
            return new BigDecimal(value).stripTrailingZeros().toString();
        } catch (ArithmeticException | NumberFormatException text) {
            return value;
        }
    }
}
