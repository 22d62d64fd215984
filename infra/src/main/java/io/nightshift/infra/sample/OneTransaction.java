package io.nightshift.infra.sample;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.sql.Connection;
import java.sql.SQLException;

/** Work that happens whole or not at all, on a connection that is in auto-commit mode before and after. */
final class OneTransaction {

    @FunctionalInterface
    interface Work<T> {
        T run() throws SQLException;
    }

    private OneTransaction() {}

    static <T> T of(Connection connection, Work<T> work) throws SQLException {
        if (!connection.getAutoCommit()) {
            throw new NightshiftException(
                    FailureKind.BUG, "the connection handed to the Chanuka sample is in a transaction of its caller");
        }
        connection.setAutoCommit(false);
        try {
            T result = work.run();
            connection.commit();
            connection.setAutoCommit(true);
            return result;
        } catch (SQLException | RuntimeException failed) {
            undo(connection, failed);
            throw failed;
        }
    }

    /** The connection may be gone; the failure that is on its way says more than this one could. */
    private static void undo(Connection connection, Exception failed) {
        try {
            connection.rollback();
            connection.setAutoCommit(true);
        } catch (SQLException gone) {
            failed.addSuppressed(gone);
        }
    }
}
