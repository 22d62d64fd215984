package io.nightshift.infra.backup;

/**
 * One zstd frame of an archive: it can be read without the others.
 *
 * @param storedOffset where it begins in the object
 * @param storedLength its compressed bytes
 * @param rawOffset where its content begins in the tar
 * @param rawLength its content, bytes
 * @param crc32c of its compressed bytes
 */
public record ArchiveFrame(long storedOffset, int storedLength, long rawOffset, int rawLength, int crc32c) {

    long storedEnd() {
        return storedOffset + storedLength;
    }

    long rawEnd() {
        return rawOffset + rawLength;
    }
}
