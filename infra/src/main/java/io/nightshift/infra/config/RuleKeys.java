package io.nightshift.infra.config;

import io.nightshift.infra.config.RuleCheck.AcceptedValues;
import io.nightshift.infra.config.RuleCheck.Compare;
import io.nightshift.infra.config.RuleCheck.Range;
import io.nightshift.infra.config.RuleCheck.Relationship;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The keys of one rule in a file of rules/. */
record RuleKeys(
        @Nullable String description,
        @Nullable String database,
        @Nullable String table,
        @Nullable String failingRows,
        @Nullable String expression,
        @Nullable List<String> unique,
        @Nullable List<String> notNull,
        @Nullable AcceptedValues acceptedValues,
        @Nullable Range range,
        @Nullable Relationship relationship,
        @Nullable Boolean rowCount,
        @Nullable String freshness,
        @Nullable String aggregate,
        @Nullable Compare compare,
        @Nullable String filter,
        List<String> key,
        @Nullable RuleLimit warn,
        @Nullable RuleLimit error,
        int sample,
        List<String> masks,
        RuleConfig.@Nullable Route route,
        Duration timeout,
        RuleConfig.OnTimeout onTimeout,
        @Nullable String owner,
        @Nullable String runbook,
        RuleConfig.@Nullable Suppression suppress) {

    /** One of these says what is looked for. */
    static final List<String> CHECKS = List.of(
            "failing-rows",
            "expression",
            "unique",
            "not-null",
            "accepted-values",
            "range",
            "relationship",
            "row-count",
            "freshness",
            "aggregate",
            "compare");

    private static final int MOST_SHOWN = 100;

    RuleKeys {
        List<String> checks = checks(
                failingRows,
                expression,
                unique,
                notNull,
                acceptedValues,
                range,
                relationship,
                rowCount,
                freshness,
                aggregate,
                compare);
        String check = checks.isEmpty() ? "" : checks.get(0);
        boolean ofValue = List.of("row-count", "aggregate").contains(check);
        boolean ofAge = check.equals("freshness");
        var refusals = new Refusals()
                .when(
                        checks.size() > 1,
                        "it has " + String.join(" and ", checks) + ", which exclude each other; keep one of them")
                .when(
                        table == null && failingRows == null && !checks.isEmpty(),
                        "table is missing; accepted: schema.table")
                .when(unique != null && unique.isEmpty(), "unique is empty; accepted: columns")
                .when(notNull != null && notNull.isEmpty(), "not-null is empty; accepted: columns")
                .when(
                        failingRows != null && key.isEmpty() && !masks.isEmpty(),
                        "masks needs key, which says what of the rows is shown")
                .when(
                        failingRows != null && !key.isEmpty() && !key.containsAll(masks),
                        "masks has columns that key has not; of a statement only its key is shown")
                .when(rowCount != null && !rowCount, "row-count is false; leave it out")
                .when(
                        filter != null && failingRows != null,
                        "filter stands beside failing-rows; write it into the statement")
                .when(filter != null && filter.isBlank(), "filter is empty; leave it out for all rows")
                .when(sample < 0 || sample > MOST_SHOWN, "sample is " + sample + "; accepted: 0 to " + MOST_SHOWN)
                .when(timeout.compareTo(Duration.ofSeconds(1)) < 0, "timeout is shorter than 1s")
                .when(
                        (ofValue || ofAge) && warn == null && error == null,
                        check + " needs a bound; accepted: "
                                + (ofAge ? "error: {age: 26h}" : "error: {value: \"<1\"}"));
        limit(refusals, "warn", warn, check, ofValue, ofAge);
        limit(refusals, "error", error, check, ofValue, ofAge);
        boolean needsTotal = Stream.of(warn, error).anyMatch(limit -> limit != null && limit.pct() != null);
        refusals.when(
                        needsTotal && failingRows != null && table == null,
                        "table is missing, of whose rows pct is a part")
                .throwIfAny();
    }

    private static void limit(
            Refusals refusals, String key, @Nullable RuleLimit limit, String check, boolean ofValue, boolean ofAge) {
        if (limit == null || check.isEmpty()) {
            return;
        }
        String accepted = ofValue ? "value" : ofAge ? "age" : "rows, pct";
        refusals.when(
                (limit.isOfRows() && (ofValue || ofAge))
                        || (limit.value() != null && !ofValue)
                        || (limit.age() != null && !ofAge),
                key + " has " + limit + ", which " + check + " does not measure; accepted: " + accepted);
    }

    private static List<String> checks(@Nullable Object... checks) {
        Map<String, @Nullable Object> byName = new LinkedHashMap<>();
        for (String name : CHECKS) {
            byName.put(name, checks[byName.size()]);
        }
        byName.values().removeIf(Objects::isNull);
        return List.copyOf(byName.keySet());
    }

    static Map<String, Object> defaults() {
        return Map.of(
                "key",
                List.of(),
                "sample",
                5,
                "masks",
                List.of(),
                "timeout",
                Duration.ofMinutes(1),
                "on-timeout",
                RuleConfig.OnTimeout.NOT_EVALUATED);
    }

    /** The rule that they are. */
    RuleConfig rule(String id, String itsDatabase) {
        RuleCheck check = check();
        boolean anyRow = warn == null && error == null;
        return new RuleConfig(
                id,
                description,
                database == null ? itsDatabase : database,
                table,
                check,
                filter,
                key,
                new RuleConfig.Limits(warn, anyRow ? RuleLimit.ANY_ROW : error),
                new RuleConfig.Shown(sample, masks),
                new RuleConfig.Running(route, timeout, onTimeout),
                new RuleConfig.Duty(owner, runbook),
                suppress);
    }

    private RuleCheck check() {
        if (failingRows != null) {
            return new RuleCheck.FailingRows(failingRows);
        }
        if (expression != null) {
            return new RuleCheck.Expression(expression);
        }
        if (unique != null) {
            return new RuleCheck.Unique(unique);
        }
        if (notNull != null) {
            return new RuleCheck.NotNull(notNull);
        }
        if (rowCount != null) {
            return new RuleCheck.RowCount();
        }
        if (freshness != null) {
            return new RuleCheck.Freshness(freshness);
        }
        if (aggregate != null) {
            return new RuleCheck.Aggregate(aggregate);
        }
        return Objects.requireNonNull(Stream.of(acceptedValues, range, relationship, compare)
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null));
    }
}
