package io.nightshift.infra.index;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * Which standbys take WAL from a node ({@code pg_stat_replication}), and whether it takes some itself
 * ({@code pg_stat_wal_receiver}). Where nodes feed more standbys than take WAL among them, there is one that we do not know.
 *
 * @param standbys names and addresses; whoever replays nothing is none, whoever the role may not see may be one
 */
public record WalStreams(List<String> standbys, boolean receives) {

    private static final String STANDBYS = """
            SELECT format('%s at %s', coalesce(nullif(r.application_name, ''), 'one'), coalesce(host(r.client_addr), 'a socket'))
              FROM pg_stat_replication r
             WHERE (r.replay_lsn IS NOT NULL OR r.state IS NULL)
               AND NOT EXISTS (SELECT FROM pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical')
             ORDER BY 1
            """;

    public WalStreams {
        standbys = List.copyOf(standbys);
    }

    public static WalStreams read(Connection session) throws SQLException {
        List<String> standbys = new ArrayList<>();
        try (Statement statement = session.createStatement()) {
            try (ResultSet row = statement.executeQuery(STANDBYS)) {
                while (row.next()) {
                    standbys.add(row.getString(1));
                }
            }
            try (ResultSet row = statement.executeQuery("SELECT EXISTS (SELECT FROM pg_stat_wal_receiver)")) {
                row.next();
                return new WalStreams(standbys, row.getBoolean(1));
            }
        }
    }

    /** That some standby is none of the nodes that these are of; empty if none is seen. */
    public static Optional<String> unlisted(Collection<WalStreams> nodes) {
        List<String> standbys =
                nodes.stream().flatMap(node -> node.standbys().stream()).toList();
        long known = nodes.stream().filter(WalStreams::receives).count();
        return standbys.size() <= known
                ? Optional.empty()
                : Optional.of(
                        "standbys take WAL from these nodes (" + String.join(", ", standbys) + "), of which " + known
                                + (known == 1 ? " is" : " are") + " among nodes: what the others use is not known\n"
                                + "HINT: name every standby in nodes of the cluster's file");
    }
}
