package io.nightshift.infra.restore;

import io.nightshift.infra.postgres.Identifiers;
import io.nightshift.infra.postgres.SqlStates;
import io.nightshift.infra.server.PostgresServer;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * The settings that the planner decides by (manual, "Query Planning", "Memory", "Asynchronous Behavior"). All of them may be
 * changed while a server runs. Those of databases are in the data; memory that is taken at the start is not here.
 *
 * @param taken how many were set as they were at the source
 * @param refused what this server does not take, each with the reason
 */
record PlanSettings(int taken, List<String> refused) {

    private static final Set<String> NAMES = Set.of(
            "work_mem",
            "hash_mem_multiplier",
            "effective_cache_size",
            "effective_io_concurrency",
            "seq_page_cost",
            "random_page_cost",
            "cpu_tuple_cost",
            "cpu_index_tuple_cost",
            "cpu_operator_cost",
            "parallel_setup_cost",
            "parallel_tuple_cost",
            "parallel_leader_participation",
            "min_parallel_table_scan_size",
            "min_parallel_index_scan_size",
            "max_parallel_workers",
            "max_parallel_workers_per_gather",
            "jit",
            "jit_above_cost",
            "jit_inline_above_cost",
            "jit_optimize_above_cost",
            "default_statistics_target",
            "constraint_exclusion",
            "cursor_tuple_fraction",
            "from_collapse_limit",
            "join_collapse_limit",
            "plan_cache_mode",
            "recursive_worktable_factor");

    PlanSettings {
        refused = List.copyOf(refused);
    }

    static boolean isOne(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return NAMES.contains(lower) || lower.startsWith("enable_") || lower.startsWith("geqo");
    }

    /** @param source all that differed there from PostgreSQL's own, by name */
    static PlanSettings apply(PostgresServer server, Map<String, String> source) {
        int taken = 0;
        List<String> refused = new ArrayList<>();
        try (Connection connection = RestoredCopy.connect(server, "template1");
                Statement statement = connection.createStatement()) {
            for (Map.Entry<String, String> setting : source.entrySet()) {
                if (!isOne(setting.getKey())) {
                    continue;
                }
                try {
                    statement.execute("ALTER SYSTEM SET " + Identifiers.quoted(setting.getKey()) + " = "
                            + Identifiers.literal(setting.getValue()));
                    taken++;
                } catch (SQLException notHere) {
                    refused.add(setting.getKey() + " is " + setting.getValue() + " at the source: "
                            + String.valueOf(notHere.getMessage())
                                    .lines()
                                    .findFirst()
                                    .orElse(""));
                }
            }
            statement.execute("SELECT pg_reload_conf()");
            return new PlanSettings(taken, refused);
        } catch (SQLException e) {
            throw SqlStates.failure("settings of the restored copy not changed", e);
        }
    }
}
