package io.nightshift.infra.orchestrator;

import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.lease.Lease;
import io.nightshift.infra.lease.Leases;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunContext;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Who works a node hard: as many runs at a time as its cluster takes, as far as this budget reaches. Thread-safe. */
public abstract class HeavyWork {

    private static final Logger LOG = LoggerFactory.getLogger(HeavyWork.class);

    private static final Duration RELEASE_AGAIN = Duration.ofSeconds(1);
    private static final Duration LOOK_AGAIN = Duration.ofMillis(250);

    private HeavyWork() {}

    /** The place of a run on a node; closing gives it back, and never fails. */
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

    /**
     * Waits for one of the node's places, visibly, until one is free or the run is stopped.
     *
     * @param places how many there are
     */
    final Place take(String cluster, NodeAddress node, int places, RunContext run) {
        List<String> names = IntStream.range(0, places)
                .mapToObj(place -> "heavy/" + cluster + "/" + node + "/" + place)
                .toList();
        boolean waits = false;
        while (true) {
            Place place = waits ? tryAgain(names, run) : tryTake(names, run);
            if (place != null) {
                return place;
            }
            if (!waits) {
                waits = true;
                run.progress().begin("wait for " + holder(names.get(0)) + ", which works " + node + " hard", null, "");
            }
            run.cancellation().check();
            LockSupport.parkNanos(LOOK_AGAIN.toNanos());
        }
    }

    /** Whoever waits already goes on waiting while nobody can be asked. */
    private @Nullable Place tryAgain(List<String> names, RunContext run) {
        try {
            return tryTake(names, run);
        } catch (NightshiftException away) {
            if (!away.kind().isTransient()) {
                throw away;
            }
            return null;
        }
    }

    private @Nullable Place tryTake(List<String> names, RunContext run) {
        for (String name : names) {
            Place place = tryTake(name, run);
            if (place != null) {
                return place;
            }
        }
        return null;
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
        private final Set<Lease> held = new HashSet<>();
        private final Set<Lease> unreleased = new HashSet<>();

        private Leased(Leases leases, Predicate<String> isDead) {
            this.leases = leases;
            this.isDead = isDead;
        }

        @Override
        @Nullable
        synchronized Place tryTake(String name, RunContext run) {
            String owner = run.lease().owner();
            Optional<Lease> lease = leases.take(name, owner)
                    .or(() -> leases.holder(name)
                            .filter(holder -> isDead.test(holder.owner()) || isLeftBehind(holder, owner))
                            .flatMap(dead -> leases.takeOver(dead, owner)));
            lease.ifPresent(held::add);
            return lease.<Place>map(taken -> () -> release(taken)).orElse(null);
        }

        /** Taken by this process, which never heard so; or given back, which the control database never heard. */
        private boolean isLeftBehind(Lease lease, String owner) {
            return lease.owner().equals(owner) && !held.contains(lease);
        }

        /** The work is done, whatever becomes of its place: other processes must not wait for it for ever. */
        private synchronized void release(Lease lease) {
            held.remove(lease);
            try {
                leases.release(lease);
            } catch (NightshiftException away) {
                LOG.warn("{}; tried again until it is", away.getMessage());
                if (unreleased.isEmpty()) {
                    Thread releasing = new Thread(this::releaseLater, "heavy-work-release");
                    releasing.setDaemon(true);
                    releasing.start();
                }
                unreleased.add(lease);
            }
        }

        private void releaseLater() {
            do {
                LockSupport.parkNanos(RELEASE_AGAIN.toNanos());
            } while (!releaseAll());
        }

        private synchronized boolean releaseAll() {
            unreleased.removeIf(lease -> {
                try {
                    leases.release(lease);
                    return true;
                } catch (NightshiftException stillAway) {
                    return false;
                }
            });
            return unreleased.isEmpty();
        }

        @Override
        String holder(String name) {
            return leases.holder(name).map(lease -> "a run of " + lease.owner()).orElse("another run");
        }
    }
}
