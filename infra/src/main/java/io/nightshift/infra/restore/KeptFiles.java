package io.nightshift.infra.restore;

import io.nightshift.infra.incremental.RelationSegment;
import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.replication.ManifestFile;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.run.Workers;
import io.nightshift.infra.server.FileTree;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntConsumer;
import java.util.stream.Stream;

/**
 * What a directory has of a backup already, as an earlier attempt or the cluster's own server has left it: files that are
 * equal to the manifest stay, everything else goes. No file is trusted for its name, size or time.
 */
final class KeptFiles {

    /** What makes a server act in a certain way is written by the restore itself, or left out. */
    private static final Set<String> NEVER = Set.of(
            TargetDirectory.UNFINISHED,
            DataDirectory.CONTROL_FILE,
            MemberWriter.TABLESPACE_MAP,
            MemberWriter.LABEL,
            "standby.signal",
            "recovery.signal",
            "postgresql.conf",
            "postgresql.auto.conf",
            "pg_hba.conf",
            "pg_ident.conf");

    private final DataDirectory target;
    private final int major;
    private final ExpectedFiles expected;
    private final Set<String> kept = ConcurrentHashMap.newKeySet();
    private final AtomicLong bytes = new AtomicLong();

    KeptFiles(DataDirectory target, int major, ExpectedFiles expected) {
        this.target = target;
        this.major = major;
        this.expected = expected;
    }

    int files() {
        return kept.size();
    }

    long bytes() {
        return bytes.get();
    }

    /** Finds what stays, and deletes everything else. */
    void find(int workers, Progress progress, Cancellation cancellation) {
        Map<String, ManifestFile> listed = expected.missing();
        Queue<Map.Entry<String, ManifestFile>> candidates = new ConcurrentLinkedQueue<>(listed.entrySet());
        Workers.run(workers, "restore-compare", cancellation, stop -> {
            for (var next = candidates.poll(); next != null; next = candidates.poll()) {
                stop.check();
                if (isKept(next.getKey(), next.getValue(), progress, stop)) {
                    kept.add(next.getKey());
                    bytes.addAndGet(next.getValue().size());
                }
            }
        });
        expected.keep(kept);
        try {
            removeOthers(target.path(), "");
        } catch (IOException failed) {
            throw TargetFailures.of(target.path(), failed);
        }
    }

    private boolean isKept(String path, ManifestFile listed, Progress progress, Cancellation cancellation) {
        // Changed blocks belong into another file: one that has them under their own name is the export of a backup.
        return !NEVER.contains(path)
                && !RelationSegment.isIncremental(path)
                && isEqual(FileNames.resolve(target.path(), path), listed, count -> {
                    cancellation.check();
                    progress.advance(count);
                });
    }

    /** Whether a file has the size and the checksum that the manifest says. */
    static boolean isEqual(Path file, ManifestFile listed, IntConsumer read) {
        if (listed.algorithm() == ManifestChecksum.NONE) {
            return false;
        }
        try {
            if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) || Files.size(file) != listed.size()) {
                return false;
            }
            ManifestChecksum.Digest digest = listed.algorithm().digest();
            byte[] piece = new byte[1 << 17];
            try (InputStream in = Files.newInputStream(file)) {
                for (int count = in.read(piece); count >= 0; count = in.read(piece)) {
                    digest.update(piece, 0, count);
                    read.accept(count);
                }
            }
            return digest.hex().equals(listed.checksum());
        } catch (IOException unreadable) {
            return false;
        }
    }

    /**
     * Directories stay; those of the backup come with their modes. Links are followed to tablespaces of ours only, and
     * there only into the folders of this major version: others may have theirs beside it.
     */
    private void removeOthers(Path directory, String prefix) throws IOException {
        for (Path entry : entries(directory)) {
            String path = prefix + entry.getFileName();
            if (path.equals(TargetDirectory.UNFINISHED)) {
                continue;
            }
            boolean isTablespace = prefix.equals("pg_tblspc/")
                    && Files.isSymbolicLink(entry)
                    && target.tablespaces().contains(Files.readSymbolicLink(entry));
            if (isTablespace) {
                removeOthersOfTablespace(Files.readSymbolicLink(entry), path + "/");
            } else if (Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
                removeOthers(entry, path + "/");
                removeIfEmpty(entry, path);
            } else if (!expected.isKept(path)) {
                FileTree.delete(entry);
            }
        }
    }

    private void removeOthersOfTablespace(Path directory, String prefix) throws IOException {
        for (Path entry : entries(directory)) {
            String name = String.valueOf(entry.getFileName());
            if (name.startsWith("PG_" + major + "_") && Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
                removeOthers(entry, prefix + name + "/");
            }
        }
    }

    private static void removeIfEmpty(Path directory, String path) throws IOException {
        if (!path.equals("global")
                && !path.equals("pg_tblspc")
                && entries(directory).isEmpty()) {
            Files.delete(directory);
        }
    }

    static List<Path> entries(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return new ArrayList<>(entries.toList());
        }
    }
}
