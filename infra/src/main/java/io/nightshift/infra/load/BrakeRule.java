package io.nightshift.infra.load;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.load.Load.Slot;
import io.nightshift.infra.load.Load.Standby;
import io.nightshift.infra.postgres.Identifiers;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** Decides whether a load is beyond its limits. Pure. */
record BrakeRule(LoadLimits limits) {

    /** A standby that gets no WAL. Yielding would not help it: a person must. */
    record NotStreaming(String subject, String detail, String remedy) {}

    /** Why to yield, with the numbers; empty when there is no reason. */
    Optional<String> reason(Load load) {
        List<String> reasons = new ArrayList<>();
        for (Standby standby : load.standbys()) {
            Long lag = standby.lag();
            if (standby.isStreaming()
                    && lag != null
                    && lag > limits.maxLag().bytes()
                    && !limits.exceptStandbys().contains(standby.applicationName())) {
                reasons.add("standby " + standby.name() + " is " + size(lag) + " behind, limit "
                        + limits.maxLag().rounded());
            }
        }
        Integer active = load.activeSessions();
        if (active != null && active > limits.maxActiveSessions()) {
            reasons.add(active + (active == 1 ? " session is" : " sessions are") + " active, limit "
                    + limits.maxActiveSessions());
        }
        for (Slot slot : load.slots()) {
            if (slot.active() && slot.retained() > limits.maxRetainedWal().bytes()) {
                reasons.add("slot " + slot.name() + " keeps " + size(slot.retained()) + " of WAL, limit "
                        + limits.maxRetainedWal().rounded());
            }
        }
        return reasons.isEmpty() ? Optional.empty() : Optional.of(String.join("; ", reasons));
    }

    /**
     * Standbys that are connected and get nothing, slots of standbys that are not connected, and standbys without such a
     * slot that were connected before.
     *
     * @param before the standbys that were seen since the watch began
     */
    List<NotStreaming> notStreaming(Load load, Collection<Standby> before) {
        List<NotStreaming> found = new ArrayList<>();
        for (Standby standby : load.standbys()) {
            String state = standby.state();
            if (state != null && !standby.isStreaming()) {
                Long lag = standby.lag();
                found.add(new NotStreaming(
                        "standby " + standby.name(),
                        "is connected but does not stream: its state is " + state
                                + (lag == null ? "" : ", " + size(lag) + " behind"),
                        "see the standby's log for what keeps it; in catchup it may only need time"));
            }
        }
        for (Slot slot : load.slots()) {
            if (slot.standby() && !slot.active()) {
                found.add(new NotStreaming(
                        "replication slot " + slot.name(),
                        "no standby is connected to it, and the server keeps " + size(slot.retained())
                                + " of WAL for it",
                        "start its standby; or, if nobody needs it any more: SELECT pg_drop_replication_slot("
                                + Identifiers.literal(slot.name()) + ")"));
            }
        }
        before.stream()
                .filter(gone -> load.standbys().stream()
                        .noneMatch(standby -> standby.name().equals(gone.name())))
                .filter(gone ->
                        load.slots().stream().noneMatch(slot -> slot.name().equals(gone.slot())))
                .forEach(gone -> found.add(new NotStreaming(
                        "standby " + gone.name(),
                        "was connected when the watch began, and is no longer",
                        "see whether the standby runs and what its log says; nothing keeps WAL for it")));
        return found;
    }

    private static String size(long bytes) {
        return new DataSize(Math.max(0, bytes)).rounded();
    }
}
