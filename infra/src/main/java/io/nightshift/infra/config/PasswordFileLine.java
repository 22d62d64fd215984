package io.nightshift.infra.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A line {@code host:port:database:user:password} of libpq's password file. A backslash makes a colon or backslash part
 * of a field; a field that is just {@code *} matches anything.
 */
record PasswordFileLine(List<String> conditions, String password) {

    private static final String ANY = "*";

    /** Empty for a comment, an empty line, and a line without a password. */
    static Optional<PasswordFileLine> parse(String line) {
        if (line.startsWith("#")) {
            return Optional.empty();
        }
        List<String> fields = fields(line);
        // Like libpq, what follows a further unescaped colon is not part of the password.
        return fields.size() < 5 || fields.get(4).isEmpty()
                ? Optional.empty()
                : Optional.of(new PasswordFileLine(fields.subList(0, 4), unescaped(fields.get(4))));
    }

    Optional<Secret> passwordFor(NodeAddress node, String database, String username) {
        List<String> wanted = List.of(node.host(), Integer.toString(node.port()), database, username);
        for (int i = 0; i < wanted.size(); i++) {
            String condition = conditions.get(i);
            if (!condition.equals(ANY) && !unescaped(condition).equals(wanted.get(i))) {
                return Optional.empty();
            }
        }
        return Optional.of(new Secret(password));
    }

    private static List<String> fields(String line) {
        List<String> fields = new ArrayList<>();
        int begin = 0;
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if (c == '\\') {
                i++;
            } else if (c == ':') {
                fields.add(line.substring(begin, i));
                begin = i + 1;
            }
        }
        fields.add(line.substring(begin));
        return fields;
    }

    private static String unescaped(String field) {
        return field.replaceAll("\\\\(.)", "$1");
    }

    /** Masked. */
    @Override
    public String toString() {
        return "PasswordFileLine[" + conditions + "]";
    }
}
