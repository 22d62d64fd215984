package io.nightshift.scheduler.housekeeping;

import java.time.Instant;

/** Rows of some tables that may go once they are old enough. */
interface OldRows {

    /** What they are, such as {@code runs}. */
    String what();

    long count(Instant before);

    /** Deletes some of them, in one short transaction; returns how many, 0 when none is left. */
    long deleteSome(Instant before);
}
