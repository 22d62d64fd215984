package io.nightshift.infra.routing;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.config.SslMode;
import io.nightshift.infra.postgres.HbaEntry;
import io.nightshift.infra.postgres.Identifiers;
import io.nightshift.infra.postgres.ServerNotice;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.sql.SQLException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Why a node did not let us in, and what mends it, with the names that this cluster has. */
final class LoginFailures {

    /** A word of poolers only: a server takes any parameter, or refuses it with another code. */
    private static final String POOLER_SAYS = "unsupported startup parameter";

    private static final String PROTOCOL_VIOLATION = "08P01";
    /** pgjdbc's own: the server has no TLS, among others. */
    private static final String REJECTED_BY_CLIENT = "08004";

    private static final Set<SslMode> WITHOUT_TLS_TOO = Set.of(SslMode.DISABLE, SslMode.ALLOW, SslMode.PREFER);

    private final ClusterConfig cluster;

    LoginFailures(ClusterConfig cluster) {
        this.cluster = cluster;
    }

    NightshiftException of(NodeAddress node, String database, SQLException refused) {
        ServerNotice notice = ServerNotice.of(refused);
        String doing = "connection to " + node + " of cluster " + cluster.name() + " refused";
        if (notice.sqlState().equals(PROTOCOL_VIOLATION) && notice.message().contains(POOLER_SAYS)) {
            return pooler(node, "says: " + notice.text(), refused);
        }
        NightshiftException general = SqlStates.failure(doing, refused);
        String hint = hint(notice, database);
        return hint == null
                ? general
                : new NightshiftException(general.kind(), String.valueOf(general.getMessage()), hint, refused);
    }

    /** Nothing makes a pooler acceptable: it may change the server's session under our hands. */
    NightshiftException pooler(NodeAddress node, String evidence, @Nullable Throwable cause) {
        return new NightshiftException(
                FailureKind.CONFIGURATION,
                node + " of cluster " + cluster.name() + " is a connection pooler: it " + evidence,
                "name the server's own address and port in nodes of " + file(),
                cause);
    }

    NightshiftException proxy(NodeAddress node, String evidence) {
        return new NightshiftException(
                FailureKind.CONFIGURATION,
                node + " of cluster " + cluster.name() + " does not lead straight to a server: " + evidence,
                "name the server's own address and port in nodes of " + file()
                        + "; if what is in between always leads to this one server, such as the port mapping of a container,"
                        + " write behind-address-translation: true there");
    }

    private @Nullable String hint(ServerNotice notice, String database) {
        return switch (notice.sqlState()) {
            case SqlStates.INVALID_PASSWORD ->
                "correct the password in " + file() + ", its variable or .pgpass; or set it, in psql: \\password "
                        + quoted(cluster.username());
            case "28000" -> HbaEntry.hint(notice).map(this::orEncrypt).orElse(null);
            case SqlStates.INSUFFICIENT_PRIVILEGE ->
                "GRANT CONNECT ON DATABASE " + quoted(database) + " TO " + quoted(cluster.username());
            case "3D000" -> "correct database in " + file();
            case REJECTED_BY_CLIENT ->
                WITHOUT_TLS_TOO.contains(cluster.sslmode())
                        ? "give the role a password: " + file() + ", its variable or .pgpass"
                        : "set ssl = on at the server, or, where the network is to be trusted, sslmode: prefer in "
                                + file();
            default -> null;
        };
    }

    private String orEncrypt(String hint) {
        return WITHOUT_TLS_TOO.contains(cluster.sslmode())
                ? hint + "; where it has a hostssl line, write sslmode: require in " + file()
                : hint;
    }

    private String file() {
        return "clusters/" + cluster.name() + ".yaml";
    }

    private static String quoted(String name) {
        return Identifiers.quoted(name);
    }
}
