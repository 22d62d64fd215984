package io.nightshift.infra.index.plan;

import io.nightshift.infra.index.plan.Clause.Kind;
import io.nightshift.infra.postgres.Identifiers;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the conditions of plans, which PostgreSQL prints with parentheses around every operation, for one of the tables in
 * them. What an ordinary B-tree index does not help with is left out. Remembers what it has read; not thread-safe.
 */
final class ConditionReader {

    private static final Pattern PLAIN = Pattern.compile("[a-z_][a-z0-9_$]*");
    private static final String NAME = "(?:[a-z_][a-z0-9_$]*|\"(?:[^\"]|\"\")+\")";
    private static final Pattern OPERATION = Pattern.compile("(?s) (=|<|<=|>|>=) (ANY )?(.*)");

    private final Pattern mention;
    private final Pattern column;
    private final Map<String, List<Clause>> known = new HashMap<>();
    private final Map<String, Optional<String>> keys = new HashMap<>();

    /** @param alias of the table in the plan */
    ConditionReader(String alias) {
        String shown = PLAIN.matcher(alias).matches() ? alias : Identifiers.quoted(alias);
        String quoted = "(?:" + Pattern.quote(shown) + "|" + Pattern.quote(Identifiers.quoted(alias)) + ")";
        this.mention = Pattern.compile("(?<![\\w\"$.])" + quoted + "\\.(?=[\\w\"*])");
        this.column = Pattern.compile("\\(?" + quoted + "\\.(" + NAME + ")(?:\\)::text)?");
    }

    /** What is asked of the table, each condition by itself. */
    List<Clause> clauses(String condition) {
        return known.computeIfAbsent(
                condition,
                text -> conjuncts(text).stream()
                        .flatMap(one -> clause(one).stream())
                        .toList());
    }

    /** The column or the expression of the table alone that the text is. */
    Optional<String> key(String text) {
        return keys.computeIfAbsent(
                text,
                side -> Optional.of(column.matcher(side))
                        .filter(Matcher::matches)
                        .map(found -> unquoted(found.group(1))));
    }

    boolean mentions(String text) {
        return mention.matcher(text).find();
    }

    /** Names of the table's columns in the text. */
    List<String> columns(String text) {
        List<String> names = new ArrayList<>();
        Matcher found = Pattern.compile(mention.pattern() + "(" + NAME + ")").matcher(text);
        while (found.find()) {
            names.add(unquoted(found.group(1)));
        }
        return names;
    }

    boolean hasWholeRow(String text) {
        return Pattern.compile(mention.pattern() + "\\*").matcher(text).find();
    }

    private static String unquoted(String name) {
        return name.startsWith("\"") ? name.substring(1, name.length() - 1).replace("\"\"", "\"") : name;
    }

    private Optional<Clause> clause(String text) {
        String inner = bare(text);
        if (inner.endsWith(" IS NULL")) {
            return of(Kind.NULL, inner.substring(0, inner.length() - " IS NULL".length()), "", inner);
        }
        if (inner.endsWith(" IS NOT NULL")) {
            return of(Kind.NOT_NULL, inner.substring(0, inner.length() - " IS NOT NULL".length()), "", inner);
        }
        if (inner.startsWith("NOT ")) {
            return key(inner.substring("NOT ".length()))
                    .flatMap(key -> of(Kind.FALSE, inner.substring("NOT ".length()), "", inner));
        }
        if (key(inner).isPresent()) {
            return of(Kind.TRUE, inner, "", inner);
        }
        return comparison(inner);
    }

    private Optional<Clause> comparison(String inner) {
        int place = operator(inner);
        if (place < 0) {
            return Optional.empty();
        }
        String left = inner.substring(0, place);
        Matcher rest = OPERATION.matcher(inner.substring(place));
        if (!rest.matches()) {
            return Optional.empty();
        }
        String operator = rest.group(1);
        String right = rest.group(3);
        boolean isAny = rest.group(2) != null;
        if (isAny) {
            return operator.equals("=") && !mentions(right) ? of(Kind.ANY, left, right, inner) : Optional.empty();
        }
        if (mentions(left) && !mentions(right)) {
            return of(kind(operator), left, right, inner);
        }
        return mentions(right) && !mentions(left) ? of(kind(turned(operator)), right, left, inner) : Optional.empty();
    }

    private static Kind kind(String operator) {
        return switch (operator.charAt(0)) {
            case '=' -> Kind.EQUAL;
            case '>' -> Kind.ABOVE;
            default -> Kind.BELOW;
        };
    }

    private static String turned(String operator) {
        return operator.replace('<', '~').replace('>', '<').replace('~', '>');
    }

    private Optional<Clause> of(Kind kind, String side, String operand, String text) {
        if (!mentions(side)) {
            return Optional.empty();
        }
        Optional<String> key = key(side);
        String sql = "(" + mention.matcher(text).replaceAll("") + ")";
        return Optional.of(new Clause(
                kind, key.orElseGet(() -> mention.matcher(side).replaceAll("")), key.isPresent(), operand, sql));
    }

    /** Where the operator of the outermost operation begins, at its space; -1 if there is none that is ours. */
    private static int operator(String text) {
        int depth = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\'' || c == '"') {
                i = closing(text, i);
            } else if (c == '(' || c == '[') {
                depth++;
            } else if (c == ')' || c == ']') {
                depth--;
            } else if (depth == 0
                    && c == ' '
                    && OPERATION.matcher(text.substring(i)).matches()) {
                return i;
            }
        }
        return -1;
    }

    /** The index of the quote that ends what begins at a quote; a doubled one only seems to. */
    private static int closing(String text, int begin) {
        int end = text.indexOf(text.charAt(begin), begin + 1);
        return end < 0 ? text.length() : end;
    }

    /** What is inside of the outermost parentheses. */
    private static String bare(String text) {
        return text.startsWith("(") && matching(text, 0) == text.length() - 1
                ? text.substring(1, text.length() - 1)
                : text;
    }

    private static int matching(String text, int open) {
        int depth = 0;
        for (int i = open; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\'' || c == '"') {
                i = closing(text, i);
            } else if (c == '(') {
                depth++;
            } else if (c == ')' && --depth == 0) {
                return i;
            }
        }
        return -1;
    }

    static List<String> conjuncts(String condition) {
        String inner = bare(condition);
        List<String> parts = new ArrayList<>();
        int depth = 0;
        int begin = 0;
        for (int i = 0; i < inner.length(); i++) {
            char c = inner.charAt(i);
            if (c == '\'' || c == '"') {
                i = closing(inner, i);
            } else if (c == '(' || c == '[') {
                depth++;
            } else if (c == ')' || c == ']') {
                depth--;
            } else if (depth == 0 && inner.startsWith(" AND ", i)) {
                parts.add(inner.substring(begin, i));
                begin = i + " AND ".length();
            }
        }
        if (parts.isEmpty()) {
            return List.of(condition);
        }
        parts.add(inner.substring(begin));
        return parts;
    }
}
