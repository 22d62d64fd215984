package io.nightshift.infra.restore;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupDocument.Wal;
import io.nightshift.infra.restore.Extraction.Use;
import io.nightshift.infra.restore.Throughput.Work;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.server.ServerUser;
import io.nightshift.infra.wal.StoredWal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

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

    private final List<BackupCopies> chain;
    private final BackupCopies copies;
    private final RestorePlan plan;
    private final RestorePlan.Action action;
    private final StoredWal wal;
    private final Destination destination;
    private final Path directory;
    private final TablespacePlan tablespaces;

    /**
     * CONFIGURATION if the places of the tablespaces are not all given, or not apart.
     *
     * @param chain the backups that are needed, oldest first; see {@link RestorableCluster#chain}
     */
    public Restore(
            List<BackupCopies> chain,
            RestorePlan plan,
            RestorePlan.Action action,
            StoredWal wal,
            Destination destination) {
        this.chain = List.copyOf(chain);
        this.copies = chain.get(chain.size() - 1);
        this.plan = plan;
        this.action = action;
        this.wal = wal;
        this.destination = destination;
        this.directory = destination.directory();
        this.tablespaces = TablespacePlan.of(copies.document(), directory, places(copies.document(), destination), "");
    }

    /**
     * Writes it. What failed, or was stopped, goes on with the next run for the same backup.
     *
     * @param workers threads that unpack; each has about 8 MiB
     */
    public Restored run(int workers, Progress progress, Cancellation cancellation) {
        BackupDocument document = copies.document();
        var there = new UsedDirectory(directory);
        there.requireNoServer();
        if (destination.delta()) {
            there.requireReplaceable(document, tablespaces);
        }
        var expected = new ExpectedFiles(copies.manifest());
        FileNames.requireWritable(expected.paths());
        if (!destination.delta()) {
            there.requireNotStarted(expected);
        }
        List<String> created = new CreatedTablespaces(plan, tablespaces.elsewhere()).require();
        Ground ground = Ground.of(chain);
        FreeSpace.require(needed(ground));
        long begun = System.nanoTime();
        progress.begin("compare with what is there", null, "bytes");
        try (DataDirectory target = DataDirectory.takeOver(directory, tablespaces, what(), destination.delta())) {
            var kept = new KeptFiles(target, document.major(), expected);
            kept.find(workers, progress, cancellation);
            long groundBytes = extractGround(target, ground, workers, progress, cancellation);
            progress.begin("restore " + document.label(), document.bytes() - kept.bytes(), "bytes");
            var extraction = new Extraction(copies, target, tablespaces, expected, Use.NEWEST, progress);
            extraction.run(workers, cancellation);
            CrashPoint.reach("restore.extracted");
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
            ServerUser user = ServerUser.of(directory);
            target.own(user);
            target.sync(cancellation);
            cancellation.check();
            target.finish(control, user);
            List<String> complaints = new ArrayList<>();
            chain.forEach(link -> complaints.addAll(link.complaints()));
            complaints.addAll(wal.complaints());
            return new Restored(
                    extraction.files() + kept.files(),
                    groundBytes + extraction.bytes() + kept.bytes(),
                    kept.files(),
                    chain.stream()
                            .flatMap(link -> link.used().stream())
                            .distinct()
                            .sorted()
                            .toList(),
                    complaints,
                    notes(extraction, created),
                    checklist,
                    Throughput.since(
                            begun,
                            Work.RESTORE,
                            kept.files() > 0 ? 0 : groundBytes + extraction.bytes() + plan.walBytes()),
                    port);
        }
    }

    /** @return the bytes read */
    private long extractGround(
            DataDirectory target, Ground ground, int workers, Progress progress, Cancellation cancellation) {
        long bytes = 0;
        for (int older = 0; older < ground.files().size(); older++) {
            BackupCopies link = chain.get(older);
            ExpectedFiles expected = ground.files().get(older);
            progress.begin("restore " + link.document().label(), expected.bytes(), "bytes");
            var extraction = new Extraction(link, target, tablespaces, expected, Use.GROUND_OF_NEWER, progress);
            extraction.run(workers, cancellation);
            bytes += extraction.bytes();
            CrashPoint.reach("restore.link-extracted");
        }
        return bytes;
    }

    /**
     * What makes two restores one: a directory that one of them left is finished by the other, whatever its target. All that
     * depends on more than the backup is written anew.
     */
    private String what() {
        BackupDocument document = copies.document();
        return TargetDirectory.RESTORE + document.label() + TargetDirectory.ofCluster(document.systemIdentifier());
    }

    /** Recovery from the archive always, so that nobody takes a hole for the end. */
    private Map<String, String> recovery() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("restore_command", RecoveryWal.RESTORE_COMMAND);
        settings.putAll(plan.settings(action));
        return settings;
    }

    /**
     * Where the tablespaces go: where it was said, else, in a data directory that is written over, where they are, else
     * to their old places, unless something is there on this machine.
     */
    private static Map<String, Path> places(BackupDocument document, Destination destination) {
        Map<String, Path> places = new LinkedHashMap<>(destination.tablespaces());
        Map<String, Path> now =
                destination.delta() ? new UsedDirectory(destination.directory()).tablespaces() : Map.of();
        for (BackupDocument.Archive archive : document.archives()) {
            String oid = archive.tablespace();
            if (oid != null && archive.location().startsWith("/")) {
                Path old = FileNames.resolve(Path.of("/"), archive.location());
                if (now.containsKey(oid)) {
                    places.putIfAbsent(oid, now.get(oid));
                } else if (!Files.exists(old) || TargetDirectory.isUnfinished(old)) {
                    places.putIfAbsent(oid, old);
                }
            }
        }
        return places;
    }

    /** At most, beyond what the files there take, which are kept or deleted. */
    private Map<Path, Long> needed(Ground ground) {
        Map<Path, Long> needed = new LinkedHashMap<>();
        for (BackupDocument.Archive archive : copies.document().archives()) {
            needed.merge(place(archive.tablespace()), archive.bytes(), Long::sum);
        }
        ground.bytesByTablespace()
                .forEach((oid, bytes) -> needed.merge(place(oid.isEmpty() ? null : oid), bytes, Long::sum));
        needed.merge(directory, plan.walBytes(), Long::sum);
        needed.replaceAll((path, bytes) -> Math.max(0, bytes - UsedDirectory.bytes(path)));
        return needed;
    }

    private Path place(@Nullable String tablespace) {
        Path elsewhere = tablespace == null ? null : tablespaces.elsewhere().get(tablespace);
        return elsewhere == null ? directory : elsewhere;
    }

    private List<String> notes(Extraction extraction, List<String> created) {
        List<String> notes = new ArrayList<>(created);
        for (String signal : MemberWriter.SIGNALS) {
            if (extraction.leftOut().contains(signal)) {
                notes.add(signal + " is left out: with it a server would follow what its settings name");
            }
        }
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
