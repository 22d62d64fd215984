package io.nightshift.jobs.indexes;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.index.IndexAdvice;
import io.nightshift.infra.index.IndexForecast;
import io.nightshift.infra.index.plan.GenericPlan.PassedOver;
import io.nightshift.infra.index.plan.PlannedQuery;
import io.nightshift.infra.run.Figure;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.run.Section;
import io.nightshift.infra.workload.KeptPlan;
import io.nightshift.infra.workload.Query;
import io.nightshift.infra.workload.QueryTrend;
import io.nightshift.infra.workload.StatementNight;
import io.nightshift.infra.workload.Workload;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What an operator reads of the queries in the morning: where the time goes, what has changed, and which indexes are missing. */
final class QueryReport {

    private static final int TOP = 10;
    /** Both plans of more queries than these would hide the rest of the report. */
    private static final int PLANS = 5;

    private final Instant at;
    private final List<List<String>> top = new ArrayList<>();
    private final List<List<String>> changed = new ArrayList<>();
    private final List<List<String>> passedOver = new ArrayList<>();
    private final List<String> plans = new ArrayList<>();
    private final List<IndexAdvice> advice = new ArrayList<>();
    private int moreChanges;
    private int nights;
    private long evicted;
    private int planned;

    /** @param at when the plans were made */
    QueryReport(Instant at) {
        this.at = at;
    }

    Instant at() {
        return at;
    }

    void workload(String database, Workload workload, List<StatementNight> counted) {
        nights = workload.nights();
        evicted = workload.evicted();
        List<QueryTrend> trends = QueryTrend.of(workload, counted);
        trends.stream().limit(TOP).forEach(trend -> top.add(row(database, trend)));
        trends.stream()
                .filter(trend -> trend.isNew() || trend.isRegressed() || trend.isGrown())
                .forEach(trend -> changed.add(List.of(
                        database,
                        id(trend.query()),
                        what(trend),
                        milliseconds(trend.former().mean()),
                        milliseconds(trend.recent().mean()),
                        seconds(trend.former().perNight()),
                        seconds(trend.recent().perNight()),
                        trend.query().shortText())));
    }

    private static List<String> row(String database, QueryTrend trend) {
        Query query = trend.query();
        return List.of(
                database,
                id(query),
                query.sharePercent(),
                seconds(query.milliseconds()),
                String.format(Locale.ROOT, "%,d", query.calls()),
                milliseconds(query.mean()),
                query.shortText());
    }

    private static String what(QueryTrend trend) {
        if (trend.isNew()) {
            return "new";
        }
        return trend.isRegressed() ? "slower" : "more of it";
    }

    private static String id(Query query) {
        return Long.toString(query.name().query());
    }

    private static String milliseconds(double milliseconds) {
        return String.format(Locale.ROOT, "%.2f ms", milliseconds);
    }

    private static String seconds(double milliseconds) {
        return String.format(Locale.ROOT, "%.1f s", milliseconds / 1000);
    }

    void passedOver(String database, Query query, PassedOver why) {
        passedOver.add(List.of(
                database,
                id(query),
                query.sharePercent(),
                why.reason() + (why.detail().isEmpty() ? "" : ": " + why.detail()),
                query.shortText()));
    }

    /** @param known of earlier nights, of each query in the order in which they were first seen */
    void plans(String database, List<PlannedQuery> queries, List<KeptPlan> known) {
        planned += queries.size();
        for (PlannedQuery query : queries) {
            known.stream()
                    .filter(plan -> plan.query().equals(query.query().name()))
                    .max((one, other) -> one.last().compareTo(other.last()))
                    .filter(before -> !before.digest().equals(query.plan().digest()))
                    .ifPresent(before -> changedPlan(database, query, before));
        }
    }

