package io.nightshift.infra.config;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The databases of a cluster that are worked on: all, only some, or all but some. Templates that allow no connections
 * are never among them.
 */
public record DatabaseSelection(
        @Nullable List<String> only, @Nullable List<String> except) {

    public static final DatabaseSelection ALL = new DatabaseSelection(null, null);

    public DatabaseSelection {
        new Refusals()
                .when(only != null && except != null, "only stands beside except; keep one of the two")
                .when(only != null && only.isEmpty(), "only is empty, which selects no database")
                .throwIfAny();
    }

    public boolean includes(String database) {
        return only != null ? only.contains(database) : except == null || !except.contains(database);
    }
}
