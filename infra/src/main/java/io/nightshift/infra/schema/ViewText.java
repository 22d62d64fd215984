package io.nightshift.infra.schema;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A view's query as PostgreSQL prints it. Up to 15 it writes the table before each column, from 16 on not where a query has
 * only one table: where its columns can be of no other, they are written without it. But both write it where a query sorts by a
 * column and shows another one under its name, since there the name alone means the one that is shown.
 */
final class ViewText {

    private static final Pattern NAME =
            Pattern.compile("\"[^\"]*+(?:\"\"[^\"]*+)*+\"|[A-Za-z_\\x80-\\uffff][A-Za-z0-9_$\\x80-\\uffff]*");
    private static final Pattern END_OF_FROM =
            Pattern.compile("WHERE|GROUP|HAVING|WINDOW|ORDER|LIMIT|OFFSET|FETCH|FOR|UNION|INTERSECT|EXCEPT");
    private static final Pattern END_OF_SORTED = Pattern.compile(
            "\\s*(?:[,);]|$|(?:ASC|DESC|NULLS|USING|LIMIT|OFFSET|FETCH|FOR|ORDER|ROWS|RANGE|GROUPS)\\b)");
    private static final Set<String> SORTING = Set.of("ORDER", "PARTITION");
    private static final Pattern QUERY = Pattern.compile("\\s*(?:SELECT|WITH|VALUES)\\b");

    private static final String DISTINCT_ON = "DISTINCT ON ";

    /** A place in the text, and what it stands in. */
    private static final class Walk {

        private final String text;
        private final Deque<Boolean> queries = new ArrayDeque<>();
        private final Deque<Boolean> sorting = new ArrayDeque<>(List.of(false));
        private int inner;
        private int at;
        private String last = "";
        private boolean isBehindName;
        private boolean beginsItem;

        Walk(String text, int begin) {
            this.text = text;
            this.at = begin;
        }

        boolean ends() {
            return at >= text.length();
        }

        boolean isOutside() {
            return queries.isEmpty();
        }

        boolean isInOuterQuery() {
            return inner == 0;
        }

        /** Whether it was at a column by which is sorted, and at nothing more than that. */
        boolean wasSorted(int end) {
            return beginsItem
                    && Boolean.TRUE.equals(sorting.peek())
                    && END_OF_SORTED.matcher(text).region(end, text.length()).lookingAt();
        }

        /** Steps over a name, a string or one character; returns the name. */
        @Nullable
        String step() {
            char next = text.charAt(at);
            if (!Character.isWhitespace(next)) {
                beginsItem = !isBehindName;
                isBehindName = next != ',' && next != '(';
            }
            if (next == '\'') {
                at++;
                while (at < text.length() && text.charAt(at) != '\'') {
                    at++;
                }
                at++;
                return null;
            }
            Matcher name = NAME.matcher(text).region(at, text.length());
            if (name.lookingAt()) {
                at = name.end();
                String word = name.group();
                if (word.equals("BY")) {
                    sorting.pop();
                    sorting.push(SORTING.contains(last));
                    isBehindName = false;
                }
                last = word;
                return word;
            }
            if (next == '(') {
                sorting.push(text.startsWith(DISTINCT_ON, at - DISTINCT_ON.length()));
                boolean query =
                        QUERY.matcher(text).region(at + 1, text.length()).lookingAt();
                queries.push(query);
                inner += query ? 1 : 0;
            } else if (next == ')' && !queries.isEmpty()) {
                inner -= queries.pop() ? 1 : 0;
                sorting.pop();
            }
            at++;
            return null;
        }
    }

    private ViewText() {}

    static String canonical(String definition) {
        return canonical(definition, true);
    }

    /** What the first format of stored schemas has, with another meaning where {@link #isAmbiguous} says so. */
    static String canonicalOfFirstFormat(String definition) {
        return canonical(definition, false);
    }

