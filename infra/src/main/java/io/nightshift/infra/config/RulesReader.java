package io.nightshift.infra.config;

import io.nightshift.infra.postgres.TableName;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads the files of rules/, one after another.
 *
 * @param clusters all that have a file
 */
record RulesReader(Collection<String> clusters, Map<String, Origin> known, Problems problems) {

    private static final String RULES = "rules";

    RulesReader(Collection<String> clusters, Problems problems) {
        this(clusters, new HashMap<>(), problems);
    }

    /** What is in a file, and its keys for {@code config show}. */
    record Read(RulesFile file, Rules.OfFile rules) {}

    Optional<Read> read(Document document, Value.Mapping content) {
        int before = problems.count();
        Value.Mapping whole = content.has("cluster")
                ? content
                : content.with("cluster", Value.Text.of(new Origin(content.at().file(), 1), document.name()));
        Optional<RulesFile> file = new RecordBinder(problems).bind(RulesFile.class, whole, "");
        String cluster = whole.get("cluster") instanceof Value.Text text ? text.text() : null;
        if (cluster != null && !clusters.contains(cluster)) {
            problems.add(
                    whole.at("cluster"),
                    "cluster",
                    "unknown cluster " + Value.Text.of(whole.at(), cluster).shown()
                            + Nearest.accepted(cluster, clusters)
                            + (content.has("cluster")
                                    ? ""
                                    : "; the file's name is its cluster unless it says another"));
        }
        if (content.get(RULES) instanceof Value.Mapping rules) {
            rules.entries().keySet().forEach(id -> check(id, cluster, content, rules));
        }
        return problems.count() > before ? Optional.empty() : file.map(keys -> read(document.name(), keys));
    }

    private static Read read(String name, RulesFile keys) {
        List<RuleConfig> rules = keys.rules().entrySet().stream()
                .map(rule -> rule.getValue().rule(rule.getKey(), String.valueOf(keys.database())))
                .toList();
        RuleLogin login = keys.username() == null ? null : new RuleLogin(keys.username(), keys.password());
        return new Read(keys, new Rules.OfFile(name, keys.cluster(), login, rules));
    }

    private void check(String id, @Nullable String cluster, Value.Mapping content, Value.Mapping rules) {
        String path = RULES + "." + id;
        if (!Names.isName(id)) {
            problems.add(rules.at(id), path, "the id is not accepted; " + Names.ACCEPTED);
        }
        Origin first = known.putIfAbsent(cluster + " " + id, rules.at(id));
        if (first != null) {
            problems.add(
                    rules.at(id),
                    path,
                    "cluster " + cluster + " has a rule of this id; first in " + first.file() + ":" + first.line());
        }
        if (!(rules.get(id) instanceof Value.Mapping rule)) {
            return;
        }
        if (!rule.has("database") && !content.has("database")) {
            problems.add(
                    rules.at(id),
                    path + ".database",
                    "missing; accepted: a database, here or for all rules of the file");
        }
        if (rule.entries().keySet().stream().noneMatch(RuleKeys.CHECKS::contains)
                && RecordShape.of(RuleKeys.class)
                        .keys()
                        .containsAll(rule.entries().keySet())) {
            problems.add(
                    rules.at(id),
                    path,
                    "it says nothing to look for; accepted: one of " + String.join(", ", RuleKeys.CHECKS));
        }
        checkTable(rule, "table", path);
        if (rule.get("relationship") instanceof Value.Mapping relationship) {
            checkTable(relationship, "references", path + ".relationship");
        }
        if (rule.get("compare") instanceof Value.Mapping other) {
            checkTable(other, "table", path + ".compare");
            if (other.get("cluster") instanceof Value.Text text && !clusters.contains(text.text())) {
                problems.add(
                        text.at(),
                        path + ".compare.cluster",
                        "unknown cluster " + text.shown() + Nearest.accepted(text.text(), clusters));
            }
        }
    }

    private void checkTable(Value.Mapping keys, String key, String path) {
        if (!(keys.get(key) instanceof Value.Text text)) {
            return;
        }
        try {
            List<TableName> names = TableName.parse(text.text());
            if (names.size() != 1 || names.get(0).schema() == null) {
                problems.add(text.at(), path + "." + key, text.shown() + " is not accepted; accepted: schema.table");
            }
        } catch (IllegalArgumentException refusal) {
            problems.add(text.at(), path + "." + key, String.valueOf(refusal.getMessage()));
        }
    }
}
