package io.nightshift.infra.restore;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupJson;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.run.RunId;
import io.nightshift.infra.server.PostgresServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * A restored copy that stays until a time, for the jobs that want it: what its own directory says of it.
 *
 * @param run that has restored and checked it
 * @param node the Nightshift node whose machine it is on
 * @param directory of its data
 * @param port on 127.0.0.1; the password lies beside the data directory
 * @param process of its server
 * @param version of its server, such as {@code 18.6}
 * @param reachedLsn where recovery ended
 * @param reachedAt when the last transaction ended that is in it
 * @param until when it is thrown away, unless somebody is using it then, or before if space is short
 * @param settings how many settings that matter to plans are the source's and not PostgreSQL's own
 * @param differences what is not as at the source although it matters to plans
 */
public record KeptCopy(
        int formatVersion,
        String cluster,
        BackupLabel backup,
        RunId run,
        String node,
        String directory,
        int port,
        long process,
        String version,
        Lsn reachedLsn,
        Instant reachedAt,
        Instant keptAt,
        Instant until,
        int settings,
        List<String> differences) {

    static final int FORMAT_VERSION = 1;

    /**
     * Where a copy comes from.
     *
     * @param node the Nightshift node that works the run
     * @param backup that was restored
     */
    public record Origin(RunId run, String node, BackupDocument backup) {}

    /** Where recovery has ended, and when the last transaction ended that is there. */
    public record Reached(Lsn location, Instant at) {}

    public KeptCopy {
        differences = List.copyOf(differences);
    }

    byte[] json() {
        return BackupJson.bytes(this);
    }

    /** The one in a directory; empty if there is none, or what is written there is not readable. */
    static Optional<KeptCopy> in(Path directory) {
        try {
            return Optional.of(
                    BackupJson.MAPPER.readValue(Files.readAllBytes(TemporaryCopy.kept(directory)), KeptCopy.class));
        } catch (IOException | RuntimeException none) {
            return Optional.empty();
        }
    }

    /** Whether its server runs. */
    public boolean isRunning() {
        return PostgresServer.isRunning(Path.of(directory));
    }

    /** Whether it is to be thrown away now. */
    public boolean isOver(Instant now) {
        return over(now, isRunning()).isPresent();
    }

    /** Why it is to be thrown away now; empty while it is not. */
    Optional<String> over(Instant now, boolean isRunning) {
        if (!isRunning) {
            return Optional.of("its server has ended");
        }
        return now.isBefore(until) ? Optional.empty() : Optional.of("its time was over at " + until);
    }
}
