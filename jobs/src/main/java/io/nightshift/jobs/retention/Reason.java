package io.nightshift.jobs.retention;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.postgres.Timeline;
import java.time.Instant;

/** Why a backup is kept. */
sealed interface Reason {

    /** A point in time within the recovery window may need it. */
    record InWindow() implements Reason {
        @Override
        public String toString() {
            return "in the recovery window";
        }
    }

    /** Restores to the first moments of the recovery window begin with it. */
    record BeginsWindow(Instant begin) implements Reason {
        @Override
        public String toString() {
            return "the recovery window begins at " + begin + ", and this is the newest backup before";
        }
    }

    /** The same, where a restore test has found the newest one before wrong. */
    record BeginsUnrefuted(Instant begin) implements Reason {
        @Override
        public String toString() {
            return "the recovery window begins at " + begin
                    + ", and this is the newest backup before that no restore test has refuted";
        }
    }

    /** The same, where the newest one before lies on a branch that was given up. */
    record LeadsOn(Instant begin, Timeline timeline) implements Reason {
        @Override
        public String toString() {
            return "the recovery window begins at " + begin + ", and of timeline " + timeline
                    + " this is the newest backup before that leads on from it";
        }
    }

    /** One of the newest full backups, or built on one. */
    record Minimum(int number, int of) implements Reason {
        @Override
        public String toString() {
            return "full chain " + number + " of the " + of + " that are always kept";
        }
    }

    /** One of the newest full backups that are right as far as restore tests say, where newer ones are not. */
    record Unrefuted(int number, int of) implements Reason {
        @Override
        public String toString() {
            return "full chain " + number + " of the " + of + " that no restore test has refuted";
        }
    }

    /** While too little can be restored, nothing goes: a damaged backup may still hold what is wanted. */
    record TooFew(int restorable, int of) implements Reason {
        @Override
        public String toString() {
            return "only " + restorable + " of the " + of + " full chains that are always kept can be restored";
        }
    }

    /** The last one of its day, week, month or year. */
    record Generation(Period period, String name, int number, int of) implements Reason {
        @Override
        public String toString() {
            return "the last of " + name + ", " + period.adjective() + " " + number + " of " + of;
        }
    }

    record Pinned(Pin pin) implements Reason {
        @Override
        public String toString() {
            return "pinned until " + pin.until() + ": " + pin.reason();
        }
    }

    /** Of what a restore has proven, the newest. */
    record Proven(Instant at) implements Reason {
        @Override
        public String toString() {
            return "proven by a restore at " + at + ", and none newer is";
        }
    }

    record LackedBy(String storage) implements Reason {
        @Override
        public String toString() {
            return "storage " + storage + " does not have it yet";
        }
    }

    /** Something that is kept builds on it. */
    record NeededBy(BackupLabel backup) implements Reason {
        @Override
        public String toString() {
            return backup + " builds on it";
        }
    }
}
