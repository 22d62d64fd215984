package io.nightshift.infra.schema;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One text for definitions that PostgreSQL prints in several ways: it does not print what it has read back from a dump as it
 * was, and versions differ. It is for comparing; what is made is made from what the server printed.
 */
final class CanonicalText {

    /** {@code (ARRAY['a'::character varying, …])::text[]} comes back from a dump with a cast for each. */
    private static final String ARRAY = "(ARRAY[";

    private static final Pattern TYPE_OF_ARRAY = Pattern.compile(
            "\\]\\)::((?:[a-z_ ]+(?:\\([0-9,]+\\))?[a-z ]*|(?:\"[^\"]+\"|[a-z0-9_$]+)\\.(?:\"[^\"]+\"|[a-z0-9_$]+)))\\[\\]");

    /** What has no expressions, but texts that may look like one. */
    private static final Set<ObjectKind> WITHOUT_EXPRESSIONS = Set.of(
            ObjectKind.ENUM, ObjectKind.SERVER, ObjectKind.FOREIGN_TABLE, ObjectKind.OPTION, ObjectKind.COLLATION);

    /** Whether a materialised view has its rows is no matter of its schema, but where it is made again. */
    private static final Pattern WITHOUT_ROWS = Pattern.compile("\\n WITH NO DATA;\\z");

    private CanonicalText() {}

    static String of(ObjectKind kind, String definition) {
        if (kind == ObjectKind.PRIVILEGES) {
            return PassedOn.without(definition);
        }
        boolean isBody = kind == ObjectKind.FUNCTION && !isOfExpressions(definition);
        String text = definition.contains(ARRAY) && !isBody && !WITHOUT_EXPRESSIONS.contains(kind)
                ? castEach(definition)
                : definition;
        return isView(kind) ? ViewText.canonical(WITHOUT_ROWS.matcher(text).replaceFirst(";")) : text;
    }

    /** As it was written when the first schemas were stored. */
    static String ofFirstFormat(SchemaObject object) {
        return isView(object.kind()) ? ViewText.canonicalOfFirstFormat(object.definition()) : object.definition();
    }

    private static boolean isView(ObjectKind kind) {
        return kind == ObjectKind.VIEW || kind == ObjectKind.MATERIALIZED_VIEW;
    }

    /** Whether the body is printed by the server, and not text that somebody wrote. */
    private static boolean isOfExpressions(String function) {
        return function.contains("\nBEGIN ATOMIC\n") || function.contains("\nRETURN ");
    }

    /** From the last to the first, so that what stands in another one is done before it. */
    private static String castEach(String definition) {
        List<Integer> places = places(definition);
        StringBuilder text = new StringBuilder(definition);
        for (int place = places.size() - 1; place >= 0; place--) {
            castEach(text, places.get(place));
        }
        return text.toString();
    }

    private static List<Integer> places(String text) {
        List<Integer> places = new ArrayList<>();
        for (int at = 0; at < text.length(); at = next(text, at)) {
            if (text.startsWith(ARRAY, at)) {
                places.add(at);
            }
        }
        return places;
    }

    private static void castEach(StringBuilder text, int begin) {
        List<String> elements = new ArrayList<>();
        int depth = 0;
        int from = begin + ARRAY.length();
        int at = from;
        for (; at < text.length() && !(depth == 0 && text.charAt(at) == ']'); at = next(text, at)) {
            char here = text.charAt(at);
            depth += here == '(' || here == '[' ? 1 : here == ')' || here == ']' ? -1 : 0;
            if (depth == 0 && here == ',') {
                elements.add(text.substring(from, at).strip());
                from = at + 1;
            }
        }
        elements.add(text.substring(from, Math.min(at, text.length())).strip());
        Matcher type = TYPE_OF_ARRAY.matcher(text).region(Math.min(at, text.length()), text.length());
        if (type.lookingAt()) {
            String cast = ")::" + type.group(1);
            text.replace(begin, type.end(), "ARRAY[(" + String.join(cast + ", (", elements) + cast + "]");
        }
    }

    /** The end of the string, the quoted name or the character that begins here. */
    private static int next(CharSequence text, int at) {
        char quote = text.charAt(at);
        int end = at + 1;
        if (quote == '\'' || quote == '"') {
            while (end < text.length() && text.charAt(end) != quote) {
                end++;
            }
            end++;
        }
        return end;
    }
}
