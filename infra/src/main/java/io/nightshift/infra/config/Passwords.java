package io.nightshift.infra.config;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the password of a connection: the cluster's own, otherwise from libpq's password file ({@code PGPASSFILE}, or
 * {@code .pgpass} in the home of the user); see "The Password File" in the libpq chapter of the PostgreSQL manual. The
 * file, and one that the configuration names, is read at every connection, so that a changed password needs no restart. Like libpq, a file that others can read
 * is not used. Thread-safe.
 */
public final class Passwords {

    private static final Logger log = LoggerFactory.getLogger(Passwords.class);

    private static final Set<PosixFilePermission> OTHERS =
            EnumSet.range(PosixFilePermission.GROUP_READ, PosixFilePermission.OTHERS_EXECUTE);

    private final @Nullable Path file;
    private volatile @Nullable String lastComplaint;

    Passwords(@Nullable Path file) {
        this.file = file;
    }

    /** With the password file that libpq would use in this environment. */
    public static Passwords of(Map<String, String> environment) {
        String named = environment.get("PGPASSFILE");
        String home = environment.getOrDefault("HOME", System.getProperty("user.home", ""));
        if (named != null && !named.isEmpty()) {
            return new Passwords(Path.of(named));
        }
        return new Passwords(home.isEmpty() ? null : Path.of(home, ".pgpass"));
    }

    /**
     * The password to offer to a node, if there is one: with trust, peer or certificate authentication none is needed.
     *
     * @param database {@code replication} for a replication connection
     */
    public Optional<Secret> of(ClusterConfig cluster, NodeAddress node, String database) {
        return cluster.password() != null
                ? Optional.of(cluster.password().asOfNow())
                : fromFile(node, database, cluster.username());
    }

    /** Why the password file is not used although it is there, if so. */
    public Optional<String> complaint() {
        if (file == null || !Files.exists(file)) {
            return Optional.empty();
        }
        if (!Files.isRegularFile(file)) {
            return Optional.of("password file " + file + " is not used: it is no plain file");
        }
        try {
            return Files.getPosixFilePermissions(file).stream().anyMatch(OTHERS::contains)
                    ? Optional.of("password file " + file + " is not used: its group or others have access; chmod 0600")
                    : Optional.empty();
        } catch (UnsupportedOperationException notPosix) {
            return Optional.empty();
        } catch (IOException unreadable) {
            return Optional.of("password file " + file + " is not used: " + Failures.words(unreadable));
        }
    }

    private Optional<Secret> fromFile(NodeAddress node, String database, String username) {
        if (file == null || !Files.exists(file)) {
            return Optional.empty();
        }
        Optional<String> complaint = complaint();
        if (complaint.isPresent()) {
            complain(complaint.get());
            return Optional.empty();
        }
        try {
            // A comment in another encoding must not cost the lines that are fine.
            String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
            for (String line : text.lines().toList()) {
                Optional<Secret> password =
                        PasswordFileLine.parse(line).flatMap(parsed -> parsed.passwordFor(node, database, username));
                if (password.isPresent()) {
                    return password;
                }
            }
        } catch (IOException unreadable) {
            complain("password file " + file + " is not used: " + Failures.words(unreadable));
        }
        return Optional.empty();
    }

    /** Says the same thing once, not at every connection. */
    private void complain(String complaint) {
        if (!complaint.equals(lastComplaint)) {
            lastComplaint = complaint;
            log.warn("{}", complaint);
        }
    }
}
