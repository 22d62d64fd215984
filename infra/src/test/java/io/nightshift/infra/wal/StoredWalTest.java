package io.nightshift.infra.wal;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.server.ChildJvm;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageSet;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoredWalTest {

    private static final long SEGMENT = 256 << 20;
    private static final BackupPaths PATHS = new BackupPaths("chanuka", 18, new SystemIdentifier(7));
    private static final WalSegment LARGE = new WalSegment(new Timeline(1), 1, SEGMENT);

    @TempDir
    private Path directory;

    private DirectoryStorage storage(String name) {
        return new DirectoryStorage(name, directory.resolve(name));
    }

    /** A first page as far as it is looked at, and nothing behind it. */
    private static InputStream content() {
        ByteBuffer page = ByteBuffer.allocate(WalPages.SIZE).order(ByteOrder.LITTLE_ENDIAN);
        page.putLong(8, LARGE.start().position()).putLong(24, 7);
        return new SequenceInputStream(new ByteArrayInputStream(page.array()), new Zeros(SEGMENT - WalPages.SIZE));
    }

    private static String checksum(InputStream content) throws IOException {
        var checksum = new CRC32C();
        long bytes = new CheckedInputStream(content, checksum).transferTo(java.io.OutputStream.nullOutputStream());
        return bytes + " bytes " + checksum.getValue();
    }

    @Test
    void a_segment_that_is_larger_than_memory_is_read_from_the_copy_that_is_good() throws Exception {
        DirectoryStorage near = storage("near");
        DirectoryStorage far = storage("far");
        near.prepare();
        far.prepare();
        var object = new WalObject.Segment(LARGE);
        new WalArchive(StorageSet.of(near, far), PATHS, SEGMENT).store(object, StoredWalTest::content);
        Path damaged =
                directory.resolve("near").resolve(PATHS.folder()).resolve("wal").resolve(object.name());
        byte[] bytes = Files.readAllBytes(damaged);
        bytes[bytes.length / 2] ^= 1;
        Files.write(damaged, bytes);

        try (var child =
                ChildJvm.start(List.of("-XX:+UseSerialGC", "-Xmx32m"), Reader.class, Map.of(), directory.toString())) {
            assertThat(child.awaitLine("read ")).isEqualTo("read " + checksum(content()));
            assertThat(child.awaitLine("complaint ")).contains("in storage near is damaged: ");
            assertThat(child.exitStatus()).isZero();
        }
    }

    /** Reads it in a process with little memory. */
    static final class Reader {

        private Reader() {}

        public static void main(String[] arguments) throws IOException {
            List<Storage> storages = List.of(
                    new DirectoryStorage("near", Path.of(arguments[0], "near")),
                    new DirectoryStorage("far", Path.of(arguments[0], "far")));
            StoredWal wal = StoredWal.of(storages, PATHS, SEGMENT);
            try (InputStream stored = wal.open(LARGE).orElseThrow()) {
                System.out.println("read " + checksum(stored));
            }
            wal.complaints().forEach(complaint -> System.out.println("complaint " + complaint));
        }
    }
}
