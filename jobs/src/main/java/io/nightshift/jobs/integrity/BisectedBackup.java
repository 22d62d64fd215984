package io.nightshift.jobs.integrity;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.StoredBackup;
import java.time.temporal.ChronoUnit;
import tools.jackson.databind.json.JsonMapper;

/**
 * A backup among those that damage is looked for in.
 *
 * @param endedAt of which moment its data are, to the second
 */
record BisectedBackup(String label, String endedAt) {

    private static final JsonMapper JSON = JsonMapper.builder().build();

    static BisectedBackup of(StoredBackup backup) {
        BackupDocument document = backup.document().orElseThrow();
        return new BisectedBackup(
                document.label().toString(),
                document.endedAt().truncatedTo(ChronoUnit.SECONDS).toString());
    }

    static BisectedBackup parse(String json) {
        return JSON.readValue(json, BisectedBackup.class);
    }

    String json() {
        return JSON.writeValueAsString(this);
    }

    /** As people name it. */
    @Override
    public String toString() {
        return label + " of " + endedAt;
    }
}
