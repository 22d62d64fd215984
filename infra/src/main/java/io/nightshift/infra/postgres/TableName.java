package io.nightshift.infra.postgres;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A table as people name it, with or without its schema. As in SQL, what is not between double quotes is lower case, and
 * a double quote between them is written twice.
 *
 * @param schema null for whichever has it
 */
public record TableName(@Nullable String schema, String name) {

    private static final Pattern PLAIN = Pattern.compile("[a-z_][a-z0-9_$]*");

    /**
     * Names with commas between them.
     *
     * @throws IllegalArgumentException whose message says what is wrong
     */
    public static List<TableName> parse(String text) {
        List<TableName> names = new ArrayList<>();
        List<String> parts = new ArrayList<>();
        int at = 0;
        while (true) {
            StringBuilder part = new StringBuilder();
            at = readPart(text, at, part);
            parts.add(part.toString());
            boolean ends = at == text.length();
            if (!ends && text.charAt(at) != '.' && text.charAt(at) != ',') {
                throw new IllegalArgumentException("something follows a closing quote in " + text);
            }
            if (ends || text.charAt(at) == ',') {
                names.add(of(parts, text));
                parts.clear();
            }
            if (ends) {
                return names;
            }
            at++;
        }
    }

    /** Returns where it ended: at a dot, a comma or the end. */
    private static int readPart(String text, int begin, StringBuilder part) {
        if (begin < text.length() && text.charAt(begin) == '"') {
            return readQuoted(text, begin + 1, part);
        }
        int at = begin;
        while (at < text.length() && text.charAt(at) != '.' && text.charAt(at) != ',') {
            part.append(text.charAt(at++));
        }
        String folded = part.toString().strip().toLowerCase(Locale.ROOT);
        part.setLength(0);
        part.append(folded);
        return at;
    }

    private static int readQuoted(String text, int begin, StringBuilder part) {
        for (int at = begin; at < text.length(); at++) {
            char next = text.charAt(at);
            if (next != '"') {
                part.append(next);
            } else if (at + 1 < text.length() && text.charAt(at + 1) == '"') {
                part.append('"');
                at++;
            } else {
                return at + 1;
            }
        }
        throw new IllegalArgumentException("a quote is not closed in " + text);
    }

    private static TableName of(List<String> parts, String text) {
        if (parts.size() > 2 || parts.stream().anyMatch(String::isEmpty)) {
            throw new IllegalArgumentException(
                    parts.size() > 2
                            ? "a table has a schema and a name, no more, in " + text
                            : "a name is empty in " + text);
        }
        return parts.size() == 1 ? new TableName(null, parts.get(0)) : new TableName(parts.get(0), parts.get(1));
    }

    /** Whether a table of that schema and name is meant. */
    public boolean means(String otherSchema, String otherName) {
        return name.equals(otherName) && (schema == null || schema.equals(otherSchema));
    }

    /** As SQL takes it, quoted only where it must be. */
    @Override
    public String toString() {
        return (schema == null ? "" : shown(schema) + ".") + shown(name);
    }

    private static String shown(String part) {
        return PLAIN.matcher(part).matches() ? part : Identifiers.quoted(part);
    }
}
