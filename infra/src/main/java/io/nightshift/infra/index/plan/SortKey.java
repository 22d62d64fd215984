package io.nightshift.infra.index.plan;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One of the columns that rows are sorted by, as plans name it.
 *
 * @param order as {@code indoption} has it: 1 for descending, 2 for nulls first
 */
record SortKey(String expression, int order) {

    private static final Pattern TEXT = Pattern.compile("(?s)(.*?)( DESC)?(?: NULLS (FIRST|LAST))?");
    private static final int DESCENDING = 1;
    private static final int NULLS_FIRST = 2;

    /** Nulls are larger than everything, unless it says otherwise. */
    static SortKey of(String text) {
        Matcher parts = TEXT.matcher(text);
        if (!parts.matches()) {
            throw new IllegalArgumentException(text);
        }
        boolean isDescending = parts.group(2) != null;
        boolean isNullsFirst =
                parts.group(3) == null ? isDescending : parts.group(3).equals("FIRST");
        return new SortKey(parts.group(1), (isDescending ? DESCENDING : 0) + (isNullsFirst ? NULLS_FIRST : 0));
    }
}
