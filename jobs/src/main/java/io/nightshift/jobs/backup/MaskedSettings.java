package io.nightshift.jobs.backup;

import java.util.regex.Pattern;

/** Settings as a backup may keep them: without the secrets that administrators have to write into some. */
final class MaskedSettings {

    private static final String MASK = "********";

    /** The whole setting is the secret, or a command that prints it. */
    private static final Pattern SECRET_NAME = Pattern.compile("(?i).*(password|passwd|passphrase|secret|token).*");

    /** password and sslpassword of a connection string, and options of pg_hba.conf; quoted or not, with escapes. */
    private static final Pattern SECRET_VALUE = Pattern.compile(
            "(?i)((?:password|passwd|radiussecrets)\\s*=\\s*)('(?:\\\\.|[^'\\\\])*'|\"[^\"]*\"|(?:\\\\.|[^\\s\\\\])+)");

    /** user:password@ of a connection URI. */
    private static final Pattern URI = Pattern.compile("(://[^:/@\\s]*:)[^@\\s]*@");

    private MaskedSettings() {}

    static String masked(String name, String setting) {
        boolean secret = SECRET_NAME.matcher(name).matches() && !name.equals("password_encryption");
        return secret && !setting.isEmpty() ? MASK : masked(setting);
    }

    /** An option of pg_hba.conf, name=value: its value may hold spaces without quotes. */
    static String maskedOption(String option) {
        int equals = option.indexOf('=');
        return equals < 0
                ? option
                : option.substring(0, equals + 1) + masked(option.substring(0, equals), option.substring(equals + 1));
    }

    private static String masked(String text) {
        String values = SECRET_VALUE.matcher(text).replaceAll("$1" + MASK);
        return URI.matcher(values).replaceAll("$1" + MASK + "@");
    }
}
