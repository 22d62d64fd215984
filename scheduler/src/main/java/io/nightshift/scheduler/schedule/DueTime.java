package io.nightshift.scheduler.schedule;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A time at which a job is due.
 *
 * @param mark what daylight saving did to it
 * @param excludedBy why it is not run, such as {@code calendar holidays: Christmas}; null when nothing excludes it. An
 *     excluded due time is accounted for as skipped
 */
public record DueTime(Instant at, Mark mark, @Nullable String excludedBy) {

    /** What daylight saving did to a due time. */
    public enum Mark {
        NONE,
        /** Its wall-clock time did not exist: it stands at the end of the gap. */
        SHIFTED,
        /** Its wall-clock time came twice: this is the first of the two. */
        FIRST_OF_TWO,
        /** Its wall-clock time came twice: this is the second of the two. */
        SECOND_OF_TWO
    }

    static DueTime at(Instant at) {
        return new DueTime(at, Mark.NONE, null);
    }

    /** The same time, excluded; the first reason stays. */
    DueTime excluded(String reason) {
        return excludedBy == null ? new DueTime(at, mark, reason) : this;
    }

    public boolean isExcluded() {
        return excludedBy != null;
    }
}
