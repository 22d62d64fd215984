package io.nightshift.infra.backup;

/**
 * An archive that is durable in all required storages.
 *
 * @param object its name there
 * @param name as the server sent it, such as {@code base.tar} or {@code 16575.tar}
 * @param location of its tablespace at the source; "" for the data directory
 * @param rawBytes of the tar
 * @param sha256 of the stored bytes, hexadecimal
 * @param index its members with the checksums of what was sent
 */
public record StoredArchive(
        String object,
        String name,
        String location,
        long rawBytes,
        long storedBytes,
        String sha256,
        ArchiveIndex index) {

    /** Where a member of this archive is in the backup manifest, which tells paths from the data directory on. */
    public String manifestPath(ArchiveMember member) {
        return ArchivePlace.of(name).manifestPath(member.path());
    }
}
