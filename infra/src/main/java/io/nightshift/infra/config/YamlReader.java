package io.nightshift.infra.config;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.composer.Composer;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.parser.ParserImpl;
import org.yaml.snakeyaml.reader.ReaderException;
import org.yaml.snakeyaml.reader.StreamReader;
import org.yaml.snakeyaml.resolver.Resolver;

/**
 * Reads the text of one YAML 1.1 document into values with their places. Objects are never constructed. Messages quote
 * nothing but keys, because a wrongly quoted password can end up anywhere in an error of the parser.
 */
final class YamlReader {

    /** Enough for any configuration; stops a few aliases of aliases from filling the memory. */
    private static final int MOST_VALUES = 20_000;

    private static final Set<Tag> PLAIN_TAGS =
            Set.of(Tag.STR, Tag.INT, Tag.FLOAT, Tag.BOOL, Tag.NULL, Tag.TIMESTAMP, Tag.MERGE, Tag.SEQ, Tag.MAP);

    private final String file;
    private final Problems problems;
    private final Set<Node> open = Collections.newSetFromMap(new IdentityHashMap<>());
    private int values;

    private YamlReader(String file, Problems problems) {
        this.file = file;
        this.problems = problems;
    }

    /** The map that the document is; empty when it is not one, which is then among the problems. */
    static Optional<Value.Mapping> document(String file, String text, Problems problems) {
        int before = problems.count();
        Value value = new YamlReader(file, problems).read(text);
        boolean told = problems.count() > before;
        if (told && !(value instanceof Value.Mapping)) {
            return Optional.empty();
        }
        if (value == null || value instanceof Value.Nothing) {
            problems.add(new Origin(file, 1), "", "the file is empty; write its keys, or remove it");
            return Optional.empty();
        }
        if (!(value instanceof Value.Mapping mapping)) {
            problems.add(value.at(), "", "the file is not a map; accepted: lines of the form \"key: value\"");
            return Optional.empty();
        }
        return Optional.of(mapping);
    }

    /** A list or map written as the value of an override, such as {@code [a, b]}. */
    static Optional<Value> flow(String key, String text, Problems problems) {
        var own = new Problems();
        Value value = new YamlReader(Origin.OVERRIDE.file(), own).read(text);
        own.sorted().forEach(problem -> problems.add(Origin.OVERRIDE, key, problem.fact()));
        return own.count() > 0 ? Optional.empty() : Optional.ofNullable(value);
    }

    private @Nullable Value read(String text) {
        var options = new LoaderOptions();
        try {
            Node root = new Composer(new ParserImpl(new StreamReader(text), options), new Resolver(), options)
                    .getSingleNode();
            return root == null ? null : convert(root, "");
        } catch (MarkedYAMLException unparsable) {
            problems.add(place(unparsable.getProblemMark()), "", explain(String.valueOf(unparsable.getProblem())));
        } catch (ReaderException unprintable) {
            problems.add(
                    new Origin(file, lineOf(text, unprintable.getPosition())),
                    "",
                    String.format(
                            "not readable as YAML: the character U+%04X is not accepted", unprintable.getCodePoint()));
        } catch (YAMLException other) {
            problems.add(new Origin(file, 1), "", explain(String.valueOf(other.getMessage())));
        } catch (TooMuch tooMuch) {
            problems.add(new Origin(file, 1), "", "aliases blow the file up to more than " + MOST_VALUES + " values");
        }
        return null;
    }

    private static String explain(String problem) {
        if (problem.contains("(TAB)")) {
            return "not readable as YAML: a tab is not accepted here; indent with spaces";
        }
        if (problem.contains("undefined alias")) {
            return "an alias (*) without its anchor (&); quote a value that begins with *";
        }
        if (problem.contains("Number of aliases")) {
            return "more than 50 aliases of lists and maps are not accepted";
        }
        if (problem.contains("expected a single document") || problem.contains("but found another document")) {
            return "a second document (---) is not accepted; one file holds one map";
        }
        if (problem.contains("tag")) {
            return "not readable as YAML: a wrong tag; quote a value that begins with !";
        }
        return "not readable as YAML: "
                + Stream.of("expected <block end>", "could not find expected ':'", "mapping values are not allowed")
                        .filter(problem::contains)
                        .findFirst()
                        .map(YamlReader::known)
                        .orElse(problem.lines().findFirst().orElse(""));
    }

