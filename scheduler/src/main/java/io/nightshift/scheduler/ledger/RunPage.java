package io.nightshift.scheduler.ledger;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Some runs, the newest first.
 *
 * @param next where the following page begins; null when there is none
 */
public record RunPage(List<Run> runs, @Nullable PageToken next) {}
