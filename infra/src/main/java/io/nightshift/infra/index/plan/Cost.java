package io.nightshift.infra.index.plan;

import java.util.LinkedHashSet;
import java.util.Set;

/**
 * What a part of a plan would cost, in the planner's units.
 *
 * @param startup before its first row
 * @param used the candidates that make it so
 */
record Cost(double startup, double total, Set<IndexCandidate> used) {

    Cost(double startup, double total) {
        this(startup, total, Set.of());
    }

    Cost plus(double moreStartup, double moreTotal) {
        return new Cost(startup + moreStartup, total + moreTotal, used);
    }

    Cost with(Set<IndexCandidate> more) {
        if (more.isEmpty()) {
            return this;
        }
        Set<IndexCandidate> all = new LinkedHashSet<>(used);
        all.addAll(more);
        return new Cost(startup, total, all);
    }

    Cost orBetter(Cost other) {
        return other.total < total ? other : this;
    }
}
