package io.nightshift.jobs.integrity.rule;

import io.nightshift.infra.config.RuleConfig;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.run.NotEvaluated;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Section;
import io.nightshift.infra.run.Severity;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

/** What the rules of a run have shown. */
record RuleReport(List<RuleResult> results, LocalDate today) {

    static final String KEY = "integrity/rule/";

    private static final String ON_NODE = "node";
    private static final String ON_COPY = "copy";

    void write(RunContext run) {
        for (RuleResult result : results) {
            if (result.isOfCopy()) {
                // What a node has shown since is not in it.
                run.leftAlone(keys(result) + ON_NODE);
            }
            if (result.figure() != null) {
                run.measured(result.figure());
            }
            switch (result.state()) {
                case NOT_EVALUATED ->
                    run.notEvaluated(new NotEvaluated(
                            "rule " + result.rule().id(),
                            result.reason() + " (" + result.where() + ")",
                            List.of(keys(result))));
                case WARN, FAIL -> run.report(finding(result));
                case PASS -> {
                    // its figure and its line in the table say so
                }
            }
        }
        run.section(Section.table(
                "rules",
                List.of("rule", "state", "measured", "broken from", "where"),
                results.stream().map(this::row).toList()));
    }

    /** In a word for the summary of the run. */
    String summary() {
        long broken = results.stream()
                .filter(result -> result.state() == RuleResult.State.FAIL || result.state() == RuleResult.State.WARN)
                .filter(result -> !isSuppressed(result.rule()))
                .count();
        long judged = results.stream()
                .filter(result -> result.state() != RuleResult.State.NOT_EVALUATED)
                .count();
        return (broken == 0 ? "no rule" : broken + (broken == 1 ? " rule" : " rules")) + " broken, " + judged + " of "
                + results.size() + " asked";
    }

    /** How the keys of its findings begin, and no other rule's. */
    private static String keys(RuleResult result) {
        return KEY + result.rule().id() + "/";
    }

    private static String key(RuleResult result) {
        return keys(result) + (result.isOfCopy() ? ON_COPY : ON_NODE);
    }

    private boolean isSuppressed(RuleConfig rule) {
        RuleConfig.Suppression suppression = rule.suppression();
        return suppression != null && !suppression.isOver(today);
    }

    private List<String> row(RuleResult result) {
        RuleConfig rule = result.rule();
        boolean quiet = isSuppressed(rule)
                && (result.state() == RuleResult.State.FAIL || result.state() == RuleResult.State.WARN);
        return List.of(
                rule.id(),
                quiet
                        ? "suppressed until "
                                + Objects.requireNonNull(rule.suppression()).until()
                        : result.state().toString(),
                result.measured().isEmpty() ? "-" : result.measured(),
                limits(rule.limits()),
                result.where());
    }

    private static String limits(RuleConfig.Limits limits) {
        List<String> words = new ArrayList<>();
        if (limits.warn() != null) {
            words.add("warn " + limits.warn());
        }
        if (limits.error() != null) {
            words.add("error " + limits.error());
        }
        return String.join(", ", words);
    }

    private Finding finding(RuleResult result) {
        RuleConfig rule = result.rule();
        String sample = result.sample().stream().filter(row -> !row.isEmpty()).collect(Collectors.joining("; "));
        StringBuilder detail = new StringBuilder();
        RuleConfig.Suppression suppression = rule.suppression();
        if (isSuppressed(rule)) {
            detail.append("suppressed until ")
                    .append(Objects.requireNonNull(suppression).until())
                    .append(", ")
                    .append(suppression.reason())
                    .append(": ");
        }
        if (rule.description() != null) {
            detail.append(rule.description()).append(": ");
        }
        detail.append(result.measured());
        if (result.broken() != null) {
            detail.append(", broken from ").append(result.broken());
        }
        if (!sample.isEmpty()) {
            detail.append(": ").append(sample);
        }
        detail.append(" (").append(result.where()).append(")");
        if (suppression != null && !isSuppressed(rule)) {
            detail.append("; its suppression ended on ")
                    .append(suppression.until())
                    .append(": ")
                    .append(suppression.reason());
        }
        return new Finding(
                key(result),
                severity(result),
                "rule " + rule.id() + " on " + rule.database() + (rule.table() == null ? "" : "." + rule.table()),
                detail.toString(),
                remedy(rule));
    }

    /** What is suppressed is told, and troubles nobody. */
    private Severity severity(RuleResult result) {
        if (isSuppressed(result.rule())) {
            return Severity.INFO;
        }
        return result.state() == RuleResult.State.FAIL ? Severity.ERROR : Severity.WARNING;
    }

    private static String remedy(RuleConfig rule) {
        String owner = rule.duty().owner();
        String runbook = rule.duty().runbook();
        String what = runbook == null ? "correct these rows, or the rule" : "see " + runbook;
        return owner == null ? what : what + "; owner: " + owner;
    }
}
