package io.nightshift.jobs.backup;

import io.nightshift.infra.orchestrator.ManagedCluster;
import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.postgres.Capability;
import io.nightshift.infra.postgres.ServerFacts;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.routing.Intent;
import io.nightshift.infra.storage.Storage;
import io.nightshift.jobs.backup.SourceSettings.View;
import io.nightshift.jobs.backup.SourceState.Capacity;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * How a running server compares with what its {@link ClusterSetup} asks for, as the configured role sees it; and whether
 * the storages have room for its backups.
 *
 * @param node that was asked, the primary
 * @param version such as {@code 18.6}
 * @param clusterBytes size of the cluster; null when the role may not measure it
 * @param rooms one for each file system
 */
public record SetupComparison(
        String node,
        String version,
        List<Item> items,
        @Nullable Long clusterBytes,
        List<Room> rooms) {

    /** What has to happen to an item. */
    public enum State {
        RIGHT,
        MISSING,
        NEEDS_RELOAD,
        NEEDS_RESTART,
        NOT_EVALUATED
    }

    /**
     * One thing that a backup needs.
     *
     * @param now what the server has
     * @param remedy what makes it right; null where it is
     */
    public record Item(
            String name, String now, State state, @Nullable String remedy) {}

    /**
     * Where backups are kept.
     *
     * @param expected bytes of a full backup, in all storages that lie there; null when nobody knows
     * @param fulls how many of them fit
     */
    public record Room(
            List<String> storages,
            long free,
            @Nullable Long expected,
            @Nullable Long fulls) {

        static Room of(StorageSpace space) {
            Long expected = space.expected().orElse(null);
            return new Room(
                    space.storages(),
                    space.free(),
                    expected,
                    expected == null || expected == 0 ? null : (Long) (space.free() / expected));
        }
    }

    /** Whether something could not be compared. */
    public boolean isPartial() {
        return items.stream().anyMatch(item -> item.state() == State.NOT_EVALUATED);
    }

    public static SetupComparison of(ManagedCluster cluster, List<Storage> storages, Clock clock) {
        ManagedNode node = cluster.node(Intent.PRIMARY);
        try (Connection connection = node.direct("setup")) {
            SourceState state = SourceState.of(node, connection, clock);
            ServerFacts facts = state.facts();
            List<Item> items = new ArrayList<>();
            items.add(replicationAttribute(facts));
            items.addAll(grants(connection, facts));
            items.add(replicationLogin(node, state));
            items.addAll(settings(state));
            List<Storage> present = present(storages, items);
            return new SetupComparison(
                    node.address().toString(),
                    facts.version().toString(),
                    List.copyOf(items),
                    state.bytes(),
                    StorageSpace.of(present, cluster.name(), state.bytes()).stream()
                            .map(Room::of)
                            .toList());
        } catch (SQLException e) {
            throw SqlStates.failure("setup of cluster " + cluster.name() + " not compared", e);
        }
    }

    private static Item replicationAttribute(ServerFacts facts) {
        String name = "role " + ClusterSetup.quoted(facts.role().name());
        return facts.lack(Capability.REPLICATION)
                .map(lack -> new Item(name, "may not replicate", State.MISSING, lack.remedy()))
                .orElse(new Item(name, "may replicate", State.RIGHT, null));
    }

    private static List<Item> grants(Connection connection, ServerFacts facts) throws SQLException {
        String role = ClusterSetup.quoted(facts.role().name());
        List<Item> items = new ArrayList<>();
        for (String granted : ClusterSetup.GRANTED_ROLES) {
            boolean member = facts.role().has(granted);
            items.add(item(
                    granted,
                    member ? "granted" : "not granted",
                    member,
                    State.MISSING,
                    "GRANT " + granted + " TO " + role));
        }
        for (View view : List.of(SourceSettings.FILE_SETTINGS, SourceSettings.HBA_RULES)) {
            boolean readable = answer(connection, "SELECT has_table_privilege(?, 'SELECT')", view.name())
                    && answer(connection, "SELECT has_function_privilege(?, 'EXECUTE')", view.function());
            items.add(item(
                    view.name(), readable ? "readable" : "not readable", readable, State.MISSING, view.grants(role)));
        }
        return items;
    }

    private static boolean answer(Connection connection, String question, String about) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(question)) {
            statement.setString(1, about);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return row.getBoolean(1);
            }
        }
    }

    /** Rules of pg_hba.conf have an order, address ranges and groups; the one proof is to log in. */
    private static Item replicationLogin(ManagedNode node, SourceState state) {
        String name = "pg_hba.conf for replication";
        if (!state.facts().role().mayReplicate() || state.senders().free() < 1) {
            return new Item(name, "cannot be tried yet", State.NOT_EVALUATED, "mend the rest, then print this again");
        }
        try {
            node.replication("setup").close();
            return new Item(name, "lets us in", State.RIGHT, null);
        } catch (NightshiftException refused) {
            return new Item(name, "does not let us in", State.MISSING, refused.hint());
        }
    }

    private static List<Item> settings(SourceState state) {
        ServerFacts facts = state.facts();
        List<Item> items = new ArrayList<>();
        items.add(item(
                "wal_level",
                state.walLevel(),
                !state.walLevel().equals("minimal"),
                State.NEEDS_RESTART,
                "ALTER SYSTEM SET wal_level = replica"));
        items.add(capacity("max_wal_senders", state.senders(), ClusterSetup.FREE_SENDERS));
        items.add(capacity("max_replication_slots", state.slots(), ClusterSetup.FREE_SLOTS));
        items.add(
                facts.setting("summarize_wal").isEmpty()
                        ? new Item("summarize_wal", "PostgreSQL " + facts.version() + " has none", State.RIGHT, null)
                        : facts.lack(Capability.WAL_SUMMARIES)
                                .map(lack -> new Item("summarize_wal", "off", State.NEEDS_RELOAD, lack.remedy()))
                                .orElse(new Item("summarize_wal", "on", State.RIGHT, null)));
        boolean unlimited = state.walKept() < 0;
        items.add(item(
                "max_slot_wal_keep_size",
                unlimited ? "no limit" : state.walKept() + "MB",
                unlimited,
                State.NEEDS_RELOAD,
                "more than the WAL that is written while a backup runs, or -1"));
        return items;
    }

    @SuppressWarnings("try") // opened to see whether it can be
    private static List<Storage> present(List<Storage> storages, List<Item> items) {
        List<Storage> present = new ArrayList<>();
        for (Storage storage : storages) {
            try (Stream<String> folders = storage.folders("")) {
                present.add(storage);
            } catch (NightshiftException failed) {
                // A new storage, whose directory its first backup makes, or one that is not mounted.
                items.add(new Item(
                        "storage " + storage.name(),
                        String.valueOf(failed.getMessage()),
                        State.NOT_EVALUATED,
                        failed.hint()));
            }
        }
        return present;
    }

    private static Item capacity(String name, Capacity capacity, int needed) {
        return item(
                name,
                capacity.most() + ", " + capacity.free() + " free",
                capacity.free() >= needed,
                State.NEEDS_RESTART,
                "ALTER SYSTEM SET " + name + " = " + Math.max(10, capacity.most() - capacity.free() + needed));
    }

    private static Item item(String name, String now, boolean right, State otherwise, String remedy) {
        return new Item(name, now, right ? State.RIGHT : otherwise, right ? null : remedy);
    }
}
