package io.nightshift.infra.health;

import io.nightshift.infra.postgres.Identifiers;
import java.sql.SQLException;
import java.util.List;

/** Who keeps vacuum from removing dead tuples: the oldest of sessions, standbys, prepared transactions and slots. */
final class XminHorizonCheck extends SqlCheck {

    private static final String SQL = """
            SELECT kind, name, role, age FROM (
                SELECT CASE backend_type WHEN 'walsender' THEN 'standby' ELSE 'session' END AS kind,
                       CASE backend_type WHEN 'walsender' THEN application_name ELSE pid::text END AS name,
                       coalesce(quote_ident(usename), backend_type) AS role,
                       greatest(age(backend_xmin), age(backend_xid))::bigint AS age
                FROM pg_stat_activity
                WHERE pid <> pg_backend_pid() AND backend_type <> 'autovacuum worker'
                UNION ALL
                SELECT 'prepared transaction', gid, quote_ident(owner), age(transaction)::bigint FROM pg_prepared_xacts
                UNION ALL
                SELECT 'slot', slot_name, slot_type, greatest(age(xmin), age(catalog_xmin))::bigint
                FROM pg_replication_slots) AS holders
            WHERE age IS NOT NULL
            ORDER BY age DESC, name
            LIMIT 1
            """;

    private record Holder(String kind, String name, String role, long age) {}

    XminHorizonCheck() {
        super("xmin-horizon", Where.PRIMARY, "somebody keeps vacuum from removing dead tuples");
    }

    @Override
    List<HealthResult> evaluate(HealthSession session) throws SQLException {
        List<Holder> holders = session.query(
                SQL,
                row -> new Holder(
                        row.getString("kind"), row.getString("name"), row.getString("role"), row.getLong("age")));
        return holders.stream()
                .flatMap(holder -> session.settings().xminHorizon().severity(holder.age()).stream()
                        .<HealthResult>map(severity -> wrong(
                                severity,
                                session.address(),
                                "dead tuples of the last " + Words.number(holder.age())
                                        + " transactions cannot be removed: " + who(holder) + " holds them",
                                remedy(holder))))
                .toList();
    }

    private static String who(Holder holder) {
        return switch (holder.kind()) {
            case "session" -> "process " + holder.name() + " of " + holder.role();
            case "standby" -> "a query on standby " + holder.name() + ", through hot_standby_feedback,";
            case "slot" -> holder.role() + " replication slot " + holder.name();
            default -> "prepared transaction " + holder.name() + " of role " + holder.role();
        };
    }

    private static String remedy(Holder holder) {
        return switch (holder.kind()) {
            case "session" -> "SELECT pg_terminate_backend(" + holder.name() + ")";
            case "standby" ->
                "on that standby: SELECT pid, xact_start, query FROM pg_stat_activity WHERE backend_xmin IS"
                        + " NOT NULL ORDER BY age(backend_xmin) DESC; then end the oldest";
            case "slot" ->
                "let its consumer catch up, or, if it is gone: SELECT pg_drop_replication_slot("
                        + Identifiers.literal(holder.name()) + ")";
            default ->
                "ROLLBACK PREPARED " + Identifiers.literal(holder.name()) + " or COMMIT PREPARED "
                        + Identifiers.literal(holder.name()) + ", whichever its transaction manager decided";
        };
    }
}
