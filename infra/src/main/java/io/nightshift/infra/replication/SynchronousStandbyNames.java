package io.nightshift.infra.replication;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the setting {@code synchronous_standby_names} names, as the PostgreSQL manual describes it. Pure. */
public final class SynchronousStandbyNames {

    private static final Pattern NUMBERED = Pattern.compile(
            "\\s*(?:(?:FIRST|ANY)\\s+)?\\d+\\s*\\((.*)\\)\\s*", Pattern.CASE_INSENSITIVE | Pattern.DOTALL);
    private static final Pattern NAME = Pattern.compile("\"((?:[^\"]|\"\")*)\"|([^,\\s]+)");

    private SynchronousStandbyNames() {}

    /** Whether commits may wait for a receiver of this application name: case does not matter, and {@code *} is all. */
    public static boolean match(String setting, String applicationName) {
        Matcher numbered = NUMBERED.matcher(setting);
        Matcher names = NAME.matcher(numbered.matches() ? numbered.group(1) : setting);
        while (names.find()) {
            String name =
                    names.group(1) == null ? names.group(2) : names.group(1).replace("\"\"", "\"");
            if (name.equals("*") || name.equalsIgnoreCase(applicationName)) {
                return true;
            }
        }
        return false;
    }
}
