package io.nightshift.infra.replication;

import io.nightshift.infra.postgres.HbaEntry;
import io.nightshift.infra.postgres.Identifiers;
import io.nightshift.infra.postgres.ServerNotice;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What a failure on a replication connection means, and what to do about it. */
final class ReplicationFailures {

    private static final Pattern QUOTED = Pattern.compile("[\"»«„“]([^\"»«”“]+)[\"»«”“]");
    /** program_limit_exceeded where a server gives it a code of its own, else internal_error. */
    private static final Set<String> TOO_LONG_FOR_TAR = Set.of("54000", "XX000");

    private static final int LONGEST_IN_TAR = 99;

    private ReplicationFailures() {}

    /** pgjdbc could not connect, encrypt or authenticate. */
    static NightshiftException connecting(String server, String username, SQLException exception) {
        String doing = "replication connection to " + server;
        NightshiftException general = SqlStates.failure(doing, exception);
        if (!ServerNotice.isIn(exception)) {
            return general;
        }
        String hint = connectionHint(ServerNotice.of(exception), username);
        // No server refuses the startup packet of a replication connection so; who names a pooler must act.
        FailureKind kind = "08P01".equals(exception.getSQLState()) ? FailureKind.CONFIGURATION : general.kind();
        return hint == null
                ? general
                : new NightshiftException(
                        kind, doing + ": " + ServerNotice.of(exception).text(), hint, exception);
    }

    /** A command failed on the connection. */
    static NightshiftException during(String doing, IOException exception) {
        if (exception instanceof ErrorResponse response) {
            return refused(doing, response);
        }
        if (exception instanceof ProtocolViolation) {
            return new NightshiftException(
                    FailureKind.POSTGRES_UNAVAILABLE,
                    doing + ": not the PostgreSQL protocol: " + exception.getMessage(),
                    "connect to the server itself, not through a pooler or a proxy",
                    exception);
        }
        if (exception instanceof SocketTimeoutException) {
            return new NightshiftException(
                    FailureKind.POSTGRES_UNAVAILABLE,
                    doing + ": the server was silent for too long",
                    "see whether the server's disks or the network hang",
                    exception);
        }
        return new NightshiftException(
                FailureKind.POSTGRES_UNAVAILABLE,
                doing + ": connection lost: " + exception.getMessage(),
                "see the server's log for whether it crashed or was stopped",
                exception);
    }

    private static NightshiftException refused(String doing, ErrorResponse response) {
        if (isNameTooLongForTar(response.error())) {
            return new NightshiftException(
                    FailureKind.CONFIGURATION,
                    doing + ": " + response.error().text(),
                    "PostgreSQL itself makes no such names: move the file out of the server's directories, or shorten it",
                    response);
        }
        NightshiftException general = SqlStates.failure(doing, response.error(), response);
        String hint = commandHint(response.error());
        return hint == null
                ? general
                : new NightshiftException(general.kind(), String.valueOf(general.getMessage()), hint, response);
    }

    /**
     * A path of 100 bytes or more in the data directory or a tablespace ends every base backup. The words of the
     * error are translated, but they quote the path.
     */
    private static boolean isNameTooLongForTar(ServerNotice error) {
        return TOO_LONG_FOR_TAR.contains(error.sqlState())
                && QUOTED.matcher(error.message())
                        .results()
                        .anyMatch(quoted -> quoted.group(1).getBytes(StandardCharsets.UTF_8).length > LONGEST_IN_TAR);
    }

    private static @Nullable String connectionHint(ServerNotice error, String username) {
        return switch (error.sqlState()) {
            case "28P01" -> "check the password of role " + username;
            case "28000" ->
                HbaEntry.hint(error)
                        .orElse("the role needs LOGIN, and pg_hba.conf a line such as: host replication " + username
                                + " <address of this machine> scram-sha-256");
            case "42501" -> "ALTER ROLE " + Identifiers.quoted(username) + " LOGIN REPLICATION";
            case "08P01" -> "name the server's own address and port: a connection pooler cannot replicate";
            default -> null;
        };
    }

    private static @Nullable String commandHint(ServerNotice error) {
        return switch (error.sqlState()) {
            case "42601" -> "this server does not know the command or the option; 15 to 18 are supported";
            case "42704" -> "create the replication slot, or correct its name";
            case "42710" -> "use another name, or drop the slot if nobody needs it";
            case "53400" -> "raise max_replication_slots, or drop slots that nobody uses";
            default -> null;
        };
    }
}
