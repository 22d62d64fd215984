package io.nightshift.infra.postgres;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.EOFException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.security.cert.CertificateException;
import java.sql.SQLException;
import java.util.Map;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.GT;

/**
 * Who must act on a SQLSTATE, and what they can do (PostgreSQL manual, appendix "PostgreSQL Error Codes"). The code
 * decides; the message, which servers translate, is only read where one code has two meanings.
 */
public final class SqlStates {

    public static final String UNIQUE_VIOLATION = "23505";
    public static final String READ_ONLY = "25006";
    public static final String INVALID_PASSWORD = "28P01";
    public static final String INSUFFICIENT_PRIVILEGE = "42501";
    public static final String TOO_MANY_CONNECTIONS = "53300";
    public static final String OBJECT_NOT_IN_PREREQUISITE_STATE = "55000";
    public static final String OBJECT_IN_USE = "55006";
    public static final String LOCK_NOT_AVAILABLE = "55P03";
    public static final String QUERY_CANCELED = "57014";
    public static final String INTERNAL_ERROR = "XX000";
    public static final String DATA_CORRUPTED = "XX001";

    private static final String NOT_CONNECTED = "08001";

    /** Exact codes; they win over their class. */
    private static final Map<String, FailureKind> CODES = Map.ofEntries(
            Map.entry("08004", FailureKind.CONFIGURATION), // pgjdbc: no password given, no TLS, wrong server signature
            Map.entry(READ_ONLY, FailureKind.POSTGRES_UNAVAILABLE), // the primary has become a standby
            Map.entry("3D000", FailureKind.CONFIGURATION),
            Map.entry("3F000", FailureKind.CONFIGURATION),
            Map.entry("42501", FailureKind.CONFIGURATION),
            Map.entry(
                    "42703",
                    FailureKind.CONFIGURATION), // an object that is not there: renamed, or an extension missing
            Map.entry("42704", FailureKind.CONFIGURATION),
            Map.entry("42710", FailureKind.REFUSED), // the slot exists already
            Map.entry("42883", FailureKind.CONFIGURATION),
            Map.entry("42P01", FailureKind.CONFIGURATION),
            Map.entry("53400", FailureKind.RESOURCES_EXHAUSTED),
            Map.entry("55000", FailureKind.CONFIGURATION), // a setting or a state that the command needs
            Map.entry("55006", FailureKind.REFUSED),
            Map.entry("55P03", FailureKind.REFUSED),
            Map.entry(QUERY_CANCELED, FailureKind.CANCELLED),
            Map.entry("57P04", FailureKind.CONFIGURATION),
            Map.entry("58000", FailureKind.POSTGRES_UNAVAILABLE),
            Map.entry("58030", FailureKind.DATA_DAMAGED),
            Map.entry("58P01", FailureKind.DATA_DAMAGED),
            Map.entry("XX001", FailureKind.DATA_DAMAGED),
            Map.entry("XX002", FailureKind.DATA_DAMAGED));

    private static final Map<String, FailureKind> CLASSES = Map.of(
            "08", FailureKind.POSTGRES_UNAVAILABLE,
            "23", FailureKind.DATA_DAMAGED,
            "28", FailureKind.CONFIGURATION,
            "40", FailureKind.POSTGRES_UNAVAILABLE,
            "53", FailureKind.RESOURCES_EXHAUSTED,
            "54", FailureKind.RESOURCES_EXHAUSTED,
            "57", FailureKind.POSTGRES_UNAVAILABLE,
            "F0", FailureKind.CONFIGURATION,
            "P0", FailureKind.CONFIGURATION);

    private static final String HALF_A_LOGIN = "Invalid SCRAM client initialization";

    private SqlStates() {}

    /** Who must act on this SQLSTATE; what nobody outside can help is a bug of ours. */
    public static FailureKind kind(@Nullable String sqlState) {
        if (sqlState == null || sqlState.length() != 5) {
            return FailureKind.BUG;
        }
        FailureKind exact = CODES.get(sqlState);
        return exact != null ? exact : CLASSES.getOrDefault(sqlState.substring(0, 2), FailureKind.BUG);
    }

