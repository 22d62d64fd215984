package io.nightshift.infra.restore;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.restore.Extraction.Use;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a backup as a data directory, the way pg_basebackup's plain format does: for pg_verifybackup,
 * pg_combinebackup and a server. Every file is compared with the server's manifest while it is written.
 *
 * <p>The settings stay the source's. What would make a server follow or overwrite the source is left out: signal files,
 * and the places of tablespaces.
 */
public final class PlainExport {

    private final BackupCopies copies;
    private final Path directory;
    private final TablespacePlan plan;

    /**
     * CONFIGURATION if the places of the tablespaces are not all given, or not apart.
     *
     * @param directory absent or empty
     * @param tablespaces by oid, where those go that lay outside the data directory
     */
    public PlainExport(BackupCopies copies, Path directory, Map<String, Path> tablespaces) {
        this.copies = copies;
        this.directory = directory.toAbsolutePath().normalize();
        this.plan = TablespacePlan.of(copies.document(), this.directory, tablespaces, "; or use --format tar");
    }

    /**
     * Writes it; either all of it or nothing.
     *
     * @param workers threads that unpack; each has about 8 MiB
     */
    public Exported run(int workers, Progress progress, Cancellation cancellation) {
        BackupDocument document = copies.document();
        TargetDirectory.requireUnused(directory);
        plan.elsewhere().values().forEach(TargetDirectory::requireUnused);
        FreeSpace.require(needed());
        var expected = new ExpectedFiles(copies.manifest());
        FileNames.requireWritable(expected.paths());
        progress.begin("export " + document.label(), document.bytes(), "bytes");
        try (DataDirectory target = DataDirectory.claim(directory, plan, "backup " + document.label())) {
            var extraction = new Extraction(copies, target, plan, expected, Use.AS_THEY_ARE, progress);
            extraction.run(workers, cancellation);
            ControlFile control = extraction.control();
            target.sync(cancellation);
            cancellation.check();
            target.finish(control, out -> copies.copyManifest(manifestCopy(), out));
            return new Exported(
                    extraction.files(), extraction.bytes(), copies.used(), copies.complaints(), notes(extraction));
        }
    }

    private BackupCopies.ManifestCopy manifestCopy() {
        return plan.elsewhere().isEmpty() ? (from, to) -> from.transferTo(to) : PlainManifest::withoutTablespaceMap;
    }

    private Map<Path, Long> needed() {
        Map<Path, Long> needed = new LinkedHashMap<>();
        for (BackupDocument.Archive archive : copies.document().archives()) {
            Path elsewhere =
                    archive.tablespace() == null ? null : plan.elsewhere().get(archive.tablespace());
            needed.merge(elsewhere == null ? directory : elsewhere, archive.bytes(), Long::sum);
        }
        return needed;
    }

    private List<String> notes(Extraction extraction) {
        List<String> notes = new ArrayList<>();
        if (copies.document().parent() != null) {
            notes.add("it holds what has changed since " + copies.document().parent()
                    + ": pg_combinebackup merges it with that one, exported too");
        }
        for (String signal : MemberWriter.SIGNALS) {
            if (extraction.leftOut().contains(signal)) {
                notes.add(signal + " is left out: with it a server would follow what its settings name");
            }
        }
        if (!plan.elsewhere().isEmpty()) {
            notes.add(
                    "tablespace_map is left out, here and in backup_manifest: the tablespaces are linked to their new places");
        }
        if (!plan.inPlace().isEmpty()) {
            notes.add("tablespaces " + String.join(", ", plan.inPlace())
                    + " lie inside the directory: recovery needs allow_in_place_tablespaces=on");
        }
        return notes;
    }
}
