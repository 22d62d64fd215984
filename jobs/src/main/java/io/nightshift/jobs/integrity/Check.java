package io.nightshift.jobs.integrity;

import io.nightshift.infra.run.Severity;
import java.util.Locale;

/** What is looked for in pages, indexes and rows. The names are part of the keys of findings. */
enum Check {
    HEAP(
            Cut.BLOCKS,
            Severity.CRITICAL,
            "keep every backup; look at the same table on the other nodes and in a restored backup, and restore it from one"
                    + " that is sound"),
    BTREE(
            Cut.WHOLE,
            Severity.CRITICAL,
            "see whether its table is sound; then REINDEX INDEX CONCURRENTLY, and look for duplicates in unique indexes first"),
    /** Of PostgreSQL 18 on. */
    GIN(Cut.WHOLE, Severity.CRITICAL, "see whether its table is sound; then REINDEX INDEX CONCURRENTLY"),
    OPEN(
            Cut.WHOLE,
            Severity.CRITICAL,
            "keep every backup; restore the relation from one in which it is there, or rebuild it if it is an index"),
    UNIQUE(
            Cut.WHOLE,
            Severity.ERROR,
            "decide which of the rows are right and delete the others, then REINDEX INDEX CONCURRENTLY"),
    FOREIGN_KEY(
            Cut.ROWS,
            Severity.ERROR,
            "insert the missing parents, or delete or correct these rows; see whether triggers were off or a replica was written"),
    CHECK_CONSTRAINT(
            Cut.ROWS,
            Severity.ERROR,
            "correct these rows; see whether a function that the constraint calls was changed"),
    DOMAIN(
            Cut.ROWS,
            Severity.ERROR,
            "correct these rows; see whether the domain was altered, or a function that it calls"),
    PARTITION_BOUND(
            Cut.ROWS,
            Severity.ERROR,
            "queries do not find these rows: move them to where they belong; see who has written to the partition itself"),
    EXCLUSION(
            Cut.ROWS,
            Severity.ERROR,
            "decide which of the rows are right and delete the others, then REINDEX INDEX CONCURRENTLY"),
    NOT_NULL(Cut.ROWS, Severity.ERROR, "correct these rows; they will stop a restore of a dump");

    /** How a target is cut into chunks. */
    enum Cut {
        /** By block numbers, as amcheck takes them. */
        BLOCKS,
        /** By where rows are ({@code ctid}). */
        ROWS,
        /** Not at all. */
        WHOLE
    }

    private final Cut cut;
    private final Severity severity;
    private final String remedy;

    Check(Cut cut, Severity severity, String remedy) {
        this.cut = cut;
        this.severity = severity;
        this.remedy = remedy;
    }

    Cut cut() {
        return cut;
    }

    Severity severity() {
        return severity;
    }

    String remedy() {
        return remedy;
    }

    /** Whether it is of an index, whose damage may be that of its table. */
    boolean isOfIndex() {
        return this == BTREE || this == GIN;
    }

    /** Whether it reads pages, so that a failure of the server's own is what it looks for. */
    boolean looksForDamage() {
        return severity == Severity.CRITICAL;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
