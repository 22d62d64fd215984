package io.nightshift.infra.load;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a node said of its load. What our role may not see is null, which is not 0.
 *
 * @param role ours
 * @param standbys that are connected to it, without receivers of ours
 * @param activeSessions of others that execute something now
 * @param slots for replication, without ours; empty on a standby unless they are in use
 */
record Load(String role, List<Standby> standbys, @Nullable Integer activeSessions, List<Slot> slots) {

    Load {
        standbys = List.copyOf(standbys);
        slots = List.copyOf(slots);
    }

    /**
     * A row of {@code pg_stat_replication}.
     *
     * @param name as a person would name it
     * @param state such as {@code streaming} or {@code catchup}
     * @param lag bytes of WAL that the node has written and it has not replayed
     * @param slot that it uses; null without one
     */
    record Standby(
            String name,
            String applicationName,
            @Nullable String state,
            @Nullable Long lag,
            @Nullable String slot) {

        boolean isStreaming() {
            return "streaming".equals(state);
        }
    }

    /**
     * A row of {@code pg_replication_slots}.
     *
     * @param standby whether it is a physical one
     * @param retained bytes of WAL that the node keeps for it
     */
    record Slot(String name, boolean standby, boolean active, long retained) {}

    /** Whether our role may see what others do; {@code pg_read_all_stats}, which {@code pg_monitor} has. */
    boolean isVisible() {
        return activeSessions != null;
    }
}
