package io.nightshift.infra.backup;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;

/** Takes a tar apart that is read as a stream. */
final class TarInput {

    private final String what;
    private final InputStream tar;
    private long position;

    TarInput(String what, InputStream tar) {
        this.what = what;
        this.tar = tar;
    }

    /** All members up to the end marker, which must be there. */
    void visit(MemberVisitor visitor) throws IOException {
        byte[] block = block();
        while (!TarHeader.isZero(block)) {
            visit(block, visitor);
            block = block();
        }
        if (!TarHeader.isZero(block())) {
            throw damaged(" goes on after a zero block");
        }
    }

    /** So many members. */
    void visit(int count, MemberVisitor visitor) throws IOException {
        for (int member = 0; member < count; member++) {
            visit(block(), visitor);
        }
    }

    /** The content of the next member, which must be this one; closing it closes the tar. */
    InputStream next(ArchiveMember member) throws IOException {
        TarHeader header = TarHeader.parse(block(), what + " at byte " + member.headerOffset());
        if (!header.path().equals(member.path()) || header.size() != member.size()) {
            throw damaged(" holds " + header.path() + " where its index says " + member.path());
        }
        return new Content(header.size());
    }

    /** The content of a file of this path, with what lies before it skipped; empty if the tar ends without one. */
    Optional<InputStream> find(String path) throws IOException {
        byte[] block = block();
        while (!TarHeader.isZero(block)) {
            TarHeader header = TarHeader.parse(block, what + " at byte " + (position - TarHeader.BLOCK));
            if (header.path().equals(path) && header.type() == MemberType.FILE) {
                return Optional.of(new Content(header.size()));
            }
            skip(TarHeader.padded(header.size()));
            block = block();
        }
        return Optional.empty();
    }

    private void visit(byte[] block, MemberVisitor visitor) throws IOException {
        TarHeader header = TarHeader.parse(block, what + " at byte " + (position - TarHeader.BLOCK));
        var content = new Content(header.size());
        visitor.member(header, content);
        content.skipRest();
        skip(TarHeader.padded(header.size()) - header.size());
    }

    private byte[] block() throws IOException {
        byte[] block = tar.readNBytes(TarHeader.BLOCK);
        position += block.length;
        if (block.length < TarHeader.BLOCK) {
            throw damaged(" ends before its end marker");
        }
        return block;
    }

    private void skip(long count) throws IOException {
        try {
            tar.skipNBytes(count);
        } catch (EOFException ended) {
            throw damaged(" ends inside a member");
        }
        position += count;
    }

    private NightshiftException damaged(String what) {
        return new NightshiftException(
                FailureKind.DATA_DAMAGED, this.what + what + " (byte " + position + " of the part read)");
    }

    private final class Content extends FilterInputStream {

        private long left;

        Content(long size) {
            super(tar);
            this.left = size;
        }

        @Override
        public int read() throws IOException {
            var one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            if (left == 0) {
                return -1;
            }
            int count = super.read(bytes, offset, (int) Math.min(length, left));
            if (count < 0) {
                throw damaged(" ends " + left + " bytes before the end of a member");
            }
            left -= count;
            position += count;
            return count;
        }

        @Override
        public long skip(long count) throws IOException {
            long skipped = super.skip(Math.max(0, Math.min(count, left)));
            left -= skipped;
            position += skipped;
            return skipped;
        }

        @Override
        public int available() throws IOException {
            return (int) Math.min(super.available(), left);
        }

        void skipRest() throws IOException {
            long rest = left;
            left = 0;
            TarInput.this.skip(rest);
        }
    }
}