    private void changedPlan(String database, PlannedQuery query, KeptPlan before) {
        if (plans.size() == PLANS) {
            moreChanges++;
            return;
        }
        plans.add("query " + id(query.query()) + " of database " + database + ": "
                + query.query().shortText() + "\nuntil " + before.last().truncatedTo(ChronoUnit.SECONDS) + "\n"
                + before.text().indent(2) + "now\n" + query.plan().text().indent(2));
    }

    void advice(List<IndexAdvice> missing) {
        advice.addAll(missing);
    }

    /** The same index is made once, by the advice that was told first. */
    private static IndexAdvice besideForeignKeys(IndexAdvice missing, Set<String> foreignKeys) {
        return foreignKeys.contains(IndexReport.subject(missing))
                ? missing.waiting("the advice for a foreign key with the same columns makes this index")
                : missing;
    }

    void write(RunContext run) {
        Set<String> foreignKeys = run.recall(IndexReport.FOREIGN_KEYS).stream()
                .flatMap(String::lines)
                .collect(Collectors.toSet());
        advice.replaceAll(one -> besideForeignKeys(one, foreignKeys));
        advice.stream().map(IndexReport::finding).forEach(run::report);
        run.measured(new Figure("missing indexes", advice.size(), ""));
        run.measured(new Figure("queries planned", planned, "queries"));
        run.measured(new Figure("queries passed over", passedOver.size(), "queries"));
        if (!advice.isEmpty()) {
            run.section(Section.table(
                    "missing indexes (estimated)",
                    List.of("index", "size", "time saved a night", "to build", "writes a night", "risk", "inputs"),
                    advice.stream().flatMap(QueryReport::missing).toList()));
            run.section(Section.table(
                    "queries that would use them",
                    List.of("index", "query", "of all time", "cost left", "text"),
                    advice.stream().flatMap(QueryReport::users).toList()));
            run.section(Section.text("statements for missing indexes", IndexReport.script(advice)));
        }
        table(
                run,
                "queries by time, " + nights + (nights == 1 ? " night" : " nights")
                        + (evicted == 0
                                ? ""
                                : "; too low, the servers forgot " + evicted + " statements (pg_stat_statements.max)"),
                List.of("database", "query", "of all time", "time", "calls", "mean", "text"),
                top);
        table(
                run,
                "queries that have changed",
                List.of("database", "query", "is", "mean before", "mean now", "a night before", "a night now", "text"),
                changed);
        table(run, "queries not planned", List.of("database", "query", "of all time", "because", "text"), passedOver);
        if (!plans.isEmpty()) {
            run.section(Section.text(
                    "plans that have changed",
                    String.join("\n", plans) + (moreChanges == 0 ? "" : "\nand of " + moreChanges + " more queries")));
        }
        if (!advice.isEmpty()) {
            run.summary(run.recall(IndexReport.SUMMARY).orElse("") + "; " + advice.size() + " missing for queries");
        }
    }

    private static void table(RunContext run, String title, List<String> columns, List<List<String>> rows) {
        if (!rows.isEmpty()) {
            run.section(Section.table(title, columns, rows));
        }
    }

    private static Stream<List<String>> missing(IndexAdvice one) {
        return Stream.ofNullable(one.forecast())
                .map(forecast -> List.of(
                        IndexReport.subject(one),
                        new DataSize(one.bytes()).rounded(),
                        duration(forecast.saved()),
                        duration(forecast.build()),
                        duration(forecast.writing()),
                        one.risk().toString(),
                        forecast.inputs()));
    }

    private static String duration(Duration duration) {
        return String.format(Locale.ROOT, "%.1f s", duration.toMillis() / 1000.0);
    }

    private static Stream<List<String>> users(IndexAdvice one) {
        return Stream.ofNullable(one.forecast())
                .map(IndexForecast::queries)
                .flatMap(List::stream)
                .map(query -> List.of(
                        IndexReport.subject(one),
                        Long.toString(query.query()),
                        String.format(Locale.ROOT, "%.1f %%", query.share() * 100),
                        String.format(Locale.ROOT, "%.0f %%", query.left() * 100),
                        query.text()));
    }
}
