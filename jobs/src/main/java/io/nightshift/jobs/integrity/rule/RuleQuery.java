package io.nightshift.jobs.integrity.rule;

import io.nightshift.infra.config.RuleCheck;
import io.nightshift.infra.config.RuleConfig;
import io.nightshift.infra.postgres.Identifiers;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A rule as questions to one database.
 *
 * @param measure returns how many rows fail and how many there are, or the value that is measured
 * @param sample returns some of the rows that fail, one text each; null where there are no rows to show
 */
record RuleQuery(String measure, @Nullable String sample) {

    private static final int LONGEST = 60;

    /** @param referenced the other table of a relationship */
    static RuleQuery of(RuleConfig rule, @Nullable TableFacts table, @Nullable TableFacts referenced) {
        RuleCheck check = rule.check();
        if (check instanceof RuleCheck.FailingRows rows) {
            return ofStatement(rule, withoutEnd(rows.sql()), table);
        }
        return new Builder(rule, Objects.requireNonNull(table)).build(check, referenced);
    }

    private static RuleQuery ofStatement(RuleConfig rule, String sql, @Nullable TableFacts table) {
        String failing = "(" + sql + "\n) AS failing";
        String total = table == null ? "NULL::bigint" : "(SELECT count(*) FROM " + table.sql() + ")";
        return new RuleQuery(
                "SELECT count(*), " + total + " FROM " + failing,
                // Nothing says which of its columns may be shown.
                rule.key().isEmpty()
                        ? null
                        : "SELECT " + shown(rule, "failing.", rule.key()) + " FROM " + failing + " LIMIT "
                                + rule.shown().sample());
    }

    /** Without the semicolon that ends it. */
    static String withoutEnd(String sql) {
        return sql.strip().replaceFirst("[;\\s]+\\z", "");
    }

    /** Names and values of columns, as a person reads them. */
    static String shown(RuleConfig rule, String prefix, List<String> columns) {
        return columns.stream()
                .map(column -> Identifiers.literal(column + " ") + " || "
                        + (rule.isMasked(column) ? masked(prefix, column) : plain(prefix, column)))
                .collect(Collectors.joining(" || ', ' || "));
    }

    private static String plain(String prefix, String column) {
        return "coalesce(left(" + prefix + Identifiers.quoted(column) + "::text, " + LONGEST + "), 'null')";
    }

    /** Its first letter, if there are more. */
    private static String masked(String prefix, String column) {
        String text = prefix + Identifiers.quoted(column) + "::text";
        return "coalesce(CASE WHEN length(" + text + ") > 1 THEN left(" + text + ", 1) ELSE '' END || '***', 'null')";
    }

    /** Of rules that name a table. */
    private record Builder(RuleConfig rule, TableFacts table) {

        RuleQuery build(RuleCheck check, @Nullable TableFacts referenced) {
            if (check instanceof RuleCheck.Expression expression) {
                return ofRows("((" + withoutEnd(expression.sql()) + "\n) IS FALSE)", List.of());
            }
            if (check instanceof RuleCheck.NotNull notNull) {
                // Not IS NULL: the planner believes a constraint NOT NULL and would not look.
                return ofRows("(num_nulls(" + names(notNull.columns()) + ") > 0)", notNull.columns());
            }
            if (check instanceof RuleCheck.AcceptedValues accepted) {
                String values =
                        accepted.values().stream().map(Identifiers::literal).collect(Collectors.joining(", "));
                return ofRows(
                        "(" + Identifiers.quoted(accepted.column()) + " NOT IN (" + values + "))",
                        List.of(accepted.column()));
            }
            if (check instanceof RuleCheck.Range range) {
                String column = Identifiers.quoted(range.column());
                String outside = Stream.of(
                                range.min() == null ? "" : column + " < " + Identifiers.literal(range.min()),
                                range.max() == null ? "" : column + " > " + Identifiers.literal(range.max()))
                        .filter(part -> !part.isEmpty())
                        .collect(Collectors.joining(" OR "));
                return ofRows("(" + outside + ")", List.of(range.column()));
            }
            if (check instanceof RuleCheck.Unique unique) {
                return ofGroups(unique.columns());
            }
            if (check instanceof RuleCheck.Relationship relationship) {
                return ofOrphans(relationship, Objects.requireNonNull(referenced));
            }
            return ofValue(check);
        }

