package io.nightshift.jobs.verify;

import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.retention.RetentionPast;
import io.nightshift.infra.retention.RetentionRecord;
import io.nightshift.infra.retention.RetentionRecords;
import io.nightshift.infra.run.RunContext;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.wal.WalCopy;
import io.nightshift.infra.wal.WalObject;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What retention has let go. It is neither missed nor brought back. Retention deletes nothing before it has said so for a
 * night, so what was said before a run holds for all of it.
 *
 * @param isKnown whether a storage could say it; if not, nothing that is gone may come back
 */
record Expired(RetentionPast past, boolean isKnown) {

    static Expired of(RunContext run, Places places) {
        Map<Instant, RetentionRecord> records = new TreeMap<>();
        boolean isKnown = false;
        for (Storage storage : places.open()) {
            try {
                new RetentionRecords(run.cluster(), List.of(storage))
                        .past()
                        .records()
                        .forEach(record -> records.putIfAbsent(record.at(), record));
                isKnown = true;
            } catch (NightshiftException failed) {
                places.failed(
                        storage,
                        "records of retention in storage " + storage.name(),
                        DamageReport.key(storage.name(), run.cluster() + "/retention"),
                        failed);
            }
        }
        return new Expired(new RetentionPast(List.copyOf(records.values())), isKnown);
    }

    boolean mayComeBack(BackupLabel label) {
        return isKnown && past.expiredSince(label).isEmpty();
    }

    boolean mayComeBack(BackupPaths paths, WalObject object) {
        return object instanceof WalObject.History || (isKnown && !has(paths, object));
    }

    /** Histories are kept for ever. */
    boolean has(BackupPaths paths, WalObject object) {
        if (object instanceof WalObject.History) {
            return false;
        }
        WalSegment segment = WalCopy.segment(object);
        return past.expired(paths, segment.timeline(), segment.start(), segment.end());
    }
}