    private static String known(String problem) {
        return switch (problem) {
            case "expected <block end>" -> "the indentation differs from the lines above, or a quote is not closed";
            case "could not find expected ':'" -> "a colon is missing after a key";
            default -> "a second colon in the line; quote a value that holds \": \"";
        };
    }

    private Value convert(Node node, String path) {
        Origin at = place(node.getStartMark());
        if (++values > MOST_VALUES) {
            throw new TooMuch();
        }
        if (!PLAIN_TAGS.contains(node.getTag())) {
            problems.add(at, path, "tags (!) are not accepted; quote a value that begins with !");
            return new Value.Known(at, Substitution.Unresolved.VALUE);
        }
        if (!open.add(node)) {
            problems.add(at, path, "an alias (*) within its own anchor (&) has no end");
            return new Value.Known(at, Substitution.Unresolved.VALUE);
        }
        try {
            if (node instanceof MappingNode map) {
                return mapping(map, at, path);
            }
            if (node instanceof SequenceNode list) {
                return listing(list, at, path);
            }
            return scalar((ScalarNode) node, at);
        } finally {
            open.remove(node);
        }
    }

    private static Value scalar(ScalarNode node, Origin at) {
        boolean nothing = node.getTag().equals(Tag.NULL);
        return nothing ? new Value.Nothing(at, !node.getValue().isEmpty()) : Value.Text.of(at, node.getValue());
    }

    private Value listing(SequenceNode node, Origin at, String path) {
        var elements = new ArrayList<Value>();
        for (Node element : node.getValue()) {
            elements.add(convert(element, path + "[" + elements.size() + "]"));
        }
        return new Value.Listing(at, elements);
    }

    private Value mapping(MappingNode node, Origin at, String path) {
        Map<String, Value.Entry> own = new LinkedHashMap<>();
        Map<String, Value.Entry> merged = new LinkedHashMap<>();
        for (NodeTuple tuple : node.getValue()) {
            Node key = tuple.getKeyNode();
            Origin keyAt = place(key.getStartMark());
            if (key.getTag().equals(Tag.MERGE)) {
                merge(convert(tuple.getValueNode(), path), keyAt, path, merged);
            } else if (!(key instanceof ScalarNode name) || !PLAIN_TAGS.contains(key.getTag())) {
                problems.add(keyAt, path, "a list, map or tag as a key is not accepted; accepted: a word");
            } else {
                add(name.getValue(), keyAt, tuple.getValueNode(), path, own);
            }
        }
        merged.forEach(own::putIfAbsent);
        return new Value.Mapping(at, own);
    }

    private void add(String key, Origin at, Node value, String path, Map<String, Value.Entry> own) {
        String keyPath = path.isEmpty() ? key : path + "." + key;
        Value.Entry earlier = own.get(key);
        if (earlier != null) {
            problems.add(
                    at, keyPath, "written twice; first on line " + earlier.at().line());
            return;
        }
        own.put(key, new Value.Entry(at, convert(value, keyPath)));
    }

    /** YAML's merge key: of several maps the first one that has a key counts, and the map's own keys come before all. */
    private void merge(Value value, Origin at, String path, Map<String, Value.Entry> merged) {
        List<Value> maps = value instanceof Value.Listing several ? several.elements() : List.of(value);
        for (Value each : maps) {
            if (each instanceof Value.Mapping map) {
                map.entries().forEach(merged::putIfAbsent);
            } else if (!(each instanceof Value.Known)) {
                problems.add(at, path, "<<: " + each.words() + " is not accepted; accepted: an alias of a map");
            }
        }
    }

    private Origin place(@Nullable Mark mark) {
        return new Origin(file, mark == null ? 1 : mark.getLine() + 1);
    }

    private static int lineOf(String text, int position) {
        int end = Math.max(0, Math.min(position, text.length()));
        return 1 + (int) text.substring(0, end).chars().filter(c -> c == '\n').count();
    }

    private static final class TooMuch extends RuntimeException {}
}