        private String from() {
            return " FROM " + table.sql();
        }

        private String where(String... conditions) {
            List<String> all = new ArrayList<>();
            if (rule.filter() != null) {
                all.add("(" + withoutEnd(rule.filter()) + "\n)");
            }
            all.addAll(List.of(conditions));
            return all.isEmpty() ? "" : " WHERE " + String.join(" AND ", all);
        }

        private String limit() {
            return " LIMIT " + rule.shown().sample();
        }

        private static String names(List<String> columns) {
            return columns.stream().map(Identifiers::quoted).collect(Collectors.joining(", "));
        }

        private RuleQuery ofRows(String failing, List<String> columns) {
            return new RuleQuery(
                    "SELECT count(*) FILTER (WHERE " + failing + "), count(*)" + from() + where(),
                    "SELECT " + identity(columns) + from() + where(failing) + limit());
        }

        /** The key, or where the row lies, and what is wrong with it. */
        private String identity(List<String> columns) {
            List<String> key = rule.key().isEmpty() ? table.primaryKey() : rule.key();
            Set<String> all = new LinkedHashSet<>(key);
            all.addAll(columns);
            String owner = table.hasParts() ? " || ' of ' || tableoid::regclass" : "";
            String place = key.isEmpty() && table.hasPlaces() ? "'row at ' || ctid" + owner : "";
            String values = shown(rule, "", List.copyOf(all));
            return place.isEmpty() && values.isEmpty()
                    ? "''"
                    : Stream.of(place, values)
                            .filter(part -> !part.isEmpty())
                            .collect(Collectors.joining(" || ', ' || "));
        }

        private RuleQuery ofGroups(List<String> columns) {
            String names = names(columns);
            String groups = from() + where("num_nulls(" + names + ") = 0") + " GROUP BY " + names;
            return new RuleQuery(
                    "SELECT coalesce(sum(n) FILTER (WHERE n > 1), 0), coalesce(sum(n), 0) FROM (SELECT count(*) AS n"
                            + groups + ") AS groups",
                    "SELECT " + shown(rule, "", columns) + " || ': ' || count(*) || ' times'" + groups
                            + " HAVING count(*) > 1 ORDER BY count(*) DESC" + limit());
        }

        private RuleQuery ofOrphans(RuleCheck.Relationship relationship, TableFacts referenced) {
            List<String> keys = relationship.keys().isEmpty() ? referenced.primaryKey() : relationship.keys();
            List<String> given = new ArrayList<>();
            List<String> same = new ArrayList<>();
            for (int i = 0; i < keys.size(); i++) {
                String child = table.sql() + "."
                        + Identifiers.quoted(relationship.columns().get(i));
                given.add(child + " IS NOT NULL");
                same.add("referenced." + Identifiers.quoted(keys.get(i)) + " = " + child);
            }
            String orphan = "(" + String.join(" AND ", given) + " AND NOT EXISTS (SELECT FROM " + referenced.sql()
                    + " AS referenced WHERE " + String.join(" AND ", same) + "))";
            return new RuleQuery(
                    "SELECT (SELECT count(*)" + from() + where(orphan) + "), (SELECT count(*)" + from() + where() + ")",
                    "SELECT " + identity(relationship.columns()) + from() + where(orphan) + limit());
        }

        private RuleQuery ofValue(RuleCheck check) {
            if (check instanceof RuleCheck.Freshness freshness) {
                return ofAge(Identifiers.quoted(freshness.column()));
            }
            String value = check instanceof RuleCheck.Aggregate aggregate
                    ? "(" + withoutEnd(aggregate.sql()) + "\n)::numeric"
                    : "count(*)";
            // HAVING refuses what is no aggregate; the limit shows what returns more than one row.
            return new RuleQuery("SELECT " + value + from() + where() + " HAVING true LIMIT 2", null);
        }

        /** A row of tomorrow would be new for ever: it is counted, and not taken for the newest. */
        private RuleQuery ofAge(String column) {
            String soon = " now() + interval '5 minutes'";
            return new RuleQuery(
                    "SELECT extract(epoch FROM clock_timestamp() - (SELECT max(" + column + ")" + from()
                            + where(column + " <=" + soon, column + " > '-infinity'")
                            + ")::timestamptz), (SELECT count(*)" + from() + where(column + " >" + soon) + ")",
                    null);
        }
    }
}