    /**
     * The failure of something done through JDBC.
     *
     * @param doing what was being done to what, such as {@code base backup from db1:5432}
     */
    public static NightshiftException failure(String doing, SQLException exception) {
        if (hasUntrustedCertificate(exception)) {
            return new NightshiftException(
                    FailureKind.CONFIGURATION,
                    doing + ": " + oneLine(exception),
                    "check sslmode, sslrootcert and the host name in the server's certificate",
                    exception);
        }
        if (isSilence(exception)) {
            return new NightshiftException(
                    FailureKind.POSTGRES_UNAVAILABLE,
                    doing + ": the server was silent for too long",
                    "see whether the server, its disks or the network hang; then run the job again",
                    exception);
        }
        ServerNotice error = ServerNotice.of(exception);
        if (isCut(exception) && kind(error.sqlState()) != FailureKind.POSTGRES_UNAVAILABLE) {
            // pgjdbc takes half a message of the login for a wrong one.
            return new NightshiftException(
                    FailureKind.POSTGRES_UNAVAILABLE,
                    doing + ": connection lost: " + oneLine(exception),
                    "check that the server runs and that the network lets us in",
                    exception);
        }
        return failure(doing, error, exception);
    }

    /** The failure that a server's ErrorResponse means. */
    public static NightshiftException failure(String doing, ServerNotice error, @Nullable Throwable cause) {
        return new NightshiftException(kind(error.sqlState()), doing + ": " + error.text(), hint(error), cause);
    }

    private static @Nullable String hint(ServerNotice error) {
        String known = knownHint(error);
        return known != null ? known : error.hint();
    }

    private static @Nullable String knownHint(ServerNotice error) {
        return switch (error.sqlState()) {
            case "28P01" -> "check user name and password";
            case "28000" ->
                "check that the role may log in and that pg_hba.conf has a line for it, then reload the server";
            case "3F000", "42703", "42704", "42883", "42P01" ->
                "see whether it was renamed or dropped, or whether an extension is missing";
            case "42501" -> "grant the role what it lacks: nightshift setup CLUSTER --print lists the grants";
            case "53100" -> "make room on the server's disk";
            case "53200" -> "the server ran out of memory: see its log";
            case "53300" ->
                error.message().contains("max_wal_senders")
                        ? "raise max_wal_senders, or do not overlap this job with other backups and standbys"
                        : "raise max_connections, or let fewer sessions run at night";
            case "55006" -> "wait for the other session, or end it";
            case "57P03" -> "wait until the server has started or recovered";
            case "57P01", "57P02", "57P05" -> "see the server's log for who ended the session";
            case "XX001", "XX002" -> "run integrity-validation, and keep the older backups";
            default ->
                error.sqlState().startsWith("08") ? "check that the server runs and that the network lets us in" : null;
        };
    }

    private static boolean isCut(SQLException exception) {
        // Here pgjdbc keeps neither the cause nor a code of its own for a connection that ends in the middle of a
        // login.
        if (!ServerNotice.isIn(exception) && GT.tr(HALF_A_LOGIN).equals(exception.getMessage())) {
            return true;
        }
        for (Throwable cause = exception; cause != null; cause = cause.getCause()) {
            if (cause instanceof EOFException || cause instanceof SocketException) {
                return true;
            }
        }
        return false;
    }

    /** A read that timed out; connecting has words of its own for it. */
    private static boolean isSilence(SQLException exception) {
        for (Throwable cause = exception; cause != null; cause = cause.getCause()) {
            if (cause instanceof SocketTimeoutException) {
                return !NOT_CONNECTED.equals(exception.getSQLState());
            }
        }
        return false;
    }

    /** A handshake that failed on trust, not on a cut connection. */
    private static boolean hasUntrustedCertificate(Throwable thrown) {
        boolean handshake = false;
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof EOFException || cause instanceof SocketException) {
                return false;
            }
            handshake |= cause instanceof SSLHandshakeException
                    || cause instanceof SSLPeerUnverifiedException
                    || cause instanceof CertificateException;
        }
        return handshake;
    }

    private static String oneLine(SQLException exception) {
        return String.valueOf(exception.getMessage()).replace('\n', ' ');
    }
}
