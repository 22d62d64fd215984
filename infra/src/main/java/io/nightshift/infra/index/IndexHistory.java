package io.nightshift.infra.index;

import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.lease.Lease;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;

/** What the nodes of clusters have used their indexes for, look by look. Thread-safe. */
public interface IndexHistory {

    /** How much longer than a window it is kept. */
    Duration MARGIN = Duration.ofDays(7);

    /** A database of a cluster. */
    record Place(String cluster, String database) {}

    /**
     * Keeps a look at the nodes that answered, all of it or nothing. Doing it again counts nothing twice.
     *
     * @param owner what the run that has looked is owned with
     * @param window what happened longer ago than that, and the margin, is forgotten
     * @throws io.nightshift.infra.resilience.NightshiftException REFUSED if another owner has taken the run over
     */
    void keep(Lease owner, Place place, List<IndexSnapshot> snapshots, Duration window);

    /**
     * What has happened up to now in a database.
     *
     * @param nodes those that the cluster has now
     */
    IndexActivity activity(Place place, Collection<NodeAddress> nodes, Instant now, Duration window);

    /** In memory, for as long as this process lives. */
    static IndexHistory ofThisProcess() {
        return new RememberedIndexHistory();
    }
}
