package io.nightshift.infra.backup;

/**
 * A member of an archive, as its index knows it.
 *
 * @param path without leading {@code ./} and trailing slash; bytes that are no UTF-8 as {@link MemberPath} spells them
 * @param headerOffset where its header begins in the tar, bytes
 * @param size of its content, bytes; 0 for directories and links
 * @param crc32c of its content
 * @param checksum hexadecimal, of its content by the algorithm of the archive, as a backup manifest spells it
 */
public record ArchiveMember(String path, MemberType type, long headerOffset, long size, int crc32c, String checksum) {

    /** Where its content begins in the tar. */
    public long contentOffset() {
        return headerOffset + TarHeader.BLOCK;
    }

    /** Where the next member begins in the tar. */
    public long endOffset() {
        return contentOffset() + TarHeader.padded(size);
    }
}
