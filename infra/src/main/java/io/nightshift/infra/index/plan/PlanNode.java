package io.nightshift.infra.index.plan;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A node of a plan, as {@code EXPLAIN (VERBOSE, FORMAT JSON)} describes it (PostgreSQL manual, "EXPLAIN").
 *
 * @param number of the node in its plan, from the top
 * @param role what it is to its parent, such as {@code Outer}, {@code Inner} or {@code SubPlan}
 * @param kind of a join {@code Inner}, {@code Left} and so on; of a change of rows {@code Insert} and so on; else empty
 * @param relation what it scans or changes; null of others
 * @param index which index it scans; null of others
 * @param conditions by what EXPLAIN calls them, such as {@code Filter}
 */
public record PlanNode(
        int number,
        String type,
        String role,
        String kind,
        @Nullable Relation relation,
        @Nullable String index,
        Estimate estimate,
        Map<String, String> conditions,
        List<String> sortKeys,
        List<String> output,
        List<PlanNode> children) {

    /**
     * A table of the plan.
     *
     * @param alias the name that it has in the plan
     */
    public record Relation(String schema, String name, String alias) {}

    /** What the planner expects, in its units of cost. */
    public record Estimate(double startup, double total, double rows) {}

    /** Names, types and the numbers of unknown constants are group 1, and stay. */
    private static final Pattern NAME_OR_CONSTANT = Pattern.compile(
            "(\"(?:[^\"]|\"\")*+\"|[\\p{L}_$][\\p{L}\\p{N}_$]*+)|'(?:[^']|'')*+'|\\p{N}+(?:\\.\\p{N}+)?(?:e[-+]?\\p{N}+)?");

    public PlanNode {
        conditions = Map.copyOf(conditions);
        sortKeys = List.copyOf(sortKeys);
        output = List.copyOf(output);
        children = List.copyOf(children);
    }

    boolean isScan() {
        return relation != null && type.endsWith("Scan") && !type.equals("Bitmap Index Scan");
    }

    Stream<PlanNode> tree() {
        return Stream.concat(Stream.of(this), children.stream().flatMap(PlanNode::tree));
    }

    /** Names what it does and to what, without costs and constants: plans that work alike have the same. */
    public String digest() {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(shape().getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private String shape() {
        return title() + children.stream().map(PlanNode::shape).toList();
    }

    private String title() {
        String title = kind.isEmpty() || kind.equals("Inner") ? type : type + " (" + kind + ")";
        String used = index == null ? title : title + " using " + index;
        return relation == null ? used : used + " on " + relation.schema() + "." + relation.name();
    }

    /**
     * As {@code EXPLAIN} prints it for people, without constants: those of the query are not known, and what a function or the
     * definition of a view has put in their place may be private.
     */
    public String text() {
        List<String> lines = new ArrayList<>();
        write("", lines);
        return String.join("\n", lines);
    }

    private void write(String indent, List<String> lines) {
        lines.add(String.format(
                Locale.ROOT, "%s%s  (cost=%.2f rows=%.0f)", indent, title(), estimate.total(), estimate.rows()));
        if (!sortKeys.isEmpty()) {
            lines.add(indent + "  Sort Key: " + withoutConstants(String.join(", ", sortKeys)));
        }
        conditions.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .forEach(condition ->
                        lines.add(indent + "  " + condition.getKey() + ": " + withoutConstants(condition.getValue())));
        children.forEach(child -> child.write(indent + "    ", lines));
    }

    private static String withoutConstants(String condition) {
        return NAME_OR_CONSTANT
                .matcher(condition)
                .replaceAll(found -> found.group(1) == null ? "…" : Matcher.quoteReplacement(found.group()));
    }
}
