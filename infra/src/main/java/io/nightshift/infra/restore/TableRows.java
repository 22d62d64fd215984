package io.nightshift.infra.restore;

import io.nightshift.infra.postgres.Identifiers;
import java.io.IOException;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.postgresql.PGConnection;

/** The rows of a table on their way from a restored server into another one, by COPY; memory does not grow with them. */
public final class TableRows {

    private TableRows() {}

    /**
     * Copies all rows into a table of the same name and columns; all of them, or none: an end of the data that is none does
     * not look different to COPY.
     *
     * @param to outside a transaction
     * @return how many
     */
    public static long copy(Connection from, Connection to, String table) throws SQLException, IOException {
        to.setAutoCommit(false);
        try {
            long rows = pass(from, to, Identifiers.quoted(table));
            to.commit();
            return rows;
        } finally {
            to.rollback();
            to.setAutoCommit(true);
        }
    }

    private static long pass(Connection from, Connection to, String name) throws SQLException, IOException {
        try (PipedOutputStream out = new PipedOutputStream();
                InputStream in = new PipedInputStream(out, 1 << 16)) {
            CompletableFuture<Long> sent = CompletableFuture.supplyAsync(() -> {
                try (out) {
                    return from.unwrap(PGConnection.class)
                            .getCopyAPI()
                            .copyOut("COPY " + name + " TO STDOUT (FORMAT binary)", out);
                } catch (SQLException | IOException e) {
                    throw new CompletionException(e);
                }
            });
            long rows = to.unwrap(PGConnection.class)
                    .getCopyAPI()
                    .copyIn("COPY " + name + " FROM STDIN (FORMAT binary)", in);
            requireSent(sent);
            return rows;
        }
    }

    private static void requireSent(CompletableFuture<Long> sent) throws SQLException {
        try {
            sent.join();
        } catch (CompletionException failed) {
            throw failed.getCause() instanceof SQLException lost ? lost : new SQLException(failed.getCause());
        }
    }
}
