package io.nightshift.infra.schema;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * SQL that psql sends as it is. Outside of quotes and comments it takes a colon before a name, a quote or a brace for one of its
 * variables (psqlscan.l), such as {@code a[:"USER"]}, which is a slice of an array.
 */
final class PsqlText {

    /** What it leaves alone, and casts. */
    private static final Pattern LEFT_ALONE = Pattern.compile("(?<![\\w$\\x80-\\uffff])[eE]'(?:[^'\\\\]++|\\\\.|'')*+'"
            + "|'[^']*+'|\"[^\"]*+\"|--[^\\r\\n]*+|(?<![\\w$\\x80-\\uffff])(\\$(?:[A-Za-z_\\x80-\\uffff][\\w\\x80-\\uffff]*+)?\\$)(?s:.*?)\\1"
            + "|:[:=]");

    private static final Pattern COLON =
            Pattern.compile(LEFT_ALONE.pattern() + "|(:)(?=[\\w'\"{\\x80-\\uffff])", Pattern.DOTALL);

    private PsqlText() {}

    static String withoutVariables(String sql) {
        if (sql.indexOf(':') < 0) {
            return sql;
        }
        Matcher colon = COLON.matcher(sql);
        return colon.replaceAll(found -> Matcher.quoteReplacement(found.group(2) == null ? found.group() : ": "));
    }
}
