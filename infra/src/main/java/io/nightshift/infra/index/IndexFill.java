package io.nightshift.infra.index;

import org.jspecify.annotations.Nullable;

/**
 * How large an index would be if it were made anew.
 *
 * @param estimated bytes, from the statistics of its columns; null where the role may not read those, or there are none
 * @param measured bytes, from how full its pages are; null if nobody has looked
 * @param correlation of the order of its first column's values with that of the rows, from -1 to 1; null where it is not known
 */
public record IndexFill(
        @Nullable Long estimated,
        @Nullable Long measured,
        @Nullable Double correlation) {

    /** Of one that nothing is known of. */
    static final IndexFill UNKNOWN = new IndexFill(null, null, null);

    /** With what was measured. */
    public IndexFill with(long bytes) {
        return new IndexFill(estimated, bytes, correlation);
    }

    /** What was measured goes before what was estimated. */
    @Nullable
    Long bytes() {
        return measured == null ? estimated : measured;
    }
}
