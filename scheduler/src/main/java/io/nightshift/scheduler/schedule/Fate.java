package io.nightshift.scheduler.schedule;

/** What becomes of a due time. */
public record Fate(DueTime due, Kind kind, String reason) {

    /** In which way a due time is accounted for. */
    public enum Kind {
        /** It begins now. */
        RUN,
        /** A newer due time runs in its place. */
        COVERED,
        /** It was not to run: a calendar, a pause. */
        SKIPPED,
        /** It should have run. */
        MISSED
    }
}
