package io.nightshift.infra.config;

import java.util.Locale;
import java.util.regex.Pattern;

/** How Java names and the names of files are written in a configuration. */
final class Names {

    static final String ACCEPTED = "accepted: lower-case letters, digits and hyphens, at most 63, no hyphen first";

    private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9-]{0,62}");
    private static final Pattern WORD_BREAK = Pattern.compile("(?<=[a-z0-9])(?=[A-Z])");

    private Names() {}

    static boolean isName(String text) {
        return NAME.matcher(text).matches();
    }

    /** {@code workThreads}, {@code WorkThreads} and {@code WORK_THREADS} all become {@code work-threads}. */
    static String kebab(String javaName) {
        return WORD_BREAK.matcher(javaName).replaceAll("-").replace('_', '-').toLowerCase(Locale.ROOT);
    }
}
