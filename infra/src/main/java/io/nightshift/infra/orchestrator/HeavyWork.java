package io.nightshift.infra.orchestrator;

import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.lease.Lease;
import io.nightshift.infra.lease.Leases;
import io.nightshift.infra.run.RunContext;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Who works a node hard: one run at a time, as far as this budget reaches. Thread-safe. */
public abstract class HeavyWork {

    private static final Duration LOOK_AGAIN = Duration.ofMillis(250);

    private HeavyWork() {}

    /** The place of a run on a node; closing gives it back. */
    public interface Place extends AutoCloseable {
        @Override
        void close();
    }

    /** Within one process: for commands and tests that have no control database. */
    public static HeavyWork ofThisProcess() {
        return new OfThisProcess();
    }

    /**
     * Among all Nightshift nodes, as leases of the control database.
     *
     * @param isDead whether the process of this name is known to be dead, so that its place may be taken over
     */
    public static HeavyWork leased(Leases leases, Predicate<String> isDead) {
        return new Leased(leases, isDead);
    }

    /** Waits for the node's place, visibly, until it is free or the run is stopped. */
    final Place take(String cluster, NodeAddress node, RunContext run) {
        String name = "heavy/" + cluster + "/" + node;
        boolean waits = false;
        for (Place place = tryTake(name, run); ; place = tryTake(name, run)) {
            if (place != null) {
                return place;
            }
            if (!waits) {
                waits = true;
                run.progress().begin("wait for " + holder(name) + ", which works " + node + " hard", null, "");
            }
            run.cancellation().check();
            LockSupport.parkNanos(LOOK_AGAIN.toNanos());
        }
    }

    /** The place, or null while another run has it. */
    abstract @Nullable Place tryTake(String name, RunContext run);

    /** Who has the place, for people. */
    abstract String holder(String name);

    private static final class OfThisProcess extends HeavyWork {

        private final Map<String, String> taken = new ConcurrentHashMap<>();

        @Override
        @Nullable
        Place tryTake(String name, RunContext run) {
            String owner = "run " + run.id();
            return taken.putIfAbsent(name, owner) == null ? () -> taken.remove(name, owner) : null;
        }

        @Override
        String holder(String name) {
            return taken.getOrDefault(name, "another run");
        }
    }

    private static final class Leased extends HeavyWork {

        private final Leases leases;
        private final Predicate<String> isDead;

        private Leased(Leases leases, Predicate<String> isDead) {
            this.leases = leases;
            this.isDead = isDead;
        }

        @Override
        @Nullable
        Place tryTake(String name, RunContext run) {
            String owner = run.lease().owner();
            Optional<Lease> lease = leases.take(name, owner)
                    .or(() -> leases.holder(name)
                            .filter(holder -> isDead.test(holder.owner()))
                            .flatMap(dead -> leases.takeOver(dead, owner)));
            return lease.<Place>map(taken -> () -> leases.release(taken)).orElse(null);
        }

        @Override
        String holder(String name) {
            return leases.holder(name).map(lease -> "a run of " + lease.owner()).orElse("another run");
        }
    }
}
