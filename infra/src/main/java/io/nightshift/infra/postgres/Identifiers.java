package io.nightshift.infra.postgres;

/** Names and texts as SQL, and pg_hba.conf, want them (PostgreSQL manual, "Lexical Structure"). The one place that quotes. */
public final class Identifiers {

    private Identifiers() {}

    /** A name of anything, quoted whether or not it must be. */
    public static String quoted(String name) {
        requireNoZero(name);
        return "\"" + name.replace("\"", "\"\"") + "\"";
    }

    /** A text, whatever {@code standard_conforming_strings} is; without a backslash the replication protocol takes it too. */
    public static String literal(String text) {
        requireNoZero(text);
        String doubled = text.replace("'", "''");
        return text.indexOf('\\') < 0 ? "'" + doubled + "'" : "E'" + doubled.replace("\\", "\\\\") + "'";
    }

    private static void requireNoZero(String text) {
        if (text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("PostgreSQL takes no name or text with a zero byte");
        }
    }
}
