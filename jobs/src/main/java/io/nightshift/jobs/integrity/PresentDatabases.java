package io.nightshift.jobs.integrity;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.Nearest;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.run.RunContext;
import java.util.List;
import java.util.Set;

/**
 * The databases that a cluster has now.
 *
 * @param lookedAt those that can be looked at, and that the configuration does not leave out
 */
record PresentDatabases(List<String> lookedAt, Set<String> all, ClusterConfig cluster) {

    static PresentDatabases of(ManagedNode primary, ManagedCluster cluster, RunContext run) {
        List<String> lookedAt = Databases.of(primary, cluster, run);
        return new PresentDatabases(lookedAt, Databases.all(primary, run), cluster.config());
    }

    /** Whether there is one of this name, or was none to be looked at. */
    boolean isGone(String database) {
        return !all.contains(database) && !lookedAt.contains(database) && !isLeftOut(database);
    }

    boolean isLeftOut(String database) {
        return !cluster.databases().includes(database);
    }

    /** Whether it is there, and is not looked at although the configuration does not leave it out. */
    boolean isClosed(String database) {
        return all.contains(database) && !lookedAt.contains(database) && !isLeftOut(database);
    }

    /** Why one that something is expected of is not looked at. */
    String whyNot(String database) {
        if (isLeftOut(database)) {
            return "databases of clusters/" + cluster.name() + ".yaml leaves database " + database + " out";
        }
        return all.contains(database)
                ? "database " + database + " is a template or takes no connections"
                : "cluster " + cluster.name() + " has no database " + database
                        + Nearest.of(database, lookedAt)
                                .map(near -> "; did you mean " + near + "?")
                                .orElse("");
    }
}
