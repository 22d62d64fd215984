package io.nightshift.infra.replication;

import io.nightshift.infra.postgres.ServerNotice;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** What a failure on a replication connection means, and what to do about it. */
final class ReplicationFailures {

    private ReplicationFailures() {}

    /** pgjdbc could not connect, encrypt or authenticate. */
    static NightshiftException connecting(String server, String username, SQLException exception) {
        String doing = "replication connection to " + server;
        String hint = connectionHint(ServerNotice.of(exception), username);
        NightshiftException general = SqlStates.failure(doing, exception);
        return hint == null
                ? general
                : new NightshiftException(
                        general.kind(),
                        doing + ": " + ServerNotice.of(exception).text(),
                        hint,
                        exception);
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
        NightshiftException general = SqlStates.failure(doing, response.error(), response);
        String hint = commandHint(response.error());
        return hint == null
                ? general
                : new NightshiftException(general.kind(), String.valueOf(general.getMessage()), hint, response);
    }

    private static @Nullable String connectionHint(ServerNotice error, String username) {
        return switch (error.sqlState()) {
            case "28P01" -> "check the password of role " + username;
            case "28000" ->
                "the role needs LOGIN, and pg_hba.conf a line such as: host replication " + username
                        + " <address of this machine> scram-sha-256";
            case "42501" -> "ALTER ROLE \"" + username + "\" LOGIN REPLICATION";
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
