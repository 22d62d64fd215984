package io.nightshift.infra.restore;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.wal.WalEvent.TablespaceCreation;
import io.nightshift.infra.wal.WalEvents;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Tablespaces that recovery will create, because the WAL does. It links them to the directories that they have at the
 * source, and writes there: on the source's machine over the source's own files (manual, "Recovering Using a Continuous
 * Archive Backup", caveats). That is refused.
 */
final class CreatedTablespaces {

    private final BackupDocument document;
    private final RestorePlan plan;
    private final Path directory;
    private final Map<String, Path> ours;

    /** @param ours the directories of the tablespaces of the backup, by oid */
    CreatedTablespaces(RestorePlan plan, Path directory, Map<String, Path> ours) {
        this.document = plan.document();
        this.plan = plan;
        this.directory = directory;
        this.ours = ours;
    }

    /**
     * Reads all WAL of the data directory up to the target. REFUSED if one of them is created over another.
     *
     * @return what to know of the others
     */
    List<String> require(long segmentSize) {
        List<String> notes = new ArrayList<>();
        try (var events =
                new WalEvents(this::open, document.major(), segmentSize, this::timeline, document.startLsn())) {
            for (var event = events.next();
                    event.isPresent() && event.get().start().compareTo(plan.stopsAt()) <= 0;
                    event = events.next()) {
                if (event.get() instanceof TablespaceCreation creation
                        && creation.location().startsWith("/")) {
                    judge(creation, FileNames.resolve(Path.of("/"), creation.location()), notes);
                }
            }
        } catch (IOException unreadable) {
            notes.add("could not see whether recovery creates tablespaces outside this directory: "
                    + unreadable.getMessage());
        }
        return notes;
    }

    private void judge(TablespaceCreation creation, Path location, List<String> notes) throws IOException {
        String oid = Long.toString(creation.oid());
        if (location.equals(ours.get(oid))) {
            return;
        }
        if (isTaken(location)) {
            throw new NightshiftException(
                    FailureKind.REFUSED,
                    "recovery would write into a tablespace that is there already: at " + creation.start()
                            + " the WAL creates tablespace " + oid + " in " + location,
                    "choose a target before that, or a machine where that directory is empty");
        }
        notes.add("recovery creates tablespace " + oid + " in " + location
                + (Files.isDirectory(location)
                        ? ""
                        : ": make that directory, for the user of the server, before it starts"));
    }

    /** What cannot be looked into is somebody else's. */
    private boolean isTaken(Path location) throws IOException {
        if (!Files.isDirectory(location)) {
            return false;
        }
        if (!Files.isReadable(location)) {
            return true;
        }
        try (Stream<Path> entries = Files.list(location)) {
            return entries.anyMatch(
                    entry -> String.valueOf(entry.getFileName()).startsWith("PG_" + document.major() + "_"));
        }
    }

    private Timeline timeline(Lsn location) {
        var steps = plan.wal().steps();
        return steps.isEmpty() || location.isBefore(steps.get(0).segment().start())
                ? document.timeline()
                : plan.wal().timeline(location);
    }

    private Optional<InputStream> open(WalSegment segment) throws IOException {
        for (String folder : List.of(RecoveryWal.FOLDER, "pg_wal")) {
            Path file = directory.resolve(folder).resolve(segment.name());
            if (Files.exists(file)) {
                return Optional.of(Files.newInputStream(file));
            }
        }
        return Optional.empty();
    }
}
