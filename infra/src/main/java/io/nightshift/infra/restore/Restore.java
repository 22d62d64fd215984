package io.nightshift.infra.restore;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupDocument.Wal;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.server.PostgresServer;
import io.nightshift.infra.wal.StoredWal;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a data directory on which a server recovers to a target and opens. All is checked while it is written, and
 * {@code global/pg_control}, without which no server starts, is written last: a restore that was cut off cannot be
 * started by accident. The same restore goes on with what is there; nothing of it is trusted without its checksum.
 */
public final class Restore {

    /** Where it goes, and what it becomes. */
    public record Destination(Path directory, Map<String, Path> tablespaces, boolean delta, boolean asReplacement) {

        public Destination {
            directory = directory.toAbsolutePath().normalize();
            tablespaces = Map.copyOf(tablespaces);
        }
    }

    private final BackupCopies copies;
    private final RestorePlan plan;
    private final RestorePlan.Action action;
    private final StoredWal wal;
    private final Destination destination;
    private final Path directory;
    private final TablespacePlan tablespaces;

    /** CONFIGURATION if the places of the tablespaces are not all given, or not apart. */
    public Restore(
            BackupCopies copies, RestorePlan plan, RestorePlan.Action action, StoredWal wal, Destination destination) {
        this.copies = copies;
        this.plan = plan;
        this.action = action;
        this.wal = wal;
        this.destination = destination;
        this.directory = destination.directory();
        this.tablespaces = TablespacePlan.of(copies.document(), directory, destination.tablespaces());
    }

    /**
     * Writes it. What failed, or was stopped, goes on with the next run for the same backup and target.
     *
     * @param workers threads that unpack; each has about 8 MiB
     */
    public Restored run(int workers, Progress progress, Cancellation cancellation) {
        BackupDocument document = copies.document();
        requireNoServer();
        if (destination.delta()) {
            requireSameCluster(document.systemIdentifier());
        }
        var expected = new ExpectedFiles(copies.manifest());
        FileNames.requireWritable(expected.paths());
        progress.begin("restore " + document.label(), document.bytes(), "bytes");
        try (DataDirectory target = DataDirectory.takeOver(directory, tablespaces, what(), destination.delta())) {
            var kept = new KeptFiles(target, expected);
            kept.find(workers, progress, cancellation);
            FreeSpace.require(needed(kept.bytes()));
            var extraction = new Extraction(copies, target, tablespaces, expected, progress);
            extraction.run(workers, cancellation);
            ControlFile control = extraction.control();
            var recoveryWal = new RecoveryWal(wal, plan.wal());
            recoveryWal.fetch(directory, progress, cancellation);
            progress.begin("make durable", null, "");
            var files = new ServerFiles(document, directory);
            Map<String, String> recovery = recovery();
            int port = 0;
            List<String> checklist = List.of();
            if (destination.asReplacement()) {
                checklist = files.writeReplacement(recovery);
            } else {
                port = files.writeInert(recovery, action == RestorePlan.Action.PAUSE);
            }
            target.sync(cancellation);
            cancellation.check();
            target.finish(control);
            List<String> complaints = new ArrayList<>(copies.complaints());
            complaints.addAll(wal.complaints());
            return new Restored(
                    extraction.files() + kept.files(),
                    extraction.bytes() + kept.bytes(),
                    kept.files(),
                    copies.used(),
                    complaints,
                    notes(),
                    checklist,
                    port);
        }
    }

    /** What makes two restores one: a directory that one of them left is finished by the other. */
    private String what() {
        return "restore of backup " + plan.document().label() + " for " + plan.target()
                + (destination.asReplacement() ? ", as a replacement" : "");
    }

    /** Recovery from the archive always, so that nobody takes a hole for the end. */
    private Map<String, String> recovery() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("restore_command", RecoveryWal.RESTORE_COMMAND);
        settings.putAll(plan.settings(action));
        return settings;
    }

    private void requireNoServer() {
        if (PostgresServer.isRunning(directory)) {
            throw new NightshiftException(
                    FailureKind.REFUSED,
                    "a server runs on " + directory,
                    "stop it first, or choose another directory with --to");
        }
    }

    private void requireSameCluster(SystemIdentifier cluster) {
        Path file = directory.resolve(DataDirectory.CONTROL_FILE);
        try {
            if (Files.exists(file)) {
                new ControlFile(0600, ByteBuffer.wrap(Files.readAllBytes(file))).requireOf(cluster);
            } else if (!Files.exists(directory.resolve(TargetDirectory.UNFINISHED)) && Files.exists(directory)) {
                TargetDirectory.requireUnused(directory);
            }
        } catch (NightshiftException foreign) {
            throw new NightshiftException(
                    FailureKind.REFUSED,
                    directory + " is no data directory of this cluster: " + foreign.getMessage(),
                    "--delta works on the cluster's own data directory; choose an empty one without it",
                    foreign);
        } catch (IOException failed) {
            throw TargetFailures.of(file, failed);
        }
    }

    private Map<Path, Long> needed(long kept) {
        Map<Path, Long> needed = new LinkedHashMap<>();
        for (BackupDocument.Archive archive : copies.document().archives()) {
            Path elsewhere = archive.tablespace() == null
                    ? null
                    : tablespaces.elsewhere().get(archive.tablespace());
            needed.merge(elsewhere == null ? directory : elsewhere, archive.bytes(), Long::sum);
        }
        needed.merge(directory, plan.walBytes(), Long::sum);
        // Where what is kept lies does not matter where all is on one file system, and is little where it is not.
        needed.computeIfPresent(directory, (path, bytes) -> Math.max(0, bytes - kept));
        return needed;
    }

    private List<String> notes() {
        List<String> notes = new ArrayList<>();
        if (!plan.wal().steps().isEmpty()) {
            notes.add(
                    RecoveryWal.FOLDER + " in it holds the fetched WAL: remove it when the server is open for writing");
        }
        if (copies.document().wal() == Wal.INCLUDED && plan.wal().steps().isEmpty()) {
            notes.add("recovery needs the backup's own WAL only");
        }
        return notes;
    }
}
