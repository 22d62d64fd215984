package io.nightshift.infra.backup;

import io.nightshift.infra.incremental.RelationSegment;
import io.nightshift.infra.replication.BackupManifest;
import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.replication.ManifestFile;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * What whole files were like of which only the changed blocks are stored: the server's manifest is compared with that while
 * it can be. About 20 bytes a file in memory. Not thread-safe.
 */
final class ReceivedFiles {

    private final ByteArrayOutputStream list = new ByteArrayOutputStream();
    private final DataOutputStream out = new DataOutputStream(list);

    /** The next file that has passed, in the order of the archives. */
    void add(long size, String checksum) {
        try {
            out.writeLong(size);
            out.writeUTF(checksum);
        } catch (IOException inMemory) {
            throw new UncheckedIOException(inMemory);
        }
    }

    /**
     * The manifest of what is stored, made of the server's, which lists files in the order in which it sends them.
     * DATA_DAMAGED if it does not tell what has come.
     */
    BackupManifest stored(BackupManifest servers, List<StoredArchive> archives) {
        Iterator<ManifestFile> changed =
                archives.stream().flatMap(ReceivedFiles::changedBlocks).iterator();
        var received = new DataInputStream(new ByteArrayInputStream(list.toByteArray()));
        List<ManifestFile> files = new ArrayList<>(servers.files().size());
        ManifestFile next = changed.hasNext() ? changed.next() : null;
        for (ManifestFile listed : servers.files()) {
            if (next != null && listed.path().equals(RelationSegment.wholePath(next.path()))) {
                require(listed, received);
                files.add(next);
                next = changed.hasNext() ? changed.next() : null;
            } else {
                files.add(listed);
            }
        }
        if (next != null) {
            throw damaged(RelationSegment.wholePath(next.path()), "is not where the server's manifest should list it");
        }
        return new BackupManifest(
                servers.version(), servers.systemIdentifier(), files, servers.walRanges(), servers.checksum());
    }

    private static Stream<ManifestFile> changedBlocks(StoredArchive archive) {
        ManifestChecksum algorithm = archive.index().algorithm();
        return StreamSupport.stream(archive.index().members().spliterator(), false)
                .filter(member -> RelationSegment.isIncremental(archive.manifestPath(member)))
                .map(member -> new ManifestFile(
                        archive.manifestPath(member), true, member.size(), algorithm, member.checksum()));
    }

    private static void require(ManifestFile listed, DataInputStream received) {
        try {
            long size = received.readLong();
            String checksum = received.readUTF();
            if (size != listed.size() || !checksum.equals(listed.checksum())) {
                throw damaged(
                        listed.path(),
                        "has come with " + size + " bytes and the " + listed.algorithm() + " " + checksum
                                + ", the server's manifest says " + listed.size() + " and " + listed.checksum());
            }
        } catch (IOException inMemory) {
            throw new UncheckedIOException(inMemory);
        }
    }

    private static NightshiftException damaged(String path, String what) {
        return new NightshiftException(
                FailureKind.DATA_DAMAGED,
                "file " + path + " " + what,
                "look after the memory of both machines and the network between them, then run the job again");
    }
}
