package io.nightshift.infra.restore;

import io.nightshift.infra.backup.Proofs;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * To which times a cluster can be restored.
 *
 * @param windows by timeline, then by their beginnings; between two of one timeline lies what cannot be restored
 * @param lost timelines that nothing leads to, because their histories are missing or damaged
 * @param proofs what its restore tests say
 */
public record Restorability(String cluster, List<Window> windows, List<Timeline> lost, Proofs proofs) {

    /**
     * From the end of a backup as far as the WAL behind it reaches without a gap.
     *
     * @param timeline that recovery follows
     * @param since the time at {@code from}
     * @param until when the last of that WAL was stored; equal to {@code since} where there is none
     */
    public record Window(Timeline timeline, Lsn from, Instant since, Lsn to, Instant until) {

        boolean isPoint() {
            return from.equals(to);
        }
    }

    public Restorability {
        windows = List.copyOf(windows);
        lost = List.copyOf(lost);
    }

    public Optional<Window> newest() {
        return windows.isEmpty() ? Optional.empty() : Optional.of(windows.get(windows.size() - 1));
    }
}
