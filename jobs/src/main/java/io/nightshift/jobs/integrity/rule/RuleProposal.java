package io.nightshift.jobs.integrity.rule;

import io.nightshift.infra.damage.CheckFailure;
import io.nightshift.infra.postgres.Identifiers;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.postgres.TableName;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.jobs.integrity.CheckSession;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A first file of rules for a database, from its schema and its statistics. Each rule is so now, of all rows, and says why it is
 * proposed; people decide whether it must be so. No value of a column that looks personal is written.
 */
public final class RuleProposal {

    /** A question that takes longer is not asked to its end. */
    private static final Duration LIMIT = Duration.ofSeconds(10);

    private static final int FEWEST_ROWS = 50;
    private static final int LONGEST_VALUE = 40;

    private static final Pattern AMOUNT = Pattern.compile(
            "amount|price|cost|total|quantity|qty|count|votes|stock|size|bytes|weight|duration|length|percent|pct|share");
    private static final Pattern PERCENT = Pattern.compile("percent|pct");
    private static final Pattern CODE = Pattern.compile("(^|_)(code|slug|sku|number|no|ref|reference|uuid|guid|key)$");
    private static final Pattern BIRTH =
            Pattern.compile("^(created|inserted|occurred|recorded|received|logged|event)(_|$)");
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z_][A-Za-z0-9_.$]*");

    private final CheckSession session;
    private final List<CandidateColumn> columns;
    private final List<String> lines = new ArrayList<>();
    private final Set<String> ids = new HashSet<>();
    private final Set<TableName> slow = new HashSet<>();

    private RuleProposal(CheckSession session, List<CandidateColumn> columns) {
        this.session = session;
        this.columns = columns;
    }

    /**
     * The lines of the file. It only reads, no question longer than ten seconds.
     *
     * @param connection in the database; closed by this
     */
    public static List<String> lines(
            Connection connection, String cluster, String database, Cancellation cancellation) {
        try (CheckSession session = CheckSession.of(connection, cancellation)) {
            session.limit(LIMIT);
            var proposal = new RuleProposal(session, CandidateColumn.read(session));
            return proposal.write(cluster, database);
        } catch (SQLException e) {
            throw SqlStates.failure("rules for database " + database + " of cluster " + cluster + " not proposed", e);
        }
    }

    private List<String> write(String cluster, String database) throws SQLException {
        lines.add(
                "# Proposed by nightshift rules propose, from the schema and its statistics. Each rule is so now; read it before");
        lines.add("# you keep it: is it meant to be so? Values of columns that look personal are not written here.");
        lines.add("cluster: " + yaml(cluster));
        lines.add("database: " + yaml(database));
        lines.add(
                "# They are asked on nodes as a role that reads and can do nothing else: CREATE ROLE rule_reader LOGIN IN ROLE");
        lines.add(
                "# pg_read_all_data. The cluster's own role has REPLICATION: without these two keys only restored copies answer.");
        lines.add("# username: rule_reader");
        lines.add("# password: ${RULES_PASSWORD}");
        int head = lines.size();
        for (CandidateColumn column : columns) {
            if (column.isReadable()) {
                propose(column);
            }
        }
        lines.add(head, ids.isEmpty() ? "rules: {}" : "rules:");
        unseen();
        return List.copyOf(lines);
    }

    private void propose(CandidateColumn column) throws SQLException {
        reference(column);
        if (column.looksPersonal()) {
            shape(column);
            return;
        }
        acceptedValues(column);
        range(column);
        unique(column);
        freshness(column);
    }

    /** What a role without rights, or a table without statistics, keeps from being seen. */
    private void unseen() {
        Map<String, String> tables = new TreeMap<>();
        for (CandidateColumn column : columns) {
            String table = column.table().toString();
            if (!column.isReadable()) {
                tables.put(table, "our role may not read it: GRANT SELECT, or pg_read_all_data");
            } else if (column.distinct() == null && column.rows() == 0) {
                tables.putIfAbsent(table, "it has no statistics: ANALYZE");
            }
        }
        slow.forEach(table -> tables.put(table.toString(), "a question took longer than 10s"));
        tables.forEach((table, why) -> lines.add("# not proposed for " + comment(table) + ": " + why));
    }

    private void reference(CandidateColumn child) throws SQLException {
        if (child.isReference() || child.isKey() || !child.column().endsWith("_id")) {
            return;
        }
        Optional<CandidateColumn> parent = parent(child);
        if (parent.isEmpty()) {
            return;
        }
        CandidateColumn key = parent.get();
        List<@Nullable String> row = ask(
                child,
                "SELECT (SELECT count(" + child.quoted() + ") FROM " + child.from() + "), (SELECT count(*) FROM "
                        + child.from() + " AS c WHERE c." + child.quoted() + " IS NOT NULL AND NOT EXISTS (SELECT FROM "
                        + key.from() + " AS p WHERE p." + key.quoted() + " = c." + child.quoted() + "))");
        if (row == null || "0".equals(row.get(0))) {
            return;
        }
        if (!"0".equals(row.get(1))) {
            lines.add("  # "
                    + comment(child + " names " + key.table() + ", but " + row.get(1) + " of " + row.get(0)
                            + " rows have no parent there: worth a look, and no rule that holds"));
            return;
        }
        rule(
                child,
                "relationship",
                child + " names " + key.table() + ", where each of its values is; no foreign key says so",
                "relationship: {columns: [" + yaml(child.column()) + "], references: "
                        + yaml(key.table().toString()) + ", keys: [" + yaml(key.column()) + "]}");
    }

    /** The key of the table that the column's name means, in its own schema first. */
    private Optional<CandidateColumn> parent(CandidateColumn child) {
        String stem = child.column().substring(0, child.column().length() - "_id".length());
        Set<String> names = Stream.of(
                        stem,
                        stem + "s",
                        stem + "es",
                        stem.endsWith("y") ? stem.substring(0, stem.length() - 1) + "ies" : stem)
                .collect(Collectors.toSet());
        if (stem.equals("parent")) {
            names = Set.of(child.table().name());
        }
        Set<String> wanted = names;
        List<CandidateColumn> found = columns.stream()
                .filter(key -> key.isKey()
                        && key.isReadable()
                        && key.fits(child)
                        && wanted.contains(key.table().name()))
                .toList();
        return found.stream()
                .filter(key ->
                        Objects.equals(key.table().schema(), child.table().schema()))
                .findFirst()
                .or(() -> found.size() == 1 ? Optional.of(found.get(0)) : Optional.empty());
    }

    /** Of a personal column only what all its values look like is written. */
    private void shape(CandidateColumn column) throws SQLException {
        if (!column.column().toLowerCase(Locale.ROOT).contains("mail") || !column.isText() || column.isChecked()) {
            return;
        }
        String expression = sql(column.column()) + "::text ~ '^[^@ ]+@[^@ ]+$'";
        if (holds(column, expression)) {
            rule(
                    column,
                    "shape",
                    column + " looks personal: its values are not shown, and all have the shape x@y",
                    "expression: " + yaml(expression),
                    "masks: [" + yaml(column.column()) + "]");
        }
    }

    private void acceptedValues(CandidateColumn column) throws SQLException {
        List<String> values = column.values();
        boolean few = column.isComplete() && values.size() > 1 && column.rows() >= FEWEST_ROWS;
        boolean writable = values.stream()
                .allMatch(value ->
                        value.length() <= LONGEST_VALUE && value.chars().noneMatch(Character::isISOControl));
        if (!few || !writable || !column.isText() || column.isChecked() || column.isUnique()) {
            return;
        }
        String list = values.stream().map(Identifiers::literal).collect(Collectors.joining(", "));
        if (holds(column, column.quoted() + " IN (" + list + ")")) {
            rule(
                    column,
                    "values",
                    column + " has these " + values.size() + " values in " + RuleResult.number(column.rows()) + " rows",
                    "accepted-values: {column: " + yaml(column.column()) + ", values: ["
                            + values.stream().map(RuleProposal::yaml).collect(Collectors.joining(", ")) + "]}");
        }
    }

    private void range(CandidateColumn column) throws SQLException {
        if (!column.isNumber()
                || column.isKey()
                || column.isReference()
                || column.isChecked()
                || !AMOUNT.matcher(column.column()).find()) {
            return;
        }
        boolean percent = PERCENT.matcher(column.column()).find();
        if (column.rows() >= FEWEST_ROWS
                && holds(column, column.quoted() + " >= 0" + (percent ? " AND " + column.quoted() + " <= 100" : ""))) {
            rule(
                    column,
                    "range",
                    column + (percent ? " is never outside of 0 to 100" : " is never negative"),
                    "range: {column: " + yaml(column.column()) + ", min: 0" + (percent ? ", max: 100" : "") + "}");
        }
    }

    private void unique(CandidateColumn column) throws SQLException {
        Double distinct = column.distinct();
        if (distinct == null
                || distinct != -1
                || column.isUnique()
                || column.rows() < FEWEST_ROWS
                || !CODE.matcher(column.column()).find()) {
            return;
        }
        List<@Nullable String> row = ask(
                column,
                "SELECT count(" + column.quoted() + ") - count(DISTINCT " + column.quoted() + ") FROM "
                        + column.from());
        if (row != null && "0".equals(row.get(0))) {
            rule(
                    column,
                    "unique",
                    column + " is different in each row; no index keeps it so",
                    "unique: [" + yaml(column.column()) + "]");
        }
    }

    private void freshness(CandidateColumn column) throws SQLException {
        if (!column.isTime()
                || column.rows() < FEWEST_ROWS
                || !BIRTH.matcher(column.column()).find()) {
            return;
        }
        List<@Nullable String> row = ask(
                column,
                "SELECT coalesce(max(" + column.quoted()
                        + ")::timestamptz BETWEEN now() - interval '1 day' AND now(), false) FROM " + column.from());
        if (row != null && "t".equals(row.get(0))) {
            rule(
                    column,
                    "fresh",
                    column + ": the newest row is younger than a day",
                    "freshness: " + yaml(column.column()),
                    "warn: {age: 2d}");
        }
    }

    /** Whether it is true, or unknown, of all rows that there are. */
    private boolean holds(CandidateColumn column, String expression) throws SQLException {
        List<@Nullable String> row =
                ask(column, "SELECT count(*) FROM " + column.from() + " WHERE (" + expression + ") IS FALSE");
        return row != null && "0".equals(row.get(0));
    }

    /** Null where there is no answer, or none in time: then nothing is asked of that table any more. */
    private @Nullable List<@Nullable String> ask(CandidateColumn column, String sql) throws SQLException {
        if (slow.contains(column.table())) {
            return null;
        }
        try {
            return session.rows(sql).get(0);
        } catch (SQLException failed) {
            switch (CheckFailure.of(failed)) {
                case TIME_IS_OVER -> slow.add(column.table());
                case CONNECTION_LOST -> throw failed;
                default -> lines.add("  # " + comment(column + ": " + CheckFailure.message(failed)));
            }
            return null;
        }
    }

    private void rule(CandidateColumn column, String kind, String why, String... keys) {
        lines.add("  # " + comment(why));
        lines.add("  " + id(column.table().name() + "-" + column.column() + "-" + kind) + ":");
        lines.add("    table: " + yaml(column.table().toString()));
        Stream.of(keys).forEach(key -> lines.add("    " + key));
    }

    private String id(String text) {
        String word =
                text.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-").replaceAll("^-+|-+$", "");
        String base = word.isEmpty() ? "rule" : word.substring(0, Math.min(word.length(), 58));
        String id = base;
        for (int number = 2; !ids.add(id); number++) {
            id = base + "-" + number;
        }
        return id;
    }

    private static String sql(String column) {
        return new TableName(null, column).toString();
    }

    /** A name may hold a line break. */
    private static String comment(String text) {
        return text.replaceAll("\\p{Cntrl}+", " ");
    }

    private static String yaml(String text) {
        if (PLAIN.matcher(text).matches() && !text.toLowerCase(Locale.ROOT).equals("null")) {
            return text;
        }
        return "'" + text.replace("'", "''").replace("${", "$${") + "'";
    }
}
