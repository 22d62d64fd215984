package io.nightshift.infra.backup;

/**
 * The part of a member's content that lies in one block.
 *
 * @param headerOffset of the member in the tar
 * @param from where the content begins in the block
 * @param to where it ends there
 * @param last whether the member ends here
 * @param crc32c of the whole member, if it ends here
 */
record MemberPiece(TarHeader header, long headerOffset, int from, int to, boolean last, int crc32c) {}
