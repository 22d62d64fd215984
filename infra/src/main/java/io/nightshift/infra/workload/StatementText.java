package io.nightshift.infra.workload;

import java.util.regex.Pattern;

/**
 * What a statement says, with {@code $1} for its constants.
 *
 * @param cut whether its end is missing
 */
public record StatementText(String text, boolean cut) {

    /** Longer ones are kept in part, to be shown. */
    static final int LONGEST = 20_000;

    /** Possessive: what can be given back is kept on the stack. */
    private static final Pattern COMMENTS = Pattern.compile("\\A(?:\\s|\\(|--[^\\n]*+(?:\\n|\\z)|/\\*(?s:.*?)\\*/)*+");

    private static final Pattern PLANNED =
            Pattern.compile("(?i)(?:SELECT|WITH|INSERT|UPDATE|DELETE|MERGE|VALUES|TABLE)\\b");
    private static final Pattern CATALOG = Pattern.compile(
            "(?i)\\b(?:FROM|JOIN)\\s+(?:ONLY\\s+)?\\(?\\s*\"?(?:pg_|information_schema\\b)|\\A\\s*SELECT\\s+(?:pg_\\w+\\(|current_\\w+\\s*\\z)");

    static StatementText of(String text) {
        return text.length() <= LONGEST
                ? new StatementText(text, false)
                : new StatementText(text.substring(0, LONGEST), true);
    }

    /** Whether it reads or changes rows, and others than those of the catalogs. */
    public boolean isQuery() {
        String begun = COMMENTS.matcher(text).replaceFirst("");
        return PLANNED.matcher(begun).lookingAt() && !CATALOG.matcher(text).find();
    }
}
