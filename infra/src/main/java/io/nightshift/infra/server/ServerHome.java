package io.nightshift.infra.server;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Where the files of servers may lie: in the home folder, or, as root where the servers' unprivileged user cannot enter
 * the home, in a folder of its own under {@code /var/lib/nightshift}, named after the home so that two homes never meet.
 */
public final class ServerHome {

    private static final Path SYSTEM_WIDE = Path.of("/var/lib/nightshift");

    private ServerHome() {}

    /** The folder for the servers of this home; it need not exist. */
    public static Path of(Path home) {
        return of(home, ServerUser.of(home.resolve("no-data-directory")));
    }

    static Path of(Path home, ServerUser user) {
        Path absolute = home.toAbsolutePath().normalize();
        return user.barrier(absolute).isEmpty() ? absolute : SYSTEM_WIDE.resolve(start(absolute));
    }

    private static String start(Path absolute) {
        return Sha256.hex(absolute.toString().getBytes(StandardCharsets.UTF_8)).substring(0, 12);
    }
}
