package io.nightshift.infra.restore;

import io.nightshift.infra.server.PostgresServer;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/**
 * A kept copy in use: nobody throws it away before this is closed, also when its time is over. Others may be using it too.
 * What is written there is seen by them and gone with it.
 */
public final class LeasedCopy implements AutoCloseable {

    private final KeptCopy copy;
    private final PostgresServer server;
    private final CopyHold hold;

    LeasedCopy(KeptCopy copy, PostgresServer server, CopyHold hold) {
        this.copy = copy;
        this.server = server;
        this.hold = hold;
    }

    /** What is known of it. */
    public KeptCopy copy() {
        return copy;
    }

    /** A new session of a superuser; what the source's administrators set for roles does not reach it. */
    public Connection connect(String database) throws SQLException {
        return RestoredCopy.connect(server, database);
    }

    /**
     * A new session of a role that may read every row and nothing else: for statements of others. The role is made where it
     * is not there yet, and gone with the copy.
     */
    public Connection connectToRead(String database) throws SQLException {
        return RestoredCopy.connectToRead(server, database);
    }

    /** The databases that one can connect to, without templates. */
    public List<String> databases() {
        return RestoredCopy.databases(server, false);
    }

    @Override
    public void close() {
        try {
            hold.close();
        } catch (IOException failed) {
            throw TargetFailures.of(Path.of(copy.directory()), failed);
        }
    }
}
