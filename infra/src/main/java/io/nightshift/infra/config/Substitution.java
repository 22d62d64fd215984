package io.nightshift.infra.config;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Puts the environment's values in place of {@code ${NAME}} and {@code ${NAME:-default}} (unset or empty, as in a
 * shell). A doubled dollar sign before the brace makes it plain characters. Keys are left alone.
 */
final class Substitution {

    private static final Pattern REFERENCE =
            Pattern.compile("\\$\\$\\{|\\$\\{(?:([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\\})?");

    private final Map<String, String> environment;
    private final Problems problems;

    Substitution(Map<String, String> environment, Problems problems) {
        this.environment = environment;
        this.problems = problems;
    }

    Value.Mapping in(Value.Mapping mapping, String path) {
        var entries = new LinkedHashMap<String, Value.Entry>();
        mapping.entries()
                .forEach((key, entry) -> entries.put(
                        key, new Value.Entry(entry.at(), in(entry.value(), path.isEmpty() ? key : path + "." + key))));
        return new Value.Mapping(mapping.at(), entries);
    }

    private Value in(Value value, String path) {
        if (value instanceof Value.Mapping mapping) {
            return in(mapping, path);
        }
        if (value instanceof Value.Listing listing) {
            return new Value.Listing(
                    listing.at(),
                    listing.elements().stream()
                            .map(element -> in(element, path + "[]"))
                            .toList());
        }
        return value instanceof Value.Text text ? in(text, path) : value;
    }

    private Value in(Value.Text value, String path) {
        var text = new StringBuilder();
        Matcher reference = REFERENCE.matcher(value.text());
        boolean failed = false;
        while (reference.find()) {
            Optional<String> replacement = replacement(reference, value.at(), path);
            failed |= replacement.isEmpty();
            reference.appendReplacement(text, Matcher.quoteReplacement(replacement.orElse("")));
        }
        reference.appendTail(text);
        // A failed value is known to be wrong already: what reads it must not complain again.
        return failed
                ? new Value.Known(value.at(), Unresolved.VALUE)
                : new Value.Text(value.at(), text.toString(), value.written());
    }

    private Optional<String> replacement(Matcher reference, Origin at, String path) {
        if (reference.group().equals("$${")) {
            return Optional.of("${");
        }
        String name = reference.group(1);
        if (name == null) {
            problems.add(
                    at,
                    path,
                    "${ begins a variable; accepted: ${NAME} or ${NAME:-default}, and $${ for the characters");
            return Optional.empty();
        }
        String value = environment.get(name);
        String otherwise = reference.group(3);
        if (otherwise != null && (value == null || value.isEmpty())) {
            return Optional.of(otherwise);
        }
        if (value == null) {
            problems.add(
                    at,
                    path,
                    "environment variable " + name + " is not set" + Nearest.question(name, environment.keySet()));
        }
        return Optional.ofNullable(value);
    }

    /** Stands for a value whose variable is missing. */
    enum Unresolved {
        VALUE
    }
}
