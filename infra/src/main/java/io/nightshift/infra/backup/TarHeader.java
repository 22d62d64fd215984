package io.nightshift.infra.backup;

import io.nightshift.infra.incremental.RelationSegment;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/**
 * The header of a tar member as PostgreSQL writes it: ustar, sizes over 8 GiB as GNU base-256, directories and links
 * with a trailing slash (src/port/tar.c, {@code tarCreateHeader}). Extensions that servers never send are refused.
 *
 * @param path without leading {@code ./} and trailing slash
 * @param size of the content that follows, bytes
 * @param mode permission bits
 * @param modified seconds since 1970
 * @param linkTarget empty unless it is a link
 */
public record TarHeader(String path, MemberType type, long size, int mode, long modified, String linkTarget) {

    /** The unit of tar, bytes. */
    public static final int BLOCK = 512;

    /** The size rounded up to whole blocks. */
    public static long padded(long size) {
        return (size + BLOCK - 1) & -BLOCK;
    }

    static boolean isZero(byte[] block) {
        for (byte each : block) {
            if (each != 0) {
                return false;
            }
        }
        return true;
    }

    /** The header at an offset, if one is there. */
    static Optional<TarHeader> at(byte[] bytes, int offset) {
        try {
            return Optional.of(parse(Arrays.copyOfRange(bytes, offset, offset + BLOCK), ""));
        } catch (NightshiftException none) {
            return Optional.empty();
        }
    }

    /**
     * Reads a header; DATA_DAMAGED if it is none.
     *
     * @param block 512 bytes
     * @param where what is read and where, for the message
     */
    static TarHeader parse(byte[] block, String where) {
        if (number(block, 148, 8, where) != checksum(block)) {
            throw damaged(where, "its header checksum does not match");
        }
        if (!new String(block, 257, 5, StandardCharsets.US_ASCII).equals("ustar")) {
            throw damaged(where, "it is no ustar header");
        }
        MemberType type = type(block[156], where);
        long size = number(block, 124, 12, where);
        if (type != MemberType.FILE && size != 0) {
            throw damaged(where, "a " + type + " has a size of " + size);
        }
        return new TarHeader(
                path(block, where),
                type,
                size,
                (int) number(block, 100, 8, where) & 07777,
                number(block, 136, 12, where),
                MemberPath.decode(field(block, 157, 100)));
    }

    /** The header of the file of changed blocks that takes the place of the file of this header. */
    static byte[] ofChangedBlocks(byte[] block, long size) {
        byte[] header = block.clone();
        byte[] name = RelationSegment.incrementalPath(new String(field(block, 0, 100), StandardCharsets.ISO_8859_1))
                .getBytes(StandardCharsets.ISO_8859_1);
        System.arraycopy(name, 0, header, 0, name.length);
        octal(header, 124, 12, size);
        octal(header, 148, 8, checksum(header));
        return header;
    }

    private static void octal(byte[] block, int offset, int length, long value) {
        block[offset + length - 1] = ' ';
        long left = value;
        for (int at = offset + length - 2; at >= offset; at--) {
            block[at] = (byte) ('0' + (left & 7));
            left >>>= 3;
        }
    }

    private static MemberType type(byte flag, String where) {
        return MemberType.of(flag)
                .orElseThrow(() -> damaged(where, "its type flag " + (flag & 0xFF) + " is none that a server sends"));
    }

    private static String path(byte[] block, String where) {
        String prefix = MemberPath.decode(field(block, 345, 155));
        String name = MemberPath.decode(field(block, 0, 100));
        boolean posix = block[262] == 0;
        String path = posix && !prefix.isEmpty() ? prefix + "/" + name : name;
        path = path.startsWith("./") ? path.substring(2) : path;
        path = path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
        if (path.isEmpty()
                || path.startsWith("/")
                || Arrays.asList(path.split("/", -1)).contains("..")) {
            throw damaged(where, "its path \"" + path + "\" leads out of the data directory");
        }
        return path;
    }

    private static byte[] field(byte[] block, int offset, int length) {
        int end = offset;
        while (end < offset + length && block[end] != 0) {
            end++;
        }
        return Arrays.copyOfRange(block, offset, end);
    }

    /** Octal digits with spaces or NULs around, or base-256 when the first bit is set. */
    private static long number(byte[] block, int offset, int length, String where) {
        if ((block[offset] & 0x80) != 0) {
            return base256(block, offset, length, where);
        }
        long value = 0;
        int at = offset;
        int end = offset + length;
        while (at < end && block[at] == ' ') {
            at++;
        }
        for (; at < end && block[at] >= '0' && block[at] <= '7'; at++) {
            value = value * 8 + (block[at] - '0');
        }
        for (; at < end; at++) {
            if (block[at] != ' ' && block[at] != 0) {
                throw damaged(where, "the number at byte " + offset + " of its header is not octal");
            }
        }
        return value;
    }

    private static long base256(byte[] block, int offset, int length, String where) {
        long value = block[offset] & 0x7F;
        for (int at = offset + 1; at < offset + length; at++) {
            if (value >>> 54 != 0) {
                throw damaged(where, "the number at byte " + offset + " of its header is too large");
            }
            value = value << 8 | (block[at] & 0xFF);
        }
        return value;
    }

    private static long checksum(byte[] block) {
        long sum = 8 * ' ';
        for (int at = 0; at < BLOCK; at++) {
            sum += at >= 148 && at < 156 ? 0 : block[at] & 0xFF;
        }
        return sum;
    }

    private static NightshiftException damaged(String where, String what) {
        return new NightshiftException(FailureKind.DATA_DAMAGED, where + " is not a tar member: " + what);
    }
}
