package io.nightshift.infra.restore;

import io.nightshift.infra.postgres.Lsn;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;

/** Up to where recovery goes, as PostgreSQL's recovery targets have it (manual, "Recovery Target"). */
public sealed interface RestoreTarget {

    /** As far as there is WAL. */
    record Latest() implements RestoreTarget {
        @Override
        public String toString() {
            return "the end of the archived WAL";
        }
    }

    /** As soon as the backup is consistent. */
    record Immediate() implements RestoreTarget {
        @Override
        public String toString() {
            return "the end of the backup";
        }
    }

    /**
     * Before the first transaction, in the order of the WAL, that ended later.
     *
     * @param inclusive whether transactions that ended at exactly this time are still done
     */
    record AtTime(Instant time, boolean inclusive) implements RestoreTarget {

        /** Servers count microseconds: between two of them nothing ends. */
        public AtTime {
            Instant whole = time.truncatedTo(ChronoUnit.MICROS);
            time = inclusive || whole.equals(time) ? whole : whole.plus(1, ChronoUnit.MICROS);
        }

        @Override
        public String toString() {
            return (inclusive ? "" : "just before ") + time;
        }
    }

    /**
     * At the first record that begins there or later.
     *
     * @param inclusive whether it is still replayed
     */
    record AtLsn(Lsn location, boolean inclusive) implements RestoreTarget {
        @Override
        public String toString() {
            return (inclusive ? "" : "just before ") + location;
        }
    }

    /** At the first restore point of this name. */
    record AtName(String name) implements RestoreTarget {
        @Override
        public String toString() {
            return "restore point " + name;
        }
    }

    /**
     * At the end of a transaction.
     *
     * @param inclusive whether it is still done
     */
    record AtXid(long xid, boolean inclusive) implements RestoreTarget {
        @Override
        public String toString() {
            return (inclusive ? "" : "just before ") + "transaction " + xid;
        }
    }

    /** The settings that say so to a server; none for the end of the WAL. */
    default Map<String, String> settings() {
        if (this instanceof Immediate) {
            return Map.of("recovery_target", "immediate");
        }
        if (this instanceof AtTime at) {
            // A server that starts does not know Z yet, nor any other abbreviation.
            String time = at.time().toString().replace('T', ' ').replace("Z", "+00");
            return settings("recovery_target_time", time, at.inclusive());
        }
        if (this instanceof AtLsn at) {
            return settings("recovery_target_lsn", at.location().toString(), at.inclusive());
        }
        if (this instanceof AtXid at) {
            return settings("recovery_target_xid", Long.toString(at.xid()), at.inclusive());
        }
        return this instanceof AtName at ? Map.of("recovery_target_name", at.name()) : Map.of();
    }

    private static Map<String, String> settings(String name, String value, boolean inclusive) {
        return inclusive ? Map.of(name, value) : Map.of(name, value, "recovery_target_inclusive", "off");
    }
}