    private static String canonical(String definition, boolean withAllSorted) {
        int begin = -1;
        int end = -1;
        String last = "";
        for (Walk walk = new Walk(definition, 0); !walk.ends(); ) {
            boolean outside = walk.isOutside();
            int from = walk.at;
            String word = walk.step();
            if (!outside) {
                continue;
            }
            boolean isOfFunctions = "ROWS".equals(last);
            last = word == null ? last : word;
            if ("FROM".equals(word) && !isOfFunctions) {
                if (begin >= 0) {
                    return definition; // of several queries each has its tables
                }
                begin = walk.at;
            } else if (begin >= 0
                    && end < 0
                    && (definition.charAt(from) == ';'
                            || (word != null && END_OF_FROM.matcher(word).matches()))) {
                end = from;
            }
        }
        if (begin < 0) {
            return definition;
        }
        String alias = onlyTable(
                definition.substring(begin, end < 0 ? definition.length() : end).strip());
        return alias == null
                ? definition
                : without(
                        alias,
                        definition,
                        begin,
                        end < 0 ? definition.length() : end,
                        withAllSorted ? shown(definition.substring(0, begin)) : Set.of());
    }

    /** Whether it sorts by a name that may mean what it shows and what it reads, as no server prints it. */
    static boolean isAmbiguous(String definition) {
        Set<String> shown = shown(definition);
        for (Walk walk = new Walk(definition, 0); !walk.ends(); ) {
            String word = walk.step();
            if (word != null && shown.contains(word) && walk.wasSorted(walk.at)) {
                return true;
            }
        }
        return false;
    }

    /** The columns that it shows under names that are not their own. */
    private static Set<String> shown(String definition) {
        Set<String> shown = new HashSet<>();
        String last = null;
        for (Walk walk = new Walk(definition, 0); !walk.ends(); ) {
            boolean outside = walk.isOutside();
            String word = walk.step();
            if (outside && word != null) {
                if ("AS".equals(last)) {
                    shown.add(word);
                }
                last = word;
            }
        }
        return shown;
    }

    /** By which name columns are of it; null if there are several. */
    private static @Nullable String onlyTable(String from) {
        String last = null;
        String beforeParenthesis = null;
        for (Walk walk = new Walk(from, 0); !walk.ends(); ) {
            boolean outside = walk.isOutside();
            char next = from.charAt(walk.at);
            String word = walk.step();
            if (outside && (next == ',' || "JOIN".equals(word))) {
                return null;
            }
            if (outside && "TABLESAMPLE".equals(word)) {
                break;
            }
            if (outside && next == '(') {
                beforeParenthesis = last;
                last = null;
            } else if (outside && word != null) {
                last = word;
            }
        }
        return last != null ? last : beforeParenthesis;
    }

    private static String without(String alias, String definition, int begin, int end, Set<String> shown) {
        StringBuilder text = new StringBuilder();
        for (Walk walk = new Walk(definition, 0); !walk.ends(); ) {
            int from = walk.at;
            boolean outer = walk.isInOuterQuery();
            String word = walk.step();
            boolean qualifies = alias.equals(word)
                    && outer
                    && (from < begin || from >= end)
                    && !isTypeOrPart(definition, from)
                    && isColumn(definition, walk.at);
            if (qualifies && !isShown(definition, walk, shown)) {
                walk.at++;
            } else {
                text.append(definition, from, walk.at);
            }
        }
        return text.toString();
    }

    /** Whether a dot or a cast stands before it, and not the colon of a slice. */
    private static boolean isTypeOrPart(String text, int from) {
        return from > 0 && (text.charAt(from - 1) == '.' || text.startsWith("::", from - 2));
    }

    private static boolean isShown(String text, Walk walk, Set<String> shown) {
        Matcher name = NAME.matcher(text).region(walk.at + 1, text.length());
        return name.lookingAt() && shown.contains(name.group()) && walk.wasSorted(name.end());
    }

    /** Whether a dot and a name follow that is not that of a function. */
    private static boolean isColumn(String text, int at) {
        Matcher name = NAME.matcher(text);
        return at < text.length()
                && text.charAt(at) == '.'
                && name.region(at + 1, text.length()).lookingAt()
                && (name.end() == text.length() || ".(".indexOf(text.charAt(name.end())) < 0);
    }
}
