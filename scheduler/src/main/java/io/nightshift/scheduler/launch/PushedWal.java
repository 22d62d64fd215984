package io.nightshift.scheduler.launch;

import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.wal.WalPushServer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes the WAL of servers whose {@code archive_command} is {@code nightshift wal push}, unless another process of this
 * home does, or cannot: few need it, and nothing else waits for it.
 */
public final class PushedWal implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(PushedWal.class);

    private final @Nullable WalPushServer server;

    private PushedWal(@Nullable WalPushServer server) {
        this.server = server;
    }

    public static PushedWal listen(Path socket, WalPushServer.Destinations destinations) {
        try {
            return new PushedWal(WalPushServer.listen(socket, destinations));
        } catch (NightshiftException refused) {
            LOG.warn("nightshift wal push does not work with this process: {}", refused.explained());
            return new PushedWal(null);
        }
    }

    @Override
    public void close() {
        if (server != null) {
            server.close();
        }
    }
}
