package io.nightshift.infra.backup;

import io.nightshift.infra.run.RunId;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Who writes a backup: its first object, {@code writing.json}. It is renewed by further objects, never changed.
 *
 * @param node the Nightshift node
 * @param run which run
 * @param token the fencing token of the run's lease
 * @param since when it began, or was renewed
 * @param parent what it builds on; null of a full
 */
public record WritingMarker(
        String node,
        RunId run,
        long token,
        Instant since,
        @Nullable BackupLabel parent) {

    /** Of a full. */
    public WritingMarker(String node, RunId run, long token, Instant since) {
        this(node, run, token, since, null);
    }
}
