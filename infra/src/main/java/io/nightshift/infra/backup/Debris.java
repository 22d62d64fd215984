package io.nightshift.infra.backup;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Objects of a backup that has no backup.json: being written now, or left by a writer that died. Which of the two, its
 * lease and the age of its newest object say.
 *
 * @param storage the name of the storage
 * @param marker who writes or wrote it, if that is readable
 * @param newestAt when the newest object came
 * @param bytes of all objects
 * @param objects their names
 */
public record Debris(
        String storage,
        BackupPaths paths,
        BackupLabel label,
        Optional<WritingMarker> marker,
        Instant newestAt,
        long bytes,
        List<String> objects) {}
