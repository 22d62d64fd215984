package io.nightshift.infra.restore;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.wal.WalEvent.TablespaceCreation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Tablespaces that recovery will create, because the WAL does. It links them to the directories that they have at the
 * source, and writes there: on the source's machine over the source's own files (manual, "Recovering Using a Continuous
 * Archive Backup", caveats). That is refused.
 */
public final class CreatedTablespaces {

    private final RestorePlan plan;
    private final Map<String, Path> ours;

    /**
     * Those of a plan, on this machine.
     *
     * @param ours the directories of the tablespaces of the backup, by oid
     */
    public CreatedTablespaces(RestorePlan plan, Map<String, Path> ours) {
        this.plan = plan;
        this.ours = ours;
    }

    /** REFUSED if one of them is created over another; returns what to know of the others. */
    public List<String> require() {
        List<String> notes = new ArrayList<>();
        for (TablespaceCreation creation : plan.replay().tablespaces()) {
            if (creation.location().startsWith("/")) {
                judge(creation, FileNames.resolve(Path.of("/"), creation.location()), notes);
            }
        }
        return notes;
    }

    private void judge(TablespaceCreation creation, Path location, List<String> notes) {
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
    private boolean isTaken(Path location) {
        if (!Files.isDirectory(location)) {
            return false;
        }
        try (Stream<Path> entries = Files.list(location)) {
            return entries.anyMatch(entry -> String.valueOf(entry.getFileName())
                    .startsWith("PG_" + plan.document().major() + "_"));
        } catch (IOException closed) {
            return true;
        }
    }
}
