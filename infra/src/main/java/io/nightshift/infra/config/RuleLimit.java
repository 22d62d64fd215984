package io.nightshift.infra.config;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * From where on a rule is broken. Each bound counts by itself: a large table may not hide ten wrong rows in a small share,
 * nor a small one a large share in few rows.
 *
 * @param rows that fail
 * @param pct that fail, of all rows of the table that the filter leaves, in percent
 * @param value of a row count, or of an aggregate
 * @param age of the newest row: it is older
 */
public record RuleLimit(
        @Nullable Bound rows,
        @Nullable Bound pct,
        @Nullable Bound value,
        @Nullable Duration age) {

    /** Any row that fails. */
    static final RuleLimit ANY_ROW = new RuleLimit(Bound.ANY, null, null, null);

    public RuleLimit {
        new Refusals()
                .when(
                        rows == null && pct == null && value == null && age == null,
                        "no bound is given; accepted: rows, pct, value or age")
                .throwIfAny();
    }

    boolean isOfRows() {
        return rows != null || pct != null;
    }

    /** As in a file. */
    @Override
    public String toString() {
        List<String> bounds = new ArrayList<>();
        if (rows != null) {
            bounds.add("rows " + rows);
        }
        if (pct != null) {
            bounds.add("pct " + pct);
        }
        if (value != null) {
            bounds.add("value " + value);
        }
        if (age != null) {
            bounds.add("age >" + Durations.print(age));
        }
        return String.join(" or ", bounds);
    }
}
