package io.nightshift.infra.schema;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Rights that another role than the owner has granted, and alone can take back: a line at the end of what is printed of
 * privileges, and no matter to what they are.
 *
 * @param privileges such as {@code SELECT, UPDATE (made, total)}
 */
record PassedOn(String role, String privileges) {

    private static final String NAME = "(?:\"(?:[^\"]|\"\")*+\"|[a-z0-9_]+)";
    private static final String PRIVILEGE = "[A-Z]+(?: \\(" + NAME + "(?:, " + NAME + ")*+\\))?";
    private static final Pattern LINE =
            Pattern.compile("\\nGRANTED BY (" + NAME + "): (" + PRIVILEGE + "(?:, " + PRIVILEGE + ")*+)");
    private static final Pattern LINES = Pattern.compile("(?:" + LINE.pattern() + ")++\\z");

    static List<PassedOn> of(String printed) {
        Matcher lines = LINES.matcher(printed);
        return lines.find()
                ? LINE.matcher(lines.group())
                        .results()
                        .map(line -> new PassedOn(line.group(1), line.group(2)))
                        .toList()
                : List.of();
    }

    static String without(String printed) {
        return LINES.matcher(printed).replaceFirst("");
    }
}
