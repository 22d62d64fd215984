package io.nightshift.scheduler.ledger;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Locale;

/**
 * This process, as leases and history name it.
 *
 * @param name unique: host, process id and a few random letters, since process ids come back
 */
public record NightshiftNode(String name, String host, long pid, Path home) {

    public static NightshiftNode thisProcess(Path home) {
        String host = hostName();
        long pid = ProcessHandle.current().pid();
        String random = Integer.toString(new SecureRandom().nextInt(36 * 36 * 36 * 36), 36);
        return new NightshiftNode(host + "-" + pid + "-" + random, host, pid, home);
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName().toLowerCase(Locale.ROOT);
        } catch (UnknownHostException unnamed) {
            return "localhost";
        }
    }
}
