package io.nightshift.infra.index.plan;

import java.util.Locale;

/** What planning a query whose constants are not known has come to. */
public sealed interface GenericPlan {

    /** It has a plan. */
    record Planned(PlanNode root) implements GenericPlan {}

    /**
     * It has none.
     *
     * @param detail what the server said; empty if it was not asked
     */
    record PassedOver(Reason reason, String detail) implements GenericPlan {}

    /** Why a query was not planned. */
    enum Reason {
        /** Its text is not whole. */
        CUT,
        /** It is not one statement that can be prepared. */
        NO_STATEMENT,
        /** The types of its constants, or what it names, cannot be told from its text. */
        UNCLEAR,
        /** Our role may not read what it reads. */
        DENIED,
        /** What it reads is locked. */
        LOCKED,
        /** Planning it takes too long. */
        SLOW,
        /** Planning it would have changed something. */
        WRITING;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', ' ');
        }
    }
}
