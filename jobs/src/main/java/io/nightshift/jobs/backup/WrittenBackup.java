package io.nightshift.jobs.backup;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupDocumentFile;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.backup.StoredArchive;
import io.nightshift.infra.replication.BackupEnd;
import io.nightshift.infra.replication.BackupStart;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.RunContext;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A backup whose objects are all in the storages but which nobody sees yet. What it will say of itself is remembered by
 * the run, so that a later step, or another attempt, can verify and publish it.
 */
record WrittenBackup(
        BackupStart start,
        BackupEnd end,
        List<StoredArchive> archives,
        BackupDocument.Manifest manifest,
        BackupDocument.@Nullable Digests digests,
        DamagedPages damagedPages) {

    private static final String KEY = "backup";

    static void remember(RunContext run, BackupDocument document) {
        run.remember(KEY, new String(BackupDocumentFile.write(document), StandardCharsets.UTF_8));
    }

    /** Empty as long as none is written, and where another version of Nightshift described it. */
    static Optional<BackupDocument> find(RunContext run) {
        return run.recall(KEY)
                .map(remembered -> BackupDocumentFile.read(remembered.getBytes(StandardCharsets.UTF_8)))
                .filter(BackupDocumentFile.Intact.class::isInstance)
                .map(intact -> ((BackupDocumentFile.Intact) intact).document());
    }

    /** For the steps after the stream. */
    static BackupDocument recall(RunContext run) {
        return find(run)
                .orElseThrow(() -> new NightshiftException(
                        FailureKind.BUG, "run " + run.id() + " has forgotten the backup it has written"));
    }

    /** A backup that is worth nothing: the next attempt takes another. */
    static void forget(RunContext run) {
        run.forget(KEY);
    }

    BackupDocument document(
            BackupLabel label,
            @Nullable BackupLabel parent,
            BackupPaths paths,
            SourceServer source,
            BackupSettings settings,
            Instant startedAt,
            Instant endedAt,
            RunContext run) {
        return new BackupDocument(
                BackupDocument.FORMAT_VERSION,
                label,
                paths.cluster(),
                label.type(),
                parent,
                paths.systemIdentifier(),
                paths.major(),
                start.timeline(),
                start.lsn(),
                end.lsn(),
                BackupDocument.Wal.INCLUDED,
                archives.stream().map(BackupDocument.Archive::of).toList(),
                manifest,
                digests,
                archives.stream().mapToLong(StoredArchive::rawBytes).sum(),
                archives.stream().mapToLong(StoredArchive::storedBytes).sum()
                        + manifest.bytes()
                        + (digests == null ? 0 : digests.bytes()),
                startedAt,
                endedAt,
                new BackupDocument.Method(
                        settings.checkpoint().name().toLowerCase(Locale.ROOT),
                        settings.compression(),
                        settings.manifestChecksum()),
                source.document(damagedPages.listed(end.sourceDamaged())),
                settings.labels(),
                run.id(),
                run.lease().owner(),
                Optional.ofNullable(WrittenBackup.class.getPackage().getImplementationVersion())
                        .orElse("development"));
    }
}
