package io.nightshift.infra.incremental;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The digests of all blocks as they were when a backup was taken, put together from those of its chain. They lie in a
 * temporary file ({@value BlockHash#BYTES} bytes for each block: 2 GB for 1 TB); in memory are about 120 bytes for each
 * relation file. Not thread-safe.
 */
public final class KnownBlocks implements AutoCloseable {

    /** Which file, exactly. */
    private record Key(long tablespaceAndDatabase, long filenodeAndNumber) {
        static Key of(RelationSegment segment) {
            RelationFork fork = segment.fork();
            return new Key(fork.tablespace() << 32 | fork.database(), fork.filenode() << 32 | segment.number());
        }
    }

    /**
     * Where its digests are.
     *
     * @param room blocks that have their place there
     * @param link the number of the backup in the chain that last had the file
     */
    private record Place(long offset, int blocks, int room, int link) {}

    private final SpillFile file;
    private final Map<Key, Place> places = new HashMap<>();
    private final ByteBuffer record = ByteBuffer.allocate(RelationSegment.BLOCKS * BlockHash.BYTES);
    private final ByteBuffer earlier = ByteBuffer.allocate(RelationSegment.BLOCKS * BlockHash.BYTES);
    private long end;
    private int link;
    private byte @Nullable [] seed;

    /** @param folder for the temporary file, which nobody finds there even now */
    public KnownBlocks(Path folder) {
        file = SpillFile.in(folder);
    }

    /**
     * Takes what the next backup of the chain says, the oldest first; DATA_DAMAGED if it is not that. After a failure, this
     * is of no further use.
     *
     * @param label whose digests they must be
     * @param parent on which they must build; "" for the first
     */
    public void read(InputStream digests, String label, String parent) {
        try {
            link++;
            read(new DataInputStream(digests), label, parent);
        } catch (EOFException cut) {
            throw damaged(label, "they are cut off");
        } catch (IOException unreadable) {
            throw damaged(label, String.valueOf(unreadable.getMessage()));
        }
    }

    private void read(DataInputStream in, String label, String parent) throws IOException {
        if (in.readLong() != DigestsWriter.MAGIC) {
            throw damaged(label, "they begin with something else");
        }
        int version = in.readInt();
        if (version != DigestsWriter.FORMAT_VERSION) {
            throw damaged(
                    label,
                    "they have format version " + version + ", this program knows " + DigestsWriter.FORMAT_VERSION);
        }
        byte[] found = in.readNBytes(BlockHash.SEED_BYTES);
        String ofLabel = in.readUTF();
        String ofParent = in.readUTF();
        if (!ofLabel.equals(label) || !ofParent.equals(parent)) {
            throw damaged(label, "they belong to backup " + ofLabel + (ofParent.isEmpty() ? "" : " on " + ofParent));
        }
        if (seed != null && !Arrays.equals(seed, found)) {
            throw damaged(label, "they were made with another key than those of " + parent);
        }
        seed = found;
        var crc = new CRC32C();
        long files = 0;
        int mark = in.readUnsignedByte();
        for (; mark == DigestsWriter.FILE; mark = in.readUnsignedByte()) {
            readFile(in, label, crc);
            files++;
        }
        if (mark != DigestsWriter.END
                || in.readLong() != files
                || in.readInt() != (int) crc.getValue()
                || in.read() >= 0) {
            throw damaged(label, "their checksum does not match");
        }
    }

    private void readFile(DataInputStream in, String label, CRC32C crc) throws IOException {
        ByteBuffer head = ByteBuffer.wrap(in.readNBytes(DigestsWriter.FILE_HEAD));
        if (head.remaining() < DigestsWriter.FILE_HEAD) {
            throw new EOFException();
        }
        crc.update(head.duplicate());
        var key = new Key(head.getLong() << 32 | head.getLong(), head.getLong() << 32 | head.getInt());
        int blocks = head.getInt();
        if (blocks < 0 || blocks > RelationSegment.BLOCKS) {
            throw damaged(label, "a file has " + blocks + " blocks");
        }
        record.clear().limit(blocks * BlockHash.BYTES);
        in.readFully(record.array(), 0, record.limit());
        Place before = places.get(key);
        if (before != null && before.link() == link - 1) {
            addTo(record, before, Math.min(blocks, before.blocks()));
        }
        crc.update(record.duplicate());
        Place place = before != null && before.room() >= blocks
                ? new Place(before.offset(), blocks, before.room(), link)
                : new Place(end, blocks, blocks, link);
        file.write(record, place.offset());
        end = Math.max(end, place.offset() + (long) blocks * BlockHash.BYTES);
        places.put(key, place);
    }

    /** Takes the exclusive or with what was there. */
    private void addTo(ByteBuffer changes, Place before, int blocks) {
        earlier.clear().limit(blocks * BlockHash.BYTES);
        file.read(earlier, before.offset());
        LongBuffer now = changes.asLongBuffer();
        LongBuffer old = earlier.asLongBuffer();
        for (int at = 0; at < 2 * blocks; at++) {
            now.put(at, now.get(at) ^ old.get(at));
        }
    }

    /** The key of the digests. */
    byte[] seed() {
        if (seed == null) {
            throw new IllegalStateException("no digests were read");
        }
        return seed;
    }

    /**
     * Looks up a file.
     *
     * @param into gets two elements for each block
     * @return how many blocks it had; -1 if it was not there, or not as whole blocks
     */
    int load(RelationSegment segment, long[] into) {
        Place place = places.get(Key.of(segment));
        if (place == null || place.link() != link) {
            return -1;
        }
        record.clear().limit(place.blocks() * BlockHash.BYTES);
        file.read(record, place.offset());
        record.asLongBuffer().get(into, 0, 2 * place.blocks());
        return place.blocks();
    }

    private static NightshiftException damaged(String label, String what) {
        return new NightshiftException(
                FailureKind.DATA_DAMAGED, "the block digests of backup " + label + " are not right: " + what);
    }

    @Override
    public void close() {
        file.close();
    }
}
