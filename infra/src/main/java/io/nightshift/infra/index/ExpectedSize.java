package io.nightshift.infra.index;

import java.util.List;

/**
 * What a B-tree of so many entries takes when it has just been built, equal keys stored once (PostgreSQL manual, "B-Tree
 * Deduplication"). Of keys that are equal more often than is known it takes less, so that it is called bloated too seldom
 * rather than too often.
 *
 * @param rows that it has entries of
 * @param distinct how many different keys those have
 * @param isDeduplicated whether equal keys are stored once
 * @param fill how full leaves become, in percent
 */
record ExpectedSize(double rows, double distinct, List<Column> columns, boolean isDeduplicated, int fill) {

    /**
     * One of its columns, keys and others.
     *
     * @param width bytes on average
     * @param alignment bytes
     */
    record Column(double width, int alignment) {}

    private static final int PAGE = 8192;
    /** Without the page's header and the tree's own data. */
    private static final int USABLE = 8152;
    /** Header of an entry. */
    private static final int ENTRY = 8;
    /** The line pointer of an entry. */
    private static final int POINTER = 4;
    /** Where a row is. */
    private static final int ROW = 6;
    /** Bytes that equal keys share at most when the tree is built: a tenth of a page. */
    private static final int POSTING = 812;

    long bytes() {
        double key = aligned(ENTRY + width(), 8);
        double leaves = Math.ceil(rows * bytesOfRow(key) / (USABLE * fill / 100.0));
        double inner = Math.ceil(leaves * (key + POINTER) / (USABLE * 0.7));
        double pages = 1 + Math.max(1, leaves) + inner;
        return (long) (pages * PAGE);
    }

    private double bytesOfRow(double key) {
        double equal = Math.min(rows / Math.max(1, distinct), (POSTING - key) / ROW);
        return !isDeduplicated || equal < 2 ? key + POINTER : (aligned(key + ROW * equal, 8) + POINTER) / equal;
    }

    private double width() {
        double width = 0;
        for (Column column : columns) {
            width = aligned(width, column.alignment()) + column.width();
        }
        return width;
    }

    private static double aligned(double bytes, int alignment) {
        return Math.ceil(bytes / alignment) * alignment;
    }
}
