package io.nightshift.infra.replication;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/**
 * A file as the backup manifest lists it.
 *
 * @param path relative to the data directory, with slashes; files of tablespaces lie under {@code pg_tblspc/<oid>/}.
 *     Never absolute, never with {@code ..}
 * @param utf8 whether the name is UTF-8. If not, the path has one char for each of its bytes (ISO-8859-1)
 * @param size bytes
 * @param checksum lower-case hexadecimal; empty for {@link ManifestChecksum#NONE}
 */
public record ManifestFile(String path, boolean utf8, long size, ManifestChecksum algorithm, String checksum) {

    /** The name as the file system of the server has it. */
    public byte[] pathBytes() {
        Charset charset = utf8 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1;
        return path.getBytes(charset);
    }
}
