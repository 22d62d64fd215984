package io.nightshift.infra.replication;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.util.regex.Pattern;

/** Names and strings as the replication grammar wants them ({@code repl_scanner.l}): no escapes but the doubled quote. */
final class Quoting {

    private static final Pattern SLOT_NAME = Pattern.compile("[a-z0-9_]{1,63}");
    private static final Pattern SETTING_NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*(\\.[A-Za-z_][A-Za-z0-9_]*)?");

    private Quoting() {}

    /** Refuses what would break the command or, as a label, the lines of {@code backup_label}. */
    static String string(String text) {
        if (text.chars().anyMatch(Character::isISOControl)) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION, "\"" + text.replaceAll("\\p{Cntrl}", "?") + "\" has control characters");
        }
        return "'" + text.replace("'", "''") + "'";
    }

    static String slot(String name) {
        if (!SLOT_NAME.matcher(name).matches()) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "\"" + name.replaceAll("\\p{Cntrl}", "?") + "\" is not a name for a replication slot",
                    "1 to 63 lower-case letters, digits and underscores are accepted");
        }
        return "\"" + name + "\"";
    }

    static String setting(String name) {
        if (!SETTING_NAME.matcher(name).matches()) {
            throw new NightshiftException(
                    FailureKind.BUG, "\"" + name.replaceAll("\\p{Cntrl}", "?") + "\" is not a name of a setting");
        }
        return "\"" + name.replace(".", "\".\"") + "\"";
    }
}
