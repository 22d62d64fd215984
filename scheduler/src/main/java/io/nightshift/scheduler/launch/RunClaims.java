package io.nightshift.scheduler.launch;

import io.nightshift.infra.lease.Lease;
import io.nightshift.infra.lease.Leases;
import io.nightshift.infra.run.RunId;
import io.nightshift.scheduler.ledger.Nodes;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/** Who may work a run: whoever holds its lease, and only the certainly dead are disinherited. */
public final class RunClaims {

    private final Leases leases;
    private final Nodes nodes;
    private final String node;
    /** What threads of this process claim or work now. */
    private final Set<RunId> inHand = ConcurrentHashMap.newKeySet();

    public RunClaims(Leases leases, Nodes nodes, String node) {
        this.leases = leases;
        this.nodes = nodes;
        this.node = node;
    }

    /**
     * Takes the run's lease and works under it; the work gives it up. Empty while another thread or a living process has
     * the run. A lease of this process that no thread of it has in hand was left behind by a connection that broke at the
     * wrong moment: it is taken over like that of a dead one.
     */
    <T> Optional<T> whileClaimed(RunId run, Function<Lease, Optional<T>> work) {
        if (!inHand.add(run)) {
            return Optional.empty();
        }
        try {
            return claim(run).flatMap(work);
        } finally {
            inHand.remove(run);
        }
    }

    private Optional<Lease> claim(RunId run) {
        Optional<Lease> free = leases.take(name(run), node);
        if (free.isPresent()) {
            return free;
        }
        return leases.holder(name(run))
                .filter(held -> held.owner().equals(node) || nodes.isDead(held.owner()))
                .flatMap(dead -> leases.takeOver(dead, node));
    }

    /** Whether a thread of this process claims or works the run, even if the run has ended without it. */
    boolean isInHand(RunId run) {
        return inHand.contains(run);
    }

    /** Whether nobody alive works the run. */
    public boolean isAbandoned(RunId run) {
        return leases.holder(name(run)).map(held -> isAbandoned(run, held)).orElse(true);
    }

    private boolean isAbandoned(RunId run, Lease held) {
        return held.owner().equals(node) ? !inHand.contains(run) : nodes.isDead(held.owner());
    }

    void check(Lease lease) {
        leases.check(lease);
    }

    void release(Lease lease) {
        leases.release(lease);
    }

    private static String name(RunId run) {
        return "run/" + run;
    }
}
