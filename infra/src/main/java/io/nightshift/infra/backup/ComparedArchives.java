package io.nightshift.infra.backup;

import io.nightshift.infra.incremental.BlockComparison;
import io.nightshift.infra.incremental.KnownBlocks;
import io.nightshift.infra.incremental.RelationSegment;
import io.nightshift.infra.incremental.SpillFile;
import io.nightshift.infra.replication.BackupManifest;
import io.nightshift.infra.replication.ManifestChecksum;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The way of archives from a server that sends everything (PostgreSQL 15 and 16) into a backup that holds what has changed,
 * in the format of a server that sends only that: of the relation files that the parent has, too, only the changed blocks go
 * on, and the manifest is made to fit. Of a full backup everything goes on. Either way the digests of all blocks are stored.
 * For one thread.
 */
public final class ComparedArchives implements AutoCloseable {

    private final BlockComparison comparison;
    private final DigestsObject digests;
    private final boolean full;
    private final ManifestChecksum checksum;
    private final ReceivedFiles received = new ReceivedFiles();
    private final SpillFile manifest;
    private final OutputStream manifestBytes;
    private @Nullable TarScanner scanner;
    private long bytes;

    private ComparedArchives(
            BlockComparison comparison, DigestsObject digests, boolean full, ManifestChecksum checksum, Path folder) {
        this.comparison = comparison;
        this.digests = digests;
        this.full = full;
        this.checksum = checksum;
        this.manifest = SpillFile.in(folder);
        this.manifestBytes = manifest.append();
    }

    /**
     * Of a full backup.
     *
     * @param folder for temporary files
     * @param checksum of the server's manifest
     */
    public static ComparedArchives full(NewBackup backup, ManifestChecksum checksum, Path folder) {
        DigestsObject digests = backup.digests();
        return new ComparedArchives(
                BlockComparison.full(folder, digests.digests(), backup.label().toString()),
                digests,
                true,
                checksum,
                folder);
    }

    /** Of a backup that builds on a parent, whose blocks are closed with this. */
    public static ComparedArchives on(
            KnownBlocks known, BackupLabel parent, NewBackup backup, ManifestChecksum checksum, Path folder) {
        DigestsObject digests = backup.digests();
        return new ComparedArchives(
                BlockComparison.on(
                        known,
                        parent.toString(),
                        folder,
                        digests.digests(),
                        backup.label().toString()),
                digests,
                false,
                checksum,
                folder);
    }

    /** The next archive begins, and the one before it is complete; DATA_DAMAGED if it is not. */
    public void archive(String name, ArchiveWriter target) {
        end();
        scanner = new TarScanner("archive " + name, new Members(ArchivePlace.of(name), target));
    }

    /** Bytes of the present archive, as the server sends them. */
    public void data(byte[] buffer, int offset, int length) {
        Objects.requireNonNull(scanner, "bytes before the first archive").accept(buffer, offset, length);
        bytes += length;
    }

    /** The last archive is complete; DATA_DAMAGED if it is not. */
    public void end() {
        if (scanner != null) {
            scanner.finish();
            scanner = null;
        }
    }

    /** Bytes of the server's manifest. */
    public void manifest(byte[] buffer, int offset, int length) {
        try {
            manifestBytes.write(buffer, offset, length);
        } catch (IOException failed) {
            throw SpillFile.failed("not written", failed);
        }
    }

    /** Stores the manifest of what is stored. DATA_DAMAGED if the server's does not tell what has come. */
    public BackupDocument.Manifest finishManifest(ManifestWriter target, List<StoredArchive> archives) {
        try (InputStream servers = manifest.content()) {
            if (full) {
                servers.transferTo(target);
            } else {
                received.stored(BackupManifest.parse(servers), archives).writeTo(target);
            }
            return target.finish();
        } catch (IOException failed) {
            throw SpillFile.failed("not read", failed);
        }
    }

    /** Stores the digests. */
    public BackupDocument.Digests finishDigests() {
        comparison.finish();
        return digests.finish();
    }

    /** Bytes that the server has sent. */
    public long bytes() {
        return bytes;
    }

    /** Of relation files that the parent has, too, blocks. */
    public long comparedBlocks() {
        return comparison.comparedBlocks();
    }

    /** How many of them have changed. */
    public long changedBlocks() {
        return comparison.changedBlocks();
    }

    @Override
    public void close() {
        comparison.close();
        manifest.close();
    }

    private final class Members implements TarScanner.Listener {

        private final ArchivePlace place;
        private final ArchiveWriter target;
        private @Nullable TarHeader compared;
        private byte @Nullable [] held;
        private ManifestChecksum.Digest whole = checksum.digest();

        Members(ArchivePlace place, ArchiveWriter target) {
            this.place = place;
            this.target = target;
        }

        @Override
        public void header(TarHeader header, long offset, byte[] block) {
            Optional<RelationSegment> file = header.type() == MemberType.FILE
                    ? BlockComparison.compared(place.manifestPath(header.path()), header.size())
                    : Optional.empty();
            compared = file.isPresent() ? header : null;
            held = file.isPresent() && comparison.begin(file.get(), header.size()) ? block.clone() : null;
            if (held == null) {
                target.write(block, 0, block.length);
            }
        }

        @Override
        public void content(byte[] buffer, int offset, int length) {
            if (compared != null) {
                comparison.accept(buffer, offset, length);
            }
            if (held == null) {
                target.write(buffer, offset, length);
            } else {
                whole.update(buffer, offset, length);
            }
        }

        /** Never that of a file that is held: its size is a multiple of tar's blocks. */
        @Override
        public void filler(byte[] buffer, int offset, int length) {
            target.write(buffer, offset, length);
        }

        @Override
        public void memberEnd() {
            if (compared != null) {
                comparison.end();
            }
            if (compared != null && held != null) {
                write(compared, held);
            }
            compared = null;
            held = null;
        }

        private void write(TarHeader header, byte[] block) {
            String sum = whole.hex();
            if (comparison.isWhole()) {
                target.write(block, 0, block.length);
                comparison.writeTo(target::write);
                return;
            }
            long size = comparison.size();
            received.add(header.size(), sum);
            target.write(TarHeader.ofChangedBlocks(block, size), 0, TarHeader.BLOCK);
            comparison.writeTo(target::write);
            int padding = (int) (TarHeader.padded(size) - size);
            target.write(new byte[padding], 0, padding);
        }
    }
}
