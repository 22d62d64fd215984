package io.nightshift.infra.index.plan;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reads the JSON of {@code EXPLAIN}; what is nested too deep is refused. */
final class PlanReader {

    private static final int DEEPEST = 400;

    private static final JsonMapper JSON = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(DEEPEST)
                            .build())
                    .build())
            .build();

    private static final List<String> CONDITIONS = List.of(
            "Filter",
            "Index Cond",
            "Recheck Cond",
            "Hash Cond",
            "Merge Cond",
            "Join Filter",
            "One-Time Filter",
            "Order By");

    private int number;

    /**
     * Reads one plan.
     *
     * @throws IllegalArgumentException if it is none
     */
    static PlanNode read(String json) {
        try {
            JsonNode plan = JSON.readTree(json).path(0).path("Plan");
            if (!plan.isObject()) {
                throw new IllegalArgumentException("no plan in " + json.substring(0, Math.min(40, json.length())));
            }
            return new PlanReader().node(plan);
        } catch (JacksonException tooDeepOrTorn) {
            throw new IllegalArgumentException(tooDeepOrTorn.getOriginalMessage(), tooDeepOrTorn);
        }
    }

    private PlanNode node(JsonNode json) {
        int own = number++;
        Map<String, String> conditions = new LinkedHashMap<>();
        CONDITIONS.stream()
                .filter(json::has)
                .forEach(name -> conditions.put(name, json.path(name).asString("")));
        List<PlanNode> children = new ArrayList<>();
        json.path("Plans").forEach(child -> children.add(node(child)));
        return new PlanNode(
                own,
                json.path("Node Type").asString(""),
                json.path("Parent Relationship").asString(""),
                json.has("Join Type")
                        ? json.path("Join Type").asString("")
                        : json.path("Operation").asString(""),
                relation(json),
                json.has("Index Name") ? json.path("Index Name").asString("") : null,
                new PlanNode.Estimate(
                        json.path("Startup Cost").asDouble(0),
                        json.path("Total Cost").asDouble(0),
                        json.path("Plan Rows").asDouble(0)),
                conditions,
                texts(json.path("Sort Key")),
                texts(json.path("Output")),
                children);
    }

    private static PlanNode.@Nullable Relation relation(JsonNode json) {
        return json.has("Relation Name")
                ? new PlanNode.Relation(
                        json.path("Schema").asString(""),
                        json.path("Relation Name").asString(""),
                        json.path("Alias").asString(""))
                : null;
    }

    private static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(element -> texts.add(element.asString("")));
        return texts;
    }
}
