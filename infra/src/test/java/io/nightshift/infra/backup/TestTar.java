package io.nightshift.infra.backup;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Writes a tar as PostgreSQL's tarCreateHeader does, and remembers what is in it. */
public final class TestTar {

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final Map<String, byte[]> files = new LinkedHashMap<>();
    private final List<String> paths = new ArrayList<>();

    public TestTar file(String path, byte[] content) {
        bytes.writeBytes(header(path, '0', content.length, ""));
        bytes.writeBytes(content);
        bytes.writeBytes(new byte[(int) (TarHeader.padded(content.length) - content.length)]);
        String normal = path.startsWith("./") ? path.substring(2) : path;
        files.put(normal, content);
        paths.add(normal);
        return this;
    }

    public TestTar directory(String path) {
        bytes.writeBytes(header(path + "/", '5', 0, ""));
        paths.add(path.startsWith("./") ? path.substring(2) : path);
        return this;
    }

    public TestTar link(String path, String target) {
        bytes.writeBytes(header(path + "/", '2', 0, target));
        paths.add(path);
        return this;
    }

    /** The tar with its end marker. */
    public byte[] end() {
        return Arrays.copyOf(bytes.toByteArray(), bytes.size() + 2 * TarHeader.BLOCK);
    }

    /** Content by path. */
    public Map<String, byte[]> files() {
        return files;
    }

    /** Everything, in order. */
    public List<String> paths() {
        return paths;
    }

    /** Files of all awkward sizes, with compressible and incompressible content. */
    public static TestTar random(Random random, int members) {
        var tar =
                new TestTar().file("backup_label", "START WAL LOCATION: 0/2000028\n".getBytes(StandardCharsets.UTF_8));
        int[] sizes = {
            0,
            1,
            511,
            512,
            513,
            8192,
            100_000,
            ArchiveFormat.FRAME_TARGET - 512,
            ArchiveFormat.FRAME_TARGET - 1024,
            ArchiveFormat.FRAME_TARGET,
            ArchiveFormat.LARGEST_FRAME - 512,
            ArchiveFormat.LARGEST_FRAME,
            ArchiveFormat.LARGEST_FRAME + 1
        };
        tar.directory("base").directory("./pg_wal/archive_status").link("pg_tblspc/16575", "/mnt/fast");
        for (int member = 0; member < members; member++) {
            int size = random.nextInt(4) == 0 ? sizes[random.nextInt(sizes.length)] : random.nextInt(40_000);
            tar.file("base/5/" + (1000 + member), content(random, size));
        }
        return tar.file("base/5/large", content(random, 9_000_001)).file("global/pg_control", content(random, 8192));
    }

    public static byte[] content(Random random, int size) {
        var content = new byte[size];
        if (random.nextBoolean()) {
            random.nextBytes(content);
        } else {
            for (int at = 0; at < size; at += 1 + random.nextInt(64)) {
                content[at] = (byte) random.nextInt(4);
            }
        }
        return content;
    }

    static byte[] header(String path, char type, long size, String link) {
        var header = new byte[TarHeader.BLOCK];
        put(header, 0, MemberPath.encode(path));
        put(header, 100, octal(0600, 7));
        put(header, 108, octal(26, 7));
        put(header, 116, octal(26, 7));
        if (size < 1L << 33) {
            put(header, 124, octal(size, 11));
        } else {
            header[124] = (byte) 0x80;
            for (int at = 0; at < 8; at++) {
                header[135 - at] = (byte) (size >>> (8 * at));
            }
        }
        put(header, 136, octal(1_795_309_200L, 11));
        header[156] = (byte) type;
        put(header, 157, link.getBytes(StandardCharsets.UTF_8));
        put(header, 257, new byte[] {'u', 's', 't', 'a', 'r', 0, '0', '0'});
        put(header, 265, "postgres".getBytes(StandardCharsets.UTF_8));
        put(header, 297, "postgres".getBytes(StandardCharsets.UTF_8));
        sign(header);
        return header;
    }

    /** Computes the checksum of a header anew. */
    static void sign(byte[] header) {
        put(header, 148, "        ".getBytes(StandardCharsets.UTF_8));
        long sum = 0;
        for (byte each : header) {
            sum += each & 0xFF;
        }
        put(header, 148, octal(sum, 7));
    }

    private static byte[] octal(long value, int digits) {
        return String.format("%0" + digits + "o ", value).getBytes(StandardCharsets.UTF_8);
    }

    private static void put(byte[] header, int offset, byte[] field) {
        System.arraycopy(field, 0, header, offset, field.length);
    }
}
