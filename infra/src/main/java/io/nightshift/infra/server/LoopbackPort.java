package io.nightshift.infra.server;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Ports on 127.0.0.1. They are taken from below the ranges that operating systems give to outgoing connections, so that
 * a stopped server finds its port still free when it starts again.
 */
public final class LoopbackPort {

    private static final int FIRST = 20_000;
    private static final int END = 32_000;
    private static final byte[] LOOPBACK = {127, 0, 0, 1};
    private static final int ATTEMPTS = 200;

    private LoopbackPort() {}

    public static int free() {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            int port = ThreadLocalRandom.current().nextInt(FIRST, END);
            if (isFree(port)) {
                return port;
            }
        }
        throw new NightshiftException(
                FailureKind.RESOURCES_EXHAUSTED,
                "found no free port on 127.0.0.1 between " + FIRST + " and " + END + " in " + ATTEMPTS + " attempts",
                "see what listens there (ss -ltn)");
    }

    static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getByAddress(LOOPBACK), port));
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
