package io.nightshift.infra.backup;

import io.nightshift.infra.replication.ManifestChecksum;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;

/**
 * Sums the SHA-2 of members, if one is wanted, and enters them into the index. It takes the blocks in the order of the
 * tar, beside the threads that compress them: a SHA-2 is slower than the network.
 */
final class MemberSums {

    private static final byte[] NONE = new byte[0];

    private final IndexBuilder index;
    private final @Nullable MessageDigest sha;

    MemberSums(IndexBuilder index, ManifestChecksum algorithm) {
        this.index = index;
        this.sha = algorithm.shaBytes() == 0 ? null : algorithm.messageDigest();
    }

    ArchiveBlock sum(ArchiveBlock block) {
        ByteBuffer content = block.raw().duplicate();
        for (MemberPiece piece : block.pieces()) {
            if (sha != null) {
                sha.update(content.limit(piece.to()).position(piece.from()));
            }
            if (piece.last()) {
                index.member(piece.header(), piece.headerOffset(), piece.crc32c(), sha == null ? NONE : sha.digest());
            }
        }
        return block;
    }
}
