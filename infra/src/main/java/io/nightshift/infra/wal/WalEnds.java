package io.nightshift.infra.wal;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.wal.WalPath.Step;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Where {@link WalPath} ends from many locations on: two that come to the same segment go on alike, so each segment is
 * looked at once. Not thread-safe.
 */
public final class WalEnds {

    private final WalLineage lineage;
    private final WalCoverage coverage;
    private final long segmentSize;
    private final Map<Long, Optional<Step>> last = new HashMap<>();

    public WalEnds(WalLineage lineage, WalCoverage coverage, long segmentSize) {
        this.lineage = lineage;
        this.coverage = coverage;
        this.segmentSize = segmentSize;
    }

    public WalLineage lineage() {
        return lineage;
    }

    /** The last step of the path from there; empty if there is none. */
    public Optional<Step> from(Lsn location) {
        long number = Long.divideUnsigned(location.position(), segmentSize);
        List<Step> whole = new ArrayList<>();
        Optional<Step> end = last.get(number);
        while (end == null) {
            Optional<Step> step = WalPath.step(lineage, coverage, segmentSize, number);
            if (step.filter(Step::isWhole).isPresent()) {
                whole.add(step.get());
                end = last.get(++number);
            } else {
                last.put(number, step);
                end = step;
            }
        }
        for (int i = whole.size() - 1; i >= 0; i--) {
            Optional<Step> itself = Optional.of(whole.get(i));
            end = end.or(() -> itself);
            last.put(--number, end);
        }
        return end;
    }
}
