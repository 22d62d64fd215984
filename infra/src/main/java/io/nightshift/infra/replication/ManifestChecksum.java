package io.nightshift.infra.replication;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * How a backup manifest checks a file. The constants are named as the manifest and MANIFEST_CHECKSUMS name them.
 */
public enum ManifestChecksum {
    NONE(0),
    CRC32C(0),
    SHA224(28),
    SHA256(32),
    SHA384(48),
    SHA512(64);

    private final int shaBytes;

    ManifestChecksum(int shaBytes) {
        this.shaBytes = shaBytes;
    }

    /** The length of the SHA-2; 0 for {@link #NONE} and {@link #CRC32C}. */
    public int shaBytes() {
        return shaBytes;
    }

    public Digest digest() {
        return new Digest(this);
    }

    /** Java's own digest of a SHA-2, for what is not a file of a backup. */
    public MessageDigest messageDigest() {
        String algorithm = name().replace("SHA", "SHA-");
        try {
            return MessageDigest.getInstance(algorithm);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(algorithm + " is missing from this Java", impossible);
        }
    }

    /** The checksum of a whole file as the manifest writes it. */
    public String hexOf(byte[] content) {
        Digest digest = digest();
        digest.update(content, 0, content.length);
        return digest.hex();
    }

    /**
     * A checksum as the manifest writes it: lower-case hexadecimal, empty for {@link #NONE}. A CRC32C is written in memory
     * order, which on x86 and ARM is the lowest byte first.
     *
     * @param sha empty unless this is a SHA-2
     */
    public String hex(int crc32c, byte[] sha) {
        return switch (this) {
            case NONE -> "";
            case CRC32C -> HexFormat.of().toHexDigits(Integer.reverseBytes(crc32c));
            case SHA224, SHA256, SHA384, SHA512 -> HexFormat.of().formatHex(sha);
        };
    }

    /** Hexadecimal digits of a checksum. */
    int hexLength() {
        return this == CRC32C ? 8 : 2 * shaBytes;
    }

    /**
     * Checks one file after another, piece by piece: always their CRC32C, which costs next to nothing, and a SHA-2 if the
     * algorithm is one. Not thread-safe.
     */
    public static final class Digest {

        private final ManifestChecksum algorithm;
        private final CRC32C crc = new CRC32C();
        private final @Nullable MessageDigest sha;

        private Digest(ManifestChecksum algorithm) {
            this.algorithm = algorithm;
            this.sha = algorithm.shaBytes == 0 ? null : algorithm.messageDigest();
        }

        public void update(byte[] bytes, int offset, int length) {
            crc.update(bytes, offset, length);
            if (sha != null) {
                sha.update(bytes, offset, length);
            }
        }

        /** Of the bytes so far. */
        public int crc32c() {
            return (int) crc.getValue();
        }

        /** The bytes of the SHA-2, none where there is none. Ends the file. */
        public byte[] finish() {
            crc.reset();
            return sha == null ? new byte[0] : sha.digest();
        }

        /** The checksum as the manifest writes it; empty for {@link #NONE}. Ends the file. */
        public String hex() {
            int crc32c = crc32c();
            return algorithm.hex(crc32c, finish());
        }
    }
}
