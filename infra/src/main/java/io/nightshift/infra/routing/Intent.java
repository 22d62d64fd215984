package io.nightshift.infra.routing;

import io.nightshift.infra.config.DataSize;

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
     */
    record Standby(DataSize maxLag) implements Intent {
        @Override
        public String toString() {
            return "standby at most " + maxLag + " behind";
        }
    }

    /** A standby within its lag if there is one, else the primary. */
    record StandbyPreferred(DataSize maxLag) implements Intent {
        @Override
        public String toString() {
            return "standby at most " + maxLag + " behind, or the primary";
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
