package io.nightshift.infra.backup;

import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageFailures;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads a stored archive. With its index, each member can be read alone and any number at once; without it (damaged, or
 * cut off) the archive is still readable from the beginning. Every byte handed out was verified: by the checksum of its
 * frame, or without an index by zstd's own. Thread-safe: each call opens its own read of the storage.
 *
 * <p>DATA_DAMAGED with the range of bytes when something does not match.
 */
public final class ArchiveReader {

    /** Most indexes fit into the first read. */
    private static final int TAIL = 64 * 1024;

    private final Storage storage;
    private final String object;
    private final long storedBytes;
    private final @Nullable ArchiveIndex index;
    private final @Nullable String indexDamage;

    private ArchiveReader(
            Storage storage,
            String object,
            long storedBytes,
            @Nullable ArchiveIndex index,
            @Nullable String indexDamage) {
        this.storage = storage;
        this.object = object;
        this.storedBytes = storedBytes;
        this.index = index;
        this.indexDamage = indexDamage;
    }

    /** Opens an archive and reads its index; a damaged index is no failure. */
    public static ArchiveReader open(Storage storage, String object) {
        long bytes = storage.stat(object)
                .orElseThrow(() -> StorageFailures.missing(storage.name(), object))
                .bytes();
        try {
            return new ArchiveReader(storage, object, bytes, readIndex(storage, object, bytes), null);
        } catch (NightshiftException failed) {
            if (failed.kind() == FailureKind.DATA_DAMAGED) {
                return new ArchiveReader(storage, object, bytes, null, failed.getMessage());
            }
            throw failed;
        }
    }

    public String object() {
        return object;
    }

    public long storedBytes() {
        return storedBytes;
    }

    /** Empty if it is damaged. */
    public Optional<ArchiveIndex> index() {
        return Optional.ofNullable(index);
    }

    /** What is wrong with the index, if it is damaged. */
    public Optional<String> indexDamage() {
        return Optional.ofNullable(indexDamage);
    }

    /** The whole tar as the server sent it. */
    public InputStream tar() {
        if (index == null) {
            return new UnindexedStream(object, storage.open(object));
        }
        return frames(index, 0, index.frameCount() - 1);
    }

    /** Visits all members in the order of the archive. */
    public void visit(MemberVisitor visitor) {
        try (InputStream tar = tar()) {
            new TarInput("archive " + object, tar).visit(visitor);
        } catch (IOException failed) {
            throw StorageFailures.unreadable(storage, object, failed);
        }
    }

    /**
     * Visits a run of members that follow each other in the archive; reads only their frames. Needs the index.
     *
     * @param run from {@link ArchiveIndex#members()}
     */
    public void visit(List<ArchiveMember> run, MemberVisitor visitor) {
        if (run.isEmpty()) {
            return;
        }
        try (InputStream tar = stretch(run.get(0), run.get(run.size() - 1))) {
            new TarInput("archive " + object, tar).visit(run.size(), visitor);
        } catch (IOException failed) {
            throw StorageFailures.unreadable(storage, object, failed);
        }
    }

    /** The content of one member, from its frames only. Needs the index. */
    public InputStream content(ArchiveMember member) {
        try {
            InputStream tar = stretch(member, member);
            boolean opened = false;
            try {
                InputStream content = new TarInput("archive " + object, tar).next(member);
                opened = true;
                return content;
            } finally {
                if (!opened) {
                    tar.close();
                }
            }
        } catch (IOException failed) {
            throw StorageFailures.unreadable(storage, object, failed);
        }
    }

    /** The content of a file: from its frames only, or without an index read from the beginning. Empty if there is none. */
    public Optional<InputStream> content(String path) {
        if (index != null) {
            return find(path).filter(member -> member.type() == MemberType.FILE).map(this::content);
        }
        try {
            InputStream tar = tar();
            Optional<InputStream> found = Optional.empty();
            try {
                found = new TarInput("archive " + object, tar).find(path);
                return found;
            } finally {
                if (found.isEmpty()) {
                    tar.close();
                }
            }
        } catch (IOException failed) {
            throw StorageFailures.unreadable(storage, object, failed);
        }
    }

