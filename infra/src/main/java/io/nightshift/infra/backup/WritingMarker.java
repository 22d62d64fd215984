package io.nightshift.infra.backup;

import io.nightshift.infra.run.RunId;
import java.time.Instant;

/**
 * Who writes a backup: its first object, {@code writing.json}. It is renewed by further objects, never changed.
 *
 * @param node the Nightshift node
 * @param run which run
 * @param token the fencing token of the run's lease
 * @param since when it began, or was renewed
 */
public record WritingMarker(String node, RunId run, long token, Instant since) {}
