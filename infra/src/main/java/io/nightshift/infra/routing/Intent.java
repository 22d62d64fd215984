package io.nightshift.infra.routing;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.postgres.Lsn;
import org.jspecify.annotations.Nullable;

/** Where a step works. Which node that is gets observed when the step asks, never configured. */
public sealed interface Intent {

    /** The node that takes writes. */
    record Primary() implements Intent {
        @Override
        public String toString() {
            return "primary";
        }
    }

    /**
     * A node in recovery.
     *
     * @param maxLag WAL that it may be behind the primary's flush location
     * @param replayed what it must have replayed, such as the end of what the step has written before; null for nothing
     */
    record Standby(DataSize maxLag, @Nullable Lsn replayed) implements Intent {

        public Standby(DataSize maxLag) {
            this(maxLag, null);
        }

        @Override
        public String toString() {
            return "standby at most " + maxLag + " behind" + (replayed == null ? "" : " that has replayed " + replayed);
        }
    }

    /** A standby within its lag if there is one, else the primary. */
    record StandbyPreferred(DataSize maxLag, @Nullable Lsn replayed) implements Intent {

        public StandbyPreferred(DataSize maxLag) {
            this(maxLag, null);
        }

        @Override
        public String toString() {
            return onStandby() + ", or the primary";
        }

        Standby onStandby() {
            return new Standby(maxLag, replayed);
        }
    }

    /** A server started on a restored backup. */
    record RestoredCopy() implements Intent {
        @Override
        public String toString() {
            return "restored copy";
        }
    }

    Intent PRIMARY = new Primary();
    Intent RESTORED_COPY = new RestoredCopy();
}
