package io.nightshift.infra.config;

import java.util.ArrayList;
import java.util.List;

/**
 * Everything that a record finds wrong with its values, for its compact constructor: people are told of all of it at
 * once, not one thing per attempt. A fact that begins with a key of the record belongs to that key.
 */
public final class Refusals {

    private final List<String> facts = new ArrayList<>();

    /** Keeps the fact when it is one. */
    public Refusals when(boolean wrong, String fact) {
        if (wrong) {
            facts.add(fact);
        }
        return this;
    }

    /**
     * Refuses when anything was wrong.
     *
     * @throws IllegalArgumentException with all facts, one a line
     */
    public void throwIfAny() {
        if (!facts.isEmpty()) {
            throw new Refused(facts);
        }
    }

    /** The facts that a constructor refused its values for; of any other exception its message. */
    static List<String> facts(RuntimeException refusal) {
        if (refusal instanceof Refused refused) {
            return refused.facts;
        }
        return List.of(
                refusal instanceof IllegalArgumentException && refusal.getMessage() != null
                        ? refusal.getMessage()
                        : "not accepted: " + refusal);
    }

    private static final class Refused extends IllegalArgumentException {

        private final transient List<String> facts;

        Refused(List<String> facts) {
            super(String.join("\n", facts));
            this.facts = List.copyOf(facts);
        }
    }
}
