package io.nightshift.infra.sample;

import io.nightshift.infra.postgres.Lsn;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Matcher;

/** One connection of the workload with its prepared statements. Not thread-safe. */
final class WorkloadSession implements AutoCloseable {

    private record Prepared(PreparedStatement statement, List<String> parameters) {}

    private final Connection connection;
    private final boolean commitLog;
    private final Consumer<LoggedCommit> confirmed;
    private final Map<ChanukaTransaction, Prepared> statements = new EnumMap<>(ChanukaTransaction.class);

    WorkloadSession(Connection connection, boolean commitLog, Consumer<LoggedCommit> confirmed) {
        this.connection = connection;
        this.commitLog = commitLog;
        this.confirmed = confirmed;
    }

    void run(ChanukaTransaction kind, Choice choice) throws SQLException {
        if (commitLog && kind.writes()) {
            runLogged(kind, choice);
        } else {
            execute(kind, choice);
        }
    }

    private void execute(ChanukaTransaction kind, Choice choice) throws SQLException {
        Prepared prepared = statements.get(kind);
        if (prepared == null) {
            prepared = prepare(kind);
            statements.put(kind, prepared);
        }
        Map<String, Object> values = new HashMap<>();
        for (int i = 0; i < prepared.parameters().size(); i++) {
            prepared.statement()
                    .setObject(
                            i + 1, values.computeIfAbsent(prepared.parameters().get(i), choice::of));
        }
        prepared.statement().execute();
    }

    private Prepared prepare(ChanukaTransaction kind) throws SQLException {
        Matcher parameters = SqlScript.VARIABLE.matcher(kind.sql());
        List<String> names =
                parameters.results().map(parameter -> parameter.group(1)).toList();
        return new Prepared(connection.prepareStatement(parameters.replaceAll("?")), names);
    }

    /** The row is part of the write's own transaction: it is in a backup exactly if the write is. */
    private void runLogged(ChanukaTransaction kind, Choice choice) throws SQLException {
        connection.setAutoCommit(false);
        execute(kind, choice);
        long id;
        Lsn before;
        try (PreparedStatement log = connection.prepareStatement(
                "INSERT INTO chanuka.commit_log (kind) VALUES (?) RETURNING id, insert_lsn::text")) {
            log.setString(1, kind.name());
            try (ResultSet row = log.executeQuery()) {
                row.next();
                id = row.getLong(1);
                before = Lsn.parse(row.getString(2));
            }
        }
        connection.commit();
        connection.setAutoCommit(true);
        confirmed.accept(new LoggedCommit(id, kind, before, insertLsn()));
    }

    private Lsn insertLsn() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("SELECT pg_current_wal_insert_lsn()::text");
                ResultSet row = statement.executeQuery()) {
            row.next();
            return Lsn.parse(row.getString(1));
        }
    }

    @Override
    public void close() throws SQLException {
        for (Prepared prepared : statements.values()) {
            prepared.statement().close();
        }
    }
}
