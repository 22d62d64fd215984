package io.nightshift.jobs.backup;

import io.nightshift.infra.orchestrator.ManagedNode;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunContext;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the server which tables and indexes are in damaged files, as a help for people: of the first {@value #MOST_FILES}
 * files, and whatever fails is left out. The catalogs may be what is damaged.
 */
final class DamagedRelations {

    static final int MOST_FILES = 20;

    private static final Logger LOG = LoggerFactory.getLogger(DamagedRelations.class);

    private final ManagedNode node;
    private final RunContext run;

    DamagedRelations(ManagedNode node, RunContext run) {
        this.node = node;
        this.run = run;
    }

    /** By path; a path that is no relation's, or that nobody knows, is not there. */
    Map<String, DamagedRelation> of(Collection<String> paths) {
        Map<String, DamagedRelation> found = new HashMap<>();
        try (ServerSession session = ServerSession.open(node, run)) {
            Connection maintenance = session.connection();
            for (String path : paths.stream().limit(MOST_FILES).toList()) {
                Optional<RelationFile> file = RelationFile.of(path);
                if (file.isPresent()) {
                    look(maintenance, file.get()).ifPresent(relation -> found.put(path, relation));
                }
            }
        } catch (SQLException | NightshiftException unanswered) {
            LOG.debug("relations of damaged files not found: {}", unanswered.getMessage());
        }
        return found;
    }

    private Optional<DamagedRelation> look(Connection maintenance, RelationFile file) {
        try {
            Optional<String> database = file.database() == null
                    ? Optional.of(maintenance.getCatalog())
                    : first(maintenance, "SELECT datname FROM pg_database WHERE oid = ?", file.database())
                            .map(row -> row.get(0));
            if (database.isEmpty()) {
                return Optional.empty();
            }
            try (ServerSession session = ServerSession.open(node, database.get(), run)) {
                return first(session.connection(), """
                                SELECT relkind, format('%I.%I', nspname, relname), nspname = 'pg_catalog',
                                       coalesce((SELECT ' of table ' || format('%I.%I', n.nspname, t.relname)
                                                   FROM pg_class AS t JOIN pg_namespace AS n ON n.oid = t.relnamespace
                                                  WHERE t.reltoastrelid = c.oid
                                                     OR t.oid = (SELECT indrelid FROM pg_index WHERE indexrelid = c.oid)), '')
                                  FROM pg_class AS c JOIN pg_namespace AS s ON s.oid = relnamespace
                                 WHERE c.oid = pg_filenode_relation(CAST(? AS oid), CAST(? AS oid))
                                """, file.tablespace(), file.filenode())
                        .map(row -> relation(file, row, database.get()));
            }
        } catch (SQLException | NightshiftException unanswered) {
            LOG.debug("relation of a damaged file not found: {}", unanswered.getMessage());
            return Optional.empty();
        }
    }

    private static DamagedRelation relation(RelationFile file, List<String> row, String database) {
        boolean index = row.get(0).equals("i");
        String kind = switch (row.get(0)) {
            case "i" -> "index ";
            case "t" -> "TOAST table ";
            case "S" -> "sequence ";
            case "m" -> "materialized view ";
            default -> "table ";
        };
        String name = row.get(1);
        String what = file.fork()
                + kind
                + name
                + row.get(3)
                + (file.database() == null ? ", which all databases share" : " in database " + database);
        if (index && file.fork().isEmpty()) {
            String concurrently = row.get(2).equals("t") ? "" : "CONCURRENTLY ";
            return new DamagedRelation(what, "then REINDEX INDEX " + concurrently + name + " in database " + database);
        }
        return new DamagedRelation(
                what,
                "then compare it with the newest backup that is not source-damaged: nightshift backups lists them");
    }

    private static Optional<List<String>> first(Connection connection, String sql, long... parameters)
            throws SQLException {
        try (Statement limit = connection.createStatement()) {
            limit.execute("SET statement_timeout = '5s'");
        }
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < parameters.length; i++) {
                statement.setLong(i + 1, parameters[i]);
            }
            try (ResultSet row = statement.executeQuery()) {
                if (!row.next()) {
                    return Optional.empty();
                }
                String[] columns = new String[row.getMetaData().getColumnCount()];
                for (int i = 0; i < columns.length; i++) {
                    columns[i] = row.getString(i + 1);
                }
                return Optional.of(List.of(columns));
            }
        }
    }
}