    /** Looks a member up by its path. Empty if there is none, DATA_DAMAGED if there is no index to look into. */
    public Optional<ArchiveMember> find(String path) {
        for (ArchiveMember member : neededIndex().members()) {
            if (member.path().equals(path)) {
                return Optional.of(member);
            }
        }
        return Optional.empty();
    }

    private InputStream stretch(ArchiveMember first, ArchiveMember last) throws IOException {
        ArchiveIndex needed = neededIndex();
        int firstFrame = needed.frameAt(first.headerOffset());
        InputStream tar = frames(needed, firstFrame, needed.frameAt(last.endOffset() - 1));
        tar.skipNBytes(first.headerOffset() - needed.frame(firstFrame).rawOffset());
        return tar;
    }

    private InputStream frames(ArchiveIndex of, int first, int last) {
        if (last < first) {
            return InputStream.nullInputStream();
        }
        long from = of.frame(first).storedOffset();
        return new FramesStream(
                object,
                of,
                first,
                last,
                storage.openRange(object, from, of.frame(last).storedEnd() - from));
    }

    private ArchiveIndex neededIndex() {
        if (index == null) {
            throw new NightshiftException(
                    FailureKind.DATA_DAMAGED,
                    String.valueOf(indexDamage),
                    "the archive can still be read from its beginning, or from another storage");
        }
        return index;
    }

    private static ArchiveIndex readIndex(Storage storage, String object, long bytes) {
        byte[] tail = read(storage, object, Math.max(0, bytes - TAIL), bytes);
        if (tail.length < IndexTrailer.BYTES) {
            throw noIndex(object);
        }
        IndexTrailer trailer = IndexTrailer.parse(
                        Arrays.copyOfRange(tail, tail.length - IndexTrailer.BYTES, tail.length))
                .orElseThrow(() -> noIndex(object));
        long lists = trailer.indexOffset() + IndexTrailer.FRAME_HEADER;
        if (trailer.framesLength() < 0
                || trailer.membersLength() < 0
                || trailer.indexOffset() < 0
                || trailer.indexOffset() + trailer.indexBytes() != bytes
                || trailer.indexBytes() > Integer.MAX_VALUE) {
            throw new NightshiftException(
                    FailureKind.DATA_DAMAGED, "the index of " + object + " belongs to an archive of another size");
        }
        long listsEnd = bytes - IndexTrailer.BYTES;
        byte[] packed = lists >= bytes - tail.length
                ? Arrays.copyOfRange(tail, (int) (lists - (bytes - tail.length)), tail.length - IndexTrailer.BYTES)
                : read(storage, object, lists, listsEnd);
        return ArchiveIndex.decode(trailer, packed, object);
    }

    private static byte[] read(Storage storage, String object, long from, long to) {
        try (InputStream range = storage.openRange(object, from, to - from)) {
            return range.readAllBytes();
        } catch (IOException failed) {
            throw StorageFailures.unreadable(storage, object, failed);
        }
    }

    private static NightshiftException noIndex(String object) {
        return new NightshiftException(
                FailureKind.DATA_DAMAGED, "archive " + object + " does not end with an undamaged index");
    }

    /** The tar of an archive whose index is gone: zstd itself finds the frames and verifies their content. */
    private static final class UnindexedStream extends InputStream {

        private final String object;
        private final ZstdInputStreamNoFinalizer stream;

        UnindexedStream(String object, InputStream stored) {
            this.object = object;
            try {
                this.stream = new ZstdInputStreamNoFinalizer(stored);
            } catch (IOException failed) {
                throw damaged(failed);
            }
        }

        @Override
        public int read() {
            var one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) {
            try {
                return stream.read(bytes, offset, length);
            } catch (IOException failed) {
                throw damaged(failed);
            }
        }

        @Override
        public void close() throws IOException {
            stream.close();
        }

        private NightshiftException damaged(IOException failed) {
            return new NightshiftException(
                    FailureKind.DATA_DAMAGED,
                    "archive " + object + " has no index and is not readable any further: " + failed.getMessage(),
                    "verify this backup; another storage may have a good copy",
                    failed);
        }
    }
}
