package io.nightshift.infra.restore;

import io.nightshift.infra.postgres.Timeline;

/** Which timeline recovery follows (manual, {@code recovery_target_timeline}). */
public sealed interface RestoreTimeline {

    /** The newest that the storages know. */
    record Latest() implements RestoreTimeline {}

    /** The one of the backup. */
    record OfBackup() implements RestoreTimeline {}

    record Given(Timeline timeline) implements RestoreTimeline {}
}
