package io.nightshift.infra.restore;

/**
 * A session on a restored server that what its source's administrators have set for roles and databases does not reach:
 * those settings are in the data, and win over the server's files and its command line, but not over a session's own
 * (manual, "Parameter Interaction via the Database").
 */
public final class InertSession {

    private InertSession() {}

    /**
     * For libpq's and the driver's parameter {@code options}, or PGOPTIONS; a superuser's. Before 17 nothing turns event
     * triggers off but single-user mode: they still fire on DDL there.
     */
    public static String options(int major) {
        return "-c session_preload_libraries= -c local_preload_libraries="
                + (major >= 17 ? " -c event_triggers=off" : "");
    }
}
