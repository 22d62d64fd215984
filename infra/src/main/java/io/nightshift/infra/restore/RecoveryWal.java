package io.nightshift.infra.restore;

import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.wal.StoredWal;
import io.nightshift.infra.wal.WalObject;
import io.nightshift.infra.wal.WalPath;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The WAL that a restored data directory needs, fetched ahead into a folder inside it, with the command that hands it to
 * recovery: that works without us, after the directory was moved too.
 *
 * <p>Recovery takes an exit status up to 125 for the end of the WAL, and then opens the database. The command gives 1 for
 * what is no part of this restore only, as its list says; what is on the list and not there, or not whole, ends the
 * server (PostgreSQL manual, {@code restore_command}).
 *
 * <p>{@code recovery_prefetch} keeps its default, {@code try}: the server then decodes WAL ahead of what it replays, behind
 * the target too. That is harmless: what is behind is no part of the list, so the command gives 1, and an error met ahead
 * counts only when replay comes there. Off, it is not quicker where the restored files are still in the machine's memory
 * (measured, {@code .ci/bench/restore.md}), and clusters larger than that are what it is for.
 */
final class RecoveryWal {

    static final String FOLDER = "nightshift_wal";

    /** The server runs it in the data directory. */
    static final String RESTORE_COMMAND = "sh " + FOLDER + "/fetch %f %p";

    private static final Set<PosixFilePermission> PRIVATE = PosixFilePermissions.fromString("rw-------");
    private static final String LIST = "list";
    private static final String FETCH = """
            #!/bin/sh
            # Hands the WAL file $1 to recovery as $2. 1 says that it is no part of this restore, which ends recovery or
            # makes it look in pg_wal; above 125 ends the server, so that it never takes a missing file for the end.
            wal=$(dirname "$0")
            bytes=$(sed -n "s/^$1 //p" "$wal/list") || exit 200
            test -n "$bytes" || exit 1
            test -f "$wal/$1" || exit 201
            test "$(wc -c < "$wal/$1")" -eq "$bytes" || exit 202
            cp "$wal/$1" "$2" || exit 203
            """;

    private final StoredWal wal;
    private final WalPath path;

    RecoveryWal(StoredWal wal, WalPath path) {
        this.wal = wal;
        this.path = path;
    }

    long bytes() {
        return path.steps().size() * wal.segmentSize();
    }

    /** Fetches it, each file checked; to be synced with the rest of the data directory. */
    void fetch(Path dataDirectory, Progress progress, Cancellation cancellation) {
        Path folder = dataDirectory.resolve(FOLDER);
        Map<String, Long> list = new TreeMap<>();
        try {
            if (!Files.isDirectory(folder)) {
                Files.createDirectory(folder, TargetDirectory.PRIVATE_DIRECTORY);
            }
        } catch (IOException failed) {
            throw TargetFailures.of(folder, failed);
        }
        progress.begin("fetch WAL", bytes(), "bytes");
        for (WalPath.Step step : path.steps()) {
            cancellation.check();
            try (InputStream content = wal.whole(step)) {
                Durable.write(folder.resolve(step.segment().name()), PRIVATE, content::transferTo);
            } catch (IOException harmless) {
                // everything was read
            }
            list.put(step.segment().name(), wal.segmentSize());
            progress.advance(wal.segmentSize());
        }
        for (Timeline timeline : histories()) {
            WalObject.History history = new WalObject.History(timeline);
            byte[] content = wal.history(timeline);
            write(folder.resolve(history.name()), content);
            list.put(history.name(), (long) content.length);
        }
        write(folder.resolve("fetch"), FETCH.getBytes(StandardCharsets.UTF_8));
        var lines = new StringBuilder();
        list.forEach(
                (name, bytes) -> lines.append(name).append(' ').append(bytes).append('\n'));
        write(folder.resolve(LIST), lines.toString().getBytes(StandardCharsets.UTF_8));
    }

    /** All of them, so that a promotion takes a number that no other timeline has. */
    private List<Timeline> histories() {
        return wal.coverage().histories();
    }

    private static void write(Path file, byte[] content) {
        Durable.writeUnsynced(file, PRIVATE, out -> out.write(content));
    }
}
