package io.nightshift.jobs.integrity;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.orchestrator.HeavyWork;
import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.restore.LeasedCopy;
import io.nightshift.infra.restore.RestoredCopies;
import io.nightshift.infra.restore.RestoredCopy;
import io.nightshift.infra.routing.Intent;
import io.nightshift.infra.routing.ObservedCluster;
import io.nightshift.infra.run.RunContext;
import io.nightshift.jobs.integrity.IntegritySettings.Where;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Optional;

/** The server whose bytes a run judges, for as long as this is open. */
public sealed interface JudgedServer extends AutoCloseable {

    /** Any standby will do: what it has, it has. */
    Intent ANY_STANDBY = new Intent.Standby(new DataSize(Long.MAX_VALUE));

    /** As people name it; another name is another server. */
    @Override
    String toString();

    /** What is known of coverage is known of this. */
    String coverage();

    Connection connect(String database) throws SQLException;

    /** A session for what calls functions of the schema: where we are nobody's guest, by a role that may do no more than read. */
    default Connection connectToRead(String database) throws SQLException {
        return connect(database);
    }

    /** Whether it replays what another server writes, so that it gives no lock that writing takes. */
    default boolean isStandby() {
        return this instanceof Node node && node.role().equals(Node.STANDBY);
    }

    /** Whether all that is written is written there, and waits for what we hold. */
    default boolean isPrimary() {
        return this instanceof Node && !isStandby();
    }

    @Override
    void close();

    /** A restored copy that a restore test has kept. Nobody but jobs is there. */
    record Copy(LeasedCopy copy) implements JudgedServer {

        @Override
        public Connection connect(String database) throws SQLException {
            return copy.connect(database);
        }

        @Override
        public Connection connectToRead(String database) throws SQLException {
            return copy.connectToRead(database);
        }

        @Override
        public String coverage() {
            return "restored copy";
        }

        @Override
        public void close() {
            copy.close();
        }

        @Override
        public String toString() {
            return "restored copy of backup " + copy.copy().backup();
        }
    }

    /** A copy of a backup that was restored to look for one thing, and goes with its maker. */
    record Probed(RestoredCopy copy, String backup) implements JudgedServer {

        @Override
        public Connection connect(String database) throws SQLException {
            return copy.connect(database);
        }

        @Override
        public Connection connectToRead(String database) throws SQLException {
            return copy.connectToRead(database);
        }

        @Override
        public String coverage() {
            return toString();
        }

        @Override
        public void close() {
            // its maker throws it away
        }

        @Override
        public String toString() {
            return "backup " + backup;
        }
    }

    /** A node of the cluster, within its budget for heavy work. */
    record Node(ManagedNode node, String role, String purpose, HeavyWork.Place place) implements JudgedServer {

        static final String STANDBY = "standby";

        @Override
        public Connection connect(String database) {
            return node.direct(database, purpose);
        }

        @Override
        public String coverage() {
            return node.address().toString();
        }

        @Override
        public void close() {
            place.close();
        }

        @Override
        public String toString() {
            return role + " " + node.address();
        }
    }

    /** A node that is looked at beside the chosen server, so little at a time that it needs no place for heavy work. */
    static JudgedServer beside(ManagedCluster cluster, ManagedNode node, String purpose) {
        boolean isStandby = cluster.observed().standbys().stream()
                .anyMatch(standby -> standby.node().equals(node.address()));
        return new Node(node, isStandby ? Node.STANDBY : "primary", purpose, () -> {});
    }

    static JudgedServer choose(
            Where where, ManagedCluster cluster, RestoredCopies copies, RunContext run, Instant now) {
        if (where == Where.CHEAPEST) {
            Optional<LeasedCopy> copy = copies.present(cluster.name(), now);
            if (copy.isPresent()) {
                return new Copy(copy.get());
            }
        }
        boolean onStandby = where == Where.STANDBY || (where == Where.CHEAPEST && hasFitStandby(cluster.observeNow()));
        ManagedNode node = cluster.node(onStandby ? ANY_STANDBY : Intent.PRIMARY);
        return new Node(node, onStandby ? Node.STANDBY : "primary", run.purpose(), node.heavyWork(run));
    }

    /** One that follows its primary, not only one that is up. */
    private static boolean hasFitStandby(ObservedCluster now) {
        return now.standbys().stream().anyMatch(standby -> now.isFit(ANY_STANDBY, standby.node()));
    }
}
