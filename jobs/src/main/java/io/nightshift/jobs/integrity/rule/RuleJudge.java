package io.nightshift.jobs.integrity.rule;

import io.nightshift.infra.config.RuleCheck;
import io.nightshift.infra.config.RuleConfig;
import java.math.BigDecimal;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Asks a rule of the rows of one table, or of one statement. */
final class RuleJudge {

    /** The rows that fail and those that there are, or the value; and the sample. */
    private record Answer(List<@Nullable String> measured, List<String> sample) {}

    private final RuleServer server;

    RuleJudge(RuleServer server) {
        this.server = server;
    }

    RuleResult judge(RuleConfig rule) {
        String where = server.toString();
        try {
            PreparedRule prepared = server.prepare(rule);
            RuleQuery query = prepared.query();
            if (query == null) {
                return RuleResult.notEvaluated(rule, String.join("; ", prepared.problems()), where);
            }
            long until = System.nanoTime() + rule.running().timeout().toNanos();
            Answer answer = server.ask(
                    rule, rule.database(), PreparedRule.table(rule), until, session -> answer(session, query, rule));
            return rule.check().isOfValue() ? value(rule, answer, where) : rows(rule, answer, where);
        } catch (Unanswered unanswered) {
            return unanswered.isTooLong()
                    ? RuleResult.tooLong(rule, unanswered.reason(), where)
                    : RuleResult.notEvaluated(rule, unanswered.reason(), where);
        }
    }

    private static Answer answer(RuleSession session, RuleQuery query, RuleConfig rule) throws SQLException {
        List<List<@Nullable String>> rows = session.rows(query.measure());
        if (rows.size() != 1) {
            return new Answer(List.of(), List.of());
        }
        List<@Nullable String> measured = rows.get(0);
        boolean shows = query.sample() != null && rule.shown().sample() > 0 && !"0".equals(measured.get(0));
        return new Answer(
                measured,
                shows
                        ? session.rows(Objects.requireNonNull(query.sample())).stream()
                                .map(row -> String.valueOf(row.get(0)))
                                .toList()
                        : List.of());
    }

    private static RuleResult rows(RuleConfig rule, Answer answer, String where) {
        String total = answer.measured().get(1);
        return RuleResult.ofRows(
                rule,
                Long.parseLong(Objects.requireNonNull(answer.measured().get(0))),
                total == null ? null : Long.valueOf(total),
                "rows",
                answer.sample(),
                where);
    }

    private static RuleResult value(RuleConfig rule, Answer answer, String where) {
        if (answer.measured().isEmpty()) {
            return RuleResult.notEvaluated(rule, "it is no aggregate: it returns none or several rows", where);
        }
        String value = answer.measured().get(0);
        if (rule.check() instanceof RuleCheck.Freshness) {
            return RuleResult.ofAge(
                    rule,
                    value == null
                            ? null
                            : Duration.ofMillis(
                                    new BigDecimal(value).movePointRight(3).longValue()),
                    Long.parseLong(Objects.requireNonNull(answer.measured().get(1))),
                    where);
        }
        if (value == null) {
            return RuleResult.notEvaluated(rule, "the aggregate of no rows is null", where);
        }
        return value.matches("NaN|-?Infinity")
                ? RuleResult.notEvaluated(rule, "the aggregate is " + value, where)
                : RuleResult.ofValue(rule, new BigDecimal(value), where);
    }
}
