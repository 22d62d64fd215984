package io.nightshift.infra.backup;

import com.github.luben.zstd.ZstdInputStream;
import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.util.Arrays;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.zip.CRC32C;

/**
 * What an archive holds: its frames and its members. The member list stays compressed in memory, about ten bytes a
 * member, and is unpacked while it is walked: a cluster may have millions of files.
 *
 * <p>Both lists are one zstd frame each. A frame is two varints (stored and raw length) and its CRC32C; a member is a
 * varint length and the path, one byte type, a varint gap since the end of the member before, a varint size, its CRC32C and its SHA-2 if the
 * archive has one. Varints are unsigned LEB128, CRCs little endian.
 */
public final class ArchiveIndex {

    private static final int LONGEST_PATH = 1024;

    private final IndexTrailer trailer;
    private final byte[] members;
    private final long[] storedOffsets;
    private final long[] rawOffsets;
    private final int[] crcs;

    private ArchiveIndex(IndexTrailer trailer, byte[] members) {
        this.trailer = trailer;
        this.members = members;
        this.storedOffsets = new long[trailer.frames() + 1];
        this.rawOffsets = new long[trailer.frames() + 1];
        this.crcs = new int[trailer.frames()];
    }

    /**
     * Unpacks and checks the index; DATA_DAMAGED if it contradicts itself.
     *
     * @param lists the compressed frame list and member list
     */
    static ArchiveIndex decode(IndexTrailer trailer, byte[] lists, String archive) {
        var crc = new CRC32C();
        crc.update(lists);
        if ((int) crc.getValue() != trailer.listsCrc()) {
            throw damaged(archive, "its checksum does not match");
        }
        byte[] frameList = Arrays.copyOf(lists, trailer.framesLength());
        byte[] memberList = Arrays.copyOfRange(lists, trailer.framesLength(), lists.length);
        if (trailer.frames() < 0 || trailer.frames() > trailer.indexOffset()) {
            throw damaged(archive, "it counts " + trailer.frames() + " frames");
        }
        var index = new ArchiveIndex(trailer, memberList);
        try {
            index.readFrames(frameList);
            index.walkMembers();
        } catch (IOException | IllegalStateException contradiction) {
            throw damaged(archive, String.valueOf(contradiction.getMessage()));
        }
        return index;
    }

    /** Which checksums the members have besides their CRC32C. */
    public ManifestChecksum algorithm() {
        return trailer.algorithm();
    }

    /** Bytes of the tar. */
    public long rawBytes() {
        return trailer.rawBytes();
    }

    public long memberCount() {
        return trailer.members();
    }

    public int frameCount() {
        return crcs.length;
    }

    public ArchiveFrame frame(int number) {
        return new ArchiveFrame(
                storedOffsets[number],
                (int) (storedOffsets[number + 1] - storedOffsets[number]),
                rawOffsets[number],
                (int) (rawOffsets[number + 1] - rawOffsets[number]),
                crcs[number]);
    }

    /** The number of the frame that holds a byte of the tar. */
    public int frameAt(long rawOffset) {
        if (rawOffset < 0 || rawOffset >= rawBytes()) {
            throw new IndexOutOfBoundsException("byte " + rawOffset + " of a tar of " + rawBytes() + " bytes");
        }
        int found = Arrays.binarySearch(rawOffsets, rawOffset);
        return found >= 0 ? found : -found - 2;
    }

    /** The members in the order of the archive. */
    public Iterable<ArchiveMember> members() {
        return Walk::new;
    }

    /** Where the frames end and the index begins in the object. */
    long indexOffset() {
        return trailer.indexOffset();
    }

    private void readFrames(byte[] list) throws IOException {
        try (DataInputStream in = unpack(list)) {
            for (int number = 0; number < crcs.length; number++) {
                long stored = varint(in);
                long raw = varint(in);
                crcs[number] = Integer.reverseBytes(in.readInt());
                require(
                        stored > 0 && stored <= ArchiveFormat.LARGEST_STORED_FRAME,
                        "a frame of " + stored + " stored bytes");
                require(raw > 0 && raw <= ArchiveFormat.LARGEST_FRAME, "a frame of " + raw + " bytes");
                storedOffsets[number + 1] = storedOffsets[number] + stored;
                rawOffsets[number + 1] = rawOffsets[number] + raw;
            }
        }
        require(storedOffsets[crcs.length] == trailer.indexOffset(), "the frames do not fill the archive");
        require(rawOffsets[crcs.length] == trailer.rawBytes(), "the frames do not fill the tar");
    }

    private void walkMembers() {
        long count = 0;
        for (ArchiveMember member : members()) {
            require(member.size() >= 0, "the size of " + member.path());
            require(member.endOffset() <= rawBytes(), member.path() + " lies behind the end");
            count++;
        }
        require(count == trailer.members(), "it lists " + count + " members of " + trailer.members());
    }

    private static DataInputStream unpack(byte[] list) throws IOException {
        // Not the variant without a finalizer: who stops in the middle of a walk closes nothing, and its memory is no
        // heap.
        return new DataInputStream(
                new BufferedInputStream(new ZstdInputStream(new ByteArrayInputStream(list)), 1 << 14));
    }

    private static long varint(DataInputStream in) throws IOException {
        long value = 0;
        for (int shift = 0; shift < 63; shift += 7) {
            int part = in.readUnsignedByte();
            value |= (long) (part & 0x7F) << shift;
            if (part < 0x80) {
                return value;
            }
        }
        throw new IOException("a number is too large");
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalStateException("it contradicts itself: " + otherwise);
        }
    }

    private static NightshiftException damaged(String archive, String what) {
        return new NightshiftException(FailureKind.DATA_DAMAGED, "the index of " + archive + " is damaged: " + what);
    }

    private final class Walk implements Iterator<ArchiveMember> {

        private final DataInputStream in;
        private long walked;
        private long end;

        Walk() {
            try {
                in = unpack(members);
            } catch (IOException failed) {
                throw new IllegalStateException(failed);
            }
        }

        @Override
        public boolean hasNext() {
            return walked < trailer.members();
        }

        @Override
        public ArchiveMember next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            walked++;
            try {
                ArchiveMember member = read();
                if (!hasNext()) {
                    in.close();
                }
                return member;
            } catch (EOFException ended) {
                throw new IllegalStateException("the member list ends early", ended);
            } catch (IOException failed) {
                throw new IllegalStateException("the member list is not readable: " + failed.getMessage(), failed);
            }
        }

        private ArchiveMember read() throws IOException {
            long pathLength = varint(in);
            require(pathLength > 0 && pathLength <= LONGEST_PATH, "a path of " + pathLength + " bytes");
            String path = MemberPath.decode(in.readNBytes((int) pathLength));
            MemberType type = MemberType.of(in.readUnsignedByte())
                    .orElseThrow(() -> new IllegalStateException("it contradicts itself: the type of " + path));
            long headerOffset = end + varint(in);
            long size = varint(in);
            int crc = Integer.reverseBytes(in.readInt());
            byte[] sha = in.readNBytes(algorithm().shaBytes());
            require(headerOffset >= end && size >= 0 && headerOffset + size >= 0, "the place of " + path);
            var member = new ArchiveMember(
                    path, type, headerOffset, size, crc, algorithm().hex(crc, sha));
            end = member.endOffset();
            return member;
        }
    }
}
