package io.nightshift.jobs.integrity.rule;

import io.nightshift.infra.config.RuleConfig;
import io.nightshift.infra.config.RuleLimit;
import io.nightshift.infra.run.Figure;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What came of a rule.
 *
 * @param measured in words; empty if nothing was
 * @param figure what was measured, also of a rule that passes; null if nothing was
 * @param broken the limit that it is beyond; null if there is none
 * @param sample some of what fails
 * @param reason why it was not evaluated; empty if it was
 * @param where it was asked
 * @param isOfCopy whether that is a restored copy, which is as old as its backup
 */
record RuleResult(
        RuleConfig rule,
        State state,
        String measured,
        @Nullable Figure figure,
        @Nullable RuleLimit broken,
        List<String> sample,
        String reason,
        String where,
        boolean isOfCopy) {

    private static final BigDecimal HUNDRED = BigDecimal.valueOf(100);

    enum State {
        PASS,
        WARN,
        FAIL,
        NOT_EVALUATED;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', ' ');
        }
    }

    RuleResult {
        sample = List.copyOf(sample);
    }

    static RuleResult notEvaluated(RuleConfig rule, String reason, String where) {
        return new RuleResult(rule, State.NOT_EVALUATED, "", null, null, List.of(), reason, where, false);
    }

    private RuleResult in(State other) {
        return new RuleResult(rule, other, measured, figure, broken, sample, reason, where, isOfCopy);
    }

    /** The same, asked of a restored copy or not. */
    RuleResult ofCopy(boolean copy) {
        return new RuleResult(rule, state, measured, figure, broken, sample, reason, where, copy);
    }

    /** What is said of an answer that took too long. */
    static RuleResult tooLong(RuleConfig rule, String reason, String where) {
        return rule.running().onTimeout() == RuleConfig.OnTimeout.ERROR
                ? new RuleResult(rule, State.FAIL, reason, null, null, List.of(), "", where, false)
                : notEvaluated(rule, reason, where);
    }

    /**
     * Of rows.
     *
     * @param total null if nobody asked
     * @param what is counted: rows, groups
     */
    static RuleResult ofRows(
            RuleConfig rule, long failing, @Nullable Long total, String what, List<String> sample, String where) {
        BigDecimal part = BigDecimal.valueOf(failing).multiply(HUNDRED);
        // Of no rows all fail, if any does.
        BigDecimal whole = BigDecimal.valueOf(total == null || total == 0 ? Math.max(1, failing) : total);
        BigDecimal share = part.divide(whole, 6, RoundingMode.HALF_UP);
        String measured = total == null
                ? number(failing) + " " + (failing == 1 ? what.substring(0, what.length() - 1) : what)
                : number(failing) + " of " + number(total) + " " + what
                        + (failing == 0 ? "" : String.format(Locale.ROOT, " (%.3g %%)", share));
        return judged(
                rule,
                measured,
                new Figure(figure(rule), failing, what),
                limit -> (limit.rows() != null && limit.rows().holds(BigDecimal.valueOf(failing)))
                        || (limit.pct() != null && limit.pct().holdsOfShare(part, whole)),
                sample,
                where);
    }

    static RuleResult ofValue(RuleConfig rule, BigDecimal value, String where) {
        return judged(
                rule,
                value.stripTrailingZeros().toPlainString(),
                new Figure(figure(rule), value, ""),
                limit -> limit.value() != null && limit.value().holds(value),
                List.of(),
                where);
    }

    /**
     * Of the newest row.
     *
     * @param age null of a table without rows: older than anything
     * @param ahead how many rows lie in the future: they say nothing of what has come, and something of who wrote them
     */
    static RuleResult ofAge(RuleConfig rule, @Nullable Duration age, long ahead, String where) {
        String measured = age == null
                ? "no rows"
                : "newest row " + (age.isNegative() ? words(age.negated()) + " in the future" : words(age) + " old");
        RuleResult result = judged(
                rule,
                ahead == 0
                        ? measured
                        : measured + ", without " + number(ahead) + (ahead == 1 ? " row" : " rows") + " in the future",
                age == null ? null : new Figure(figure(rule), age.toMillis() / 1000.0, "s"),
                limit -> limit.age() != null && (age == null || age.compareTo(limit.age()) > 0),
                List.of(),
                where);
        return ahead > 0 && result.state == State.PASS ? result.in(State.WARN) : result;
    }

    private static RuleResult judged(
            RuleConfig rule,
            String measured,
            @Nullable Figure figure,
            Predicate<RuleLimit> isBeyond,
            List<String> sample,
            String where) {
        RuleLimit error = rule.limits().error();
        RuleLimit warn = rule.limits().warn();
        if (error != null && isBeyond.test(error)) {
            return new RuleResult(rule, State.FAIL, measured, figure, error, sample, "", where, false);
        }
        if (warn != null && isBeyond.test(warn)) {
            return new RuleResult(rule, State.WARN, measured, figure, warn, sample, "", where, false);
        }
        return new RuleResult(rule, State.PASS, measured, figure, null, sample, "", where, false);
    }

    private static String figure(RuleConfig rule) {
        return "rule " + rule.id();
    }

    static String number(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    private static String words(Duration age) {
        if (age.toDays() > 1) {
            return age.toDays() + " d " + age.toHoursPart() + " h";
        }
        return age.toHours() > 0
                ? age.toHours() + " h " + age.toMinutesPart() + " min"
                : age.toMinutes() > 0 ? age.toMinutes() + " min" : age.toSeconds() + " s";
    }
}
