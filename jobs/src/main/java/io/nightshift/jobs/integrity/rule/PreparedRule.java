package io.nightshift.jobs.integrity.rule;

import io.nightshift.infra.config.RuleCheck;
import io.nightshift.infra.config.RuleConfig;
import io.nightshift.infra.damage.CheckFailure;
import io.nightshift.infra.postgres.OneStatement;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.postgres.TableName;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A rule, held against the schema as it is now.
 *
 * @param query null if there is anything wrong, and for comparisons
 * @param problems everything that keeps it from being asked
 */
record PreparedRule(RuleConfig rule, @Nullable RuleQuery query, List<String> problems) {

    private static final Duration LIMIT = Duration.ofSeconds(10);

    /** The classes of SQLSTATE (PostgreSQL manual, appendix "PostgreSQL Error Codes"). */
    private static final Map<String, String> CONDITIONS = Map.ofEntries(
            Map.entry("08", "connection exception"),
            Map.entry("21", "cardinality violation"),
            Map.entry("22", "data exception"),
            Map.entry("25", "invalid transaction state"),
            Map.entry("28", "invalid authorization"),
            Map.entry("42", "syntax error or access rule violation"),
            Map.entry("53", "insufficient resources"),
            Map.entry("54", "program limit exceeded"),
            Map.entry("55", "object not in prerequisite state"),
            Map.entry("57", "operator intervention"),
            Map.entry("58", "system error"),
            Map.entry("P0", "PL/pgSQL error"),
            Map.entry("XX", "internal error"));

    PreparedRule {
        problems = List.copyOf(problems);
    }

    static @Nullable TableName table(RuleConfig rule) {
        return rule.table() == null ? null : TableName.parse(rule.table()).get(0);
    }

    /** Plans its statements, and asks none. */
    static PreparedRule of(RuleConfig rule, RuleSession session) throws SQLException {
        List<String> problems = new ArrayList<>();
        for (String text : texts(rule)) {
            try {
                OneStatement.require(text);
            } catch (SQLException several) {
                problems.add(String.valueOf(several.getMessage()));
            }
        }
        TableName name = table(rule);
        TableFacts table = name == null ? null : facts(session, name, problems);
        TableFacts referenced = null;
        if (table != null) {
            problems.addAll(table.lacking(columns(rule)));
        }
        if (rule.check() instanceof RuleCheck.Relationship relationship) {
            referenced =
                    facts(session, TableName.parse(relationship.references()).get(0), problems);
            if (referenced != null) {
                problems.addAll(referenced.lacking(relationship.keys()));
                int keys = relationship.keys().isEmpty()
                        ? referenced.primaryKey().size()
                        : relationship.keys().size();
                if (keys != relationship.columns().size()) {
                    problems.add(
                            "the primary key of " + referenced.name() + " has " + keys + " columns, and columns has "
                                    + relationship.columns().size() + "; say which in keys");
                }
            }
        }
        if (!problems.isEmpty() || rule.check() instanceof RuleCheck.Compare) {
            return new PreparedRule(rule, null, problems);
        }
        RuleQuery query = RuleQuery.of(rule, table, referenced);
        explain(query.measure(), rule, session).ifPresent(problems::add);
        if (query.sample() != null && problems.isEmpty()) {
            explain(query.sample(), rule, session).ifPresent(problems::add);
        }
        return new PreparedRule(rule, problems.isEmpty() ? query : null, problems);
    }

    static @Nullable TableFacts facts(RuleSession session, TableName name, List<String> problems) throws SQLException {
        Optional<TableFacts> facts = session.inOneState(LIMIT, null, () -> TableFacts.read(session, name));
        if (facts.isEmpty()) {
            problems.add("table " + name + " does not exist in database " + session.database());
        }
        return facts.orElse(null);
    }

    private static List<String> columns(RuleConfig rule) {
        RuleCheck check = rule.check();
        List<String> columns = new ArrayList<>();
        if (check instanceof RuleCheck.Unique unique) {
            columns.addAll(unique.columns());
        } else if (check instanceof RuleCheck.NotNull notNull) {
            columns.addAll(notNull.columns());
        } else if (check instanceof RuleCheck.AcceptedValues accepted) {
            columns.add(accepted.column());
        } else if (check instanceof RuleCheck.Range range) {
            columns.add(range.column());
        } else if (check instanceof RuleCheck.Relationship relationship) {
            columns.addAll(relationship.columns());
        } else if (check instanceof RuleCheck.Freshness freshness) {
            columns.add(freshness.column());
        } else if (check instanceof RuleCheck.Compare compare) {
            columns.addAll(compare.columns());
            columns.addAll(compare.by());
        }
        if (!(check instanceof RuleCheck.FailingRows)) {
            columns.addAll(rule.key());
            columns.addAll(rule.shown().masks());
        }
        return columns.stream().distinct().toList();
    }

    /** What others have written. */
    private static List<String> texts(RuleConfig rule) {
        List<String> texts = new ArrayList<>();
        if (rule.filter() != null) {
            texts.add(rule.filter());
        }
        if (rule.check() instanceof RuleCheck.FailingRows rows) {
            texts.add(rows.sql());
        } else if (rule.check() instanceof RuleCheck.Expression expression) {
            texts.add(expression.sql());
        } else if (rule.check() instanceof RuleCheck.Aggregate aggregate) {
            texts.add(aggregate.sql());
        } else if (rule.check() instanceof RuleCheck.Compare compare) {
            texts.addAll(compare.measures());
        }
        return texts;
    }

    /** What the server says of it; empty if it can be asked. */
    private static Optional<String> explain(String sql, RuleConfig rule, RuleSession session) throws SQLException {
        try {
            List<List<@Nullable String>> plan =
                    session.inOneState(LIMIT, table(rule), () -> session.rows("EXPLAIN " + sql));
            boolean isBlind = rule.check() instanceof RuleCheck.FailingRows
                    && plan.stream()
                            .anyMatch(
                                    line -> String.valueOf(line.get(0)).strip().equals("One-Time Filter: false"));
            return isBlind
                    ? Optional.of("the planner takes it from constraints that no row can be so, and would not look;"
                            + " write num_nulls(column) > 0 instead of column IS NULL")
                    : Optional.empty();
        } catch (SQLException refused) {
            if (CheckFailure.of(refused) == CheckFailure.CONNECTION_LOST) {
                throw refused;
            }
            return Optional.of(Objects.requireNonNull(message(refused, rule)));
        }
    }

    /** The server's words; in any of them may be a value that is to be masked. */
    static String message(SQLException failure, RuleConfig rule) {
        if (SqlStates.LOCK_NOT_AVAILABLE.equals(failure.getSQLState())) {
            return "it is locked by another session";
        }
        if (rule.shown().masks().isEmpty()) {
            return CheckFailure.message(failure);
        }
        String state = String.valueOf(failure.getSQLState());
        return CONDITIONS.getOrDefault(state.substring(0, Math.min(2, state.length())), "error") + ", SQLSTATE " + state
                + "; the rule has masks, and the server's words may hold what they hide";
    }
}
