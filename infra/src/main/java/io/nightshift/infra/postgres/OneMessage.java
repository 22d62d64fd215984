package io.nightshift.infra.postgres;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.Encoding;
import org.postgresql.core.Field;
import org.postgresql.core.NativeQuery;
import org.postgresql.core.Query;
import org.postgresql.core.QueryExecutor;
import org.postgresql.core.ResultCursor;
import org.postgresql.core.ResultHandlerBase;
import org.postgresql.core.SqlCommand;
import org.postgresql.core.Tuple;
import org.postgresql.jdbc.PreferQueryMode;

/**
 * Executes a text as it is in one message of the extended query protocol, in which the server takes no more than one command
 * (PostgreSQL manual, "Message Flow"). Where a string ends in a text of others, and so where a second command would begin, is
 * for the server alone to say: pgjdbc does not read the text, and sends no part of it by itself.
 */
public final class OneMessage {

    private static final int FLAGS =
            QueryExecutor.QUERY_ONESHOT | QueryExecutor.QUERY_SUPPRESS_BEGIN | QueryExecutor.QUERY_NO_BINARY_TRANSFER;

    private OneMessage() {}

    /**
     * Returns the first value of the first row; null if it has none.
     *
     * @param session whose transaction has begun
     */
    public static @Nullable String execute(Connection session, String sql) throws SQLException {
        BaseConnection connection = session.unwrap(BaseConnection.class);
        QueryExecutor executor = connection.getQueryExecutor();
        if (executor.getPreferQueryMode() != PreferQueryMode.EXTENDED) {
            throw new IllegalStateException("preferQueryMode is " + executor.getPreferQueryMode());
        }
        var answer = new Answer(connection.getEncoding());
        Query whole = executor.wrap(List.of(new NativeQuery(sql, new int[0], false, SqlCommand.BLANK)));
        executor.execute(whole, null, answer, 0, 0, FLAGS);
        return answer.value;
    }

    private static final class Answer extends ResultHandlerBase {

        private final Encoding encoding;
        private @Nullable String value;

        Answer(Encoding encoding) {
            this.encoding = encoding;
        }

        @Override
        public void handleResultRows(Query query, Field[] fields, List<Tuple> rows, @Nullable ResultCursor cursor) {
            byte[] first = rows.isEmpty() ? null : rows.get(0).get(0);
            try {
                value = first == null ? null : encoding.decode(first);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void handleWarning(SQLWarning warning) {
            // Functions that planning calls may say whatever they like.
        }
    }
}
