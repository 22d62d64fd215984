package io.nightshift.infra.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.ZstdInputStream;
import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.FaultyStorage;
import io.nightshift.infra.storage.StoredObjectWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ArchiveTest {

    private static final String OBJECT = "c/base.tar.zst";

    @TempDir
    private Path temporary;

    private final ArchiveCompressor compressor = new ArchiveCompressor(3, 2);
    private DirectoryStorage storage;

    @BeforeEach
    void prepare() {
        storage = new DirectoryStorage("local", temporary);
    }

    @AfterEach
    void close() {
        compressor.close();
    }

    @Test
    void gives_back_every_tar_whatever_its_members_and_pieces() throws Exception {
        for (int seed = 1; seed <= Effort.of(2, 60); seed++) {
            var random = new Random(seed);
            TestTar tar = TestTar.random(random, 200);

            StoredArchive stored = write(tar.end(), random, ManifestChecksum.CRC32C);

            var reader = ArchiveReader.open(storage, OBJECT);
            assertThat(reader.indexDamage()).isEmpty();
            assertThat(reader.tar().readAllBytes()).as("seed %s", seed).isEqualTo(tar.end());
            assertThat(visited(reader))
                    .as("seed %s", seed)
                    .containsExactlyElementsOf(tar.files().entrySet().stream()
                            .map(file -> Map.entry(file.getKey(), crc(file.getValue())))
                            .toList());
            assertThat(paths(stored.index())).containsExactlyElementsOf(tar.paths());
            assertThat(paths(reader.index().orElseThrow())).containsExactlyElementsOf(tar.paths());
            storage.delete(OBJECT);
        }
    }

    @Test
    void says_truly_what_it_stored() throws Exception {
        TestTar tar = TestTar.random(new Random(1), 50);

        StoredArchive stored = write(tar.end(), new Random(1), ManifestChecksum.CRC32C);

        byte[] object = Files.readAllBytes(temporary.resolve(OBJECT));
        assertThat(stored.storedBytes()).isEqualTo(object.length);
        assertThat(stored.rawBytes()).isEqualTo(tar.end().length);
        assertThat(stored.sha256())
                .isEqualTo(HexFormat.of()
                        .formatHex(MessageDigest.getInstance("SHA-256").digest(object)));
    }

    @ParameterizedTest
    @CsvSource({"NONE,0", "CRC32C,1", "SHA224,2", "SHA256,3", "SHA384,4", "SHA512,5"})
    void stores_the_algorithm_under_a_number_that_never_changes(ManifestChecksum algorithm, byte number) {
        byte[] trailer = new IndexTrailer(1, algorithm, 0, 0, 0, 0, 0, 0, 0).bytes();

        assertThat(trailer[12]).isEqualTo(number);
        assertThat(IndexTrailer.parse(trailer))
                .hasValueSatisfying(parsed -> assertThat(parsed.algorithm()).isEqualTo(algorithm));
    }

    @Test
    void sums_each_member_as_the_manifest_spells_it() {
        byte[] content = "123456789".getBytes(StandardCharsets.UTF_8);
        TestTar tar = new TestTar().file("check", content).file("empty", new byte[0]);

        assertThat(checksums(tar, ManifestChecksum.CRC32C)).containsExactly("839206e3", "00000000");
        assertThat(checksums(tar, ManifestChecksum.NONE)).containsExactly("", "");
        assertThat(checksums(tar, ManifestChecksum.SHA224))
                .containsExactly(
                        "9b3e61bf29f17c75572fae2e86e17809a4513d07c8a18152acf34521",
                        "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f");
        assertThat(checksums(tar, ManifestChecksum.SHA512).get(0)).hasSize(128);
    }

    @Test
    void cuts_frames_at_members_and_splits_only_large_ones() {
        TestTar tar = TestTar.random(new Random(2), 300);

        ArchiveIndex index =
                write(tar.end(), new Random(2), ManifestChecksum.CRC32C).index();

        List<Long> starts = new ArrayList<>();
        List<ArchiveMember> large = new ArrayList<>();
        for (ArchiveMember member : index.members()) {
            starts.add(member.headerOffset());
            if (member.size() > ArchiveFormat.LARGEST_FRAME - 512) {
                large.add(member);
            }
        }
        for (int number = 0; number < index.frameCount(); number++) {
            ArchiveFrame frame = index.frame(number);
            assertThat(frame.rawLength()).isLessThanOrEqualTo(ArchiveFormat.LARGEST_FRAME);
            boolean insideLarge = large.stream()
                    .anyMatch(member ->
                            member.headerOffset() < frame.rawOffset() && frame.rawOffset() <= member.endOffset());
            assertThat(insideLarge || starts.contains(frame.rawOffset())).isTrue();
            assertThat(index.frameAt(frame.rawOffset())).isEqualTo(number);
            assertThat(index.frameAt(frame.rawEnd() - 1)).isEqualTo(number);
        }
    }

    @Test
    void fetches_one_member_from_its_own_frames() throws Exception {
        TestTar tar = TestTar.random(new Random(3), 100);
        write(tar.end(), new Random(3), ManifestChecksum.CRC32C);
        var reader = ArchiveReader.open(storage, OBJECT);

        for (Map.Entry<String, byte[]> file : tar.files().entrySet()) {
            ArchiveMember member = reader.find(file.getKey()).orElseThrow();
            try (var content = reader.content(member)) {
                assertThat(content.readAllBytes()).as(file.getKey()).isEqualTo(file.getValue());
            }
        }

        assertThat(reader.find("no/such/file")).isEmpty();
        flip(10);
        ArchiveMember last = reader.find("global/pg_control").orElseThrow();
        assertThat(reader.content(last).readAllBytes()).isEqualTo(tar.files().get("global/pg_control"));
    }

    @Test
    void visits_a_run_of_members_alone() throws Exception {
        TestTar tar = TestTar.random(new Random(4), 100);
        ArchiveIndex index =
                write(tar.end(), new Random(4), ManifestChecksum.CRC32C).index();
        List<ArchiveMember> all = new ArrayList<>();
        index.members().forEach(all::add);
        Map<String, Integer> seen = new LinkedHashMap<>();

        ArchiveReader.open(storage, OBJECT)
                .visit(all.subList(40, 60), (header, content) -> seen.put(header.path(), crc(content.readAllBytes())));

        assertThat(seen.keySet()).containsExactlyElementsOf(tar.paths().subList(40, 60));
        seen.forEach((path, crc) -> assertThat(crc).isEqualTo(crc(tar.files().get(path))));
    }

    @Test
    void opens_with_stock_tools() throws Exception {
        TestTar tar = TestTar.random(new Random(5), 100);
        write(tar.end(), new Random(5), ManifestChecksum.CRC32C);

        List<String> names = new ArrayList<>();
        try (var stock =
                new TarArchiveInputStream(new ZstdInputStream(Files.newInputStream(temporary.resolve(OBJECT))))) {
            for (var entry = stock.getNextEntry(); entry != null; entry = stock.getNextEntry()) {
                String path = entry.getName().replaceFirst("^\\./", "").replaceFirst("/$", "");
                names.add(path);
                if (entry.isFile()) {
                    assertThat(stock.readAllBytes())
                            .as(path)
                            .isEqualTo(tar.files().get(path));
                }
            }
        }
        assertThat(names).containsExactlyElementsOf(tar.paths());
    }

    @Test
    void reads_on_without_its_index() throws Exception {
        TestTar tar = TestTar.random(new Random(6), 100);
        StoredArchive stored = write(tar.end(), new Random(6), ManifestChecksum.CRC32C);
        long size = stored.storedBytes();

        for (long damaged :
                new long[] {size - 1, size - 60, size - 100, stored.index().indexOffset() + 12}) {
            flip(damaged);
            assertReadsWithoutIndex(tar);
            flip(damaged);
        }
        for (long cut : new long[] {
            size - 1,
            size - 64,
            stored.index().indexOffset() + 3,
            stored.index().indexOffset()
        }) {
            truncate(cut);
            assertReadsWithoutIndex(tar);
        }
    }

    @Test
    void never_hands_out_a_damaged_byte() throws Exception {
        TestTar tar = TestTar.random(new Random(7), 60);
        StoredArchive stored = write(tar.end(), new Random(7), ManifestChecksum.CRC32C);
        var random = new Random(7);

        for (int round = 0; round < Effort.of(8, 400); round++) {
            long at = random.nextLong(stored.index().indexOffset());
            flip(at);
            assertThatThrownBy(() -> ArchiveReader.open(storage, OBJECT).tar().readAllBytes())
                    .as("byte %s", at)
                    .isInstanceOfSatisfying(
                            NightshiftException.class,
                            damaged -> assertThat(damaged.kind()).isEqualTo(FailureKind.DATA_DAMAGED))
                    .hasMessageMatching(
                            "archive c/base.tar.zst is damaged between bytes \\d+ and \\d+: its checksum does not match");
            flip(at);
        }
        assertThat(ArchiveReader.open(storage, OBJECT).tar().readAllBytes()).isEqualTo(tar.end());
    }

    @Test
    void answers_garbage_with_a_clean_failure() throws Exception {
        var random = new Random(8);
        write(new TestTar().file("a", new byte[3000]).end(), random, ManifestChecksum.CRC32C);
        byte[] good = Files.readAllBytes(temporary.resolve(OBJECT));

        for (int round = 0; round < 300 * Effort.number(); round++) {
            byte[] garbage = good.clone();
            if (round % 3 == 0) {
                garbage = new byte[random.nextInt(400)];
                random.nextBytes(garbage);
            } else {
                for (int flips = 1 + random.nextInt(5); flips > 0; flips--) {
                    garbage[random.nextInt(garbage.length)] = (byte) random.nextInt();
                }
            }
            Files.write(temporary.resolve(OBJECT), garbage);
            try {
                ArchiveReader.open(storage, OBJECT).visit((header, content) -> content.readAllBytes());
            } catch (NightshiftException clean) {
                assertThat(clean.kind()).isEqualTo(FailureKind.DATA_DAMAGED);
            }
        }
    }

    @Test
    void refuses_a_tar_that_is_not_whole() {
        byte[] tar = new TestTar().file("a", new byte[3000]).end();

        for (int end : new int[] {0, 100, 512, 2000, 512 + 3072, tar.length - 512, tar.length - 1}) {
            assertThatThrownBy(() -> write(Arrays.copyOf(tar, end), new Random(1), ManifestChecksum.NONE))
                    .isInstanceOfSatisfying(
                            NightshiftException.class,
                            damaged -> assertThat(damaged.kind()).isEqualTo(FailureKind.DATA_DAMAGED))
                    .hasMessage(
                            "archive base.tar ends after " + end + " bytes, before its end marker of two zero blocks");
        }

        assertThat(storage.list("")).isEmpty();
    }

    @Test
    void refuses_a_stream_that_is_no_tar() {
        byte[] pax = TestTar.header("pax", 'x', 10, "");
        byte[] afterEnd = Arrays.copyOf(new TestTar().file("a", new byte[1]).end(), 5000);
        afterEnd[4000] = 1;

        assertThatThrownBy(() -> write(pax, new Random(1), ManifestChecksum.NONE))
                .hasMessage("archive base.tar at byte 0 is not a tar member: its type flag 120 is none that a server"
                        + " sends");
        assertThatThrownBy(() -> write(afterEnd, new Random(1), ManifestChecksum.NONE))
                .hasMessage("archive base.tar goes on at byte 3584 after a zero block");
    }

    @Test
    void accepts_a_member_of_more_than_8_GiB() {
        try (ArchiveWriter writer = writer(ManifestChecksum.NONE, storage.create(OBJECT))) {
            byte[] header = TestTar.header("pg_log/huge", '0', 9L << 30, "");
            writer.write(header, 0, header.length);
            writer.write(new byte[10_000_000], 0, 10_000_000);

            assertThatThrownBy(writer::finish).hasMessageStartingWith("archive base.tar ends after 10000512 bytes");
        }
    }

    @Test
    @Timeout(value = 30, unit = TimeUnit.SECONDS)
    void throws_the_first_failure_of_the_storage_at_the_caller() {
        byte[] tar = TestTar.random(new Random(9), Effort.of(80, 400)).end();
        for (var call : new FaultyStorage.Call[] {FaultyStorage.Call.WRITE, FaultyStorage.Call.COMMIT}) {
            var faulty = new FaultyStorage(storage).failFrom(call, 1, FailureKind.RESOURCES_EXHAUSTED);

            assertThatThrownBy(() -> {
                        try (ArchiveWriter writer = writer(ManifestChecksum.CRC32C, faulty.create(OBJECT))) {
                            for (int times = 0; times < 5; times++) {
                                writer.write(tar, 0, tar.length - 1024);
                            }
                            writer.write(tar, 0, tar.length);
                            writer.finish();
                        }
                    })
                    .isInstanceOfSatisfying(
                            NightshiftException.class,
                            failure -> assertThat(failure.kind()).isEqualTo(FailureKind.RESOURCES_EXHAUSTED))
                    .hasMessage("injected failure of " + call + " of c/base.tar.zst in storage local");
        }

        assertThat(storage.list("")).isEmpty();
        assertThat(write(tar, new Random(9), ManifestChecksum.CRC32C).rawBytes())
                .isEqualTo(tar.length);
    }

    @Test
    @Timeout(value = 30, unit = TimeUnit.SECONDS)
    void ends_with_resources_exhausted_when_memory_is_used_up_in_a_thread_of_its_own() {
        byte[] tar = TestTar.random(new Random(12), Effort.of(80, 400)).end();
        var full = new GatedWriter(
                storage.create(OBJECT), CompletableFuture.failedFuture(new OutOfMemoryError("Java heap space")));

        assertThatThrownBy(() -> {
                    try (ArchiveWriter writer = writer(ManifestChecksum.SHA512, full)) {
                        for (int times = 0; times < 20; times++) {
                            writer.write(tar, 0, tar.length - 1024);
                        }
                        writer.write(tar, 0, tar.length);
                        writer.finish();
                    }
                })
                .isInstanceOfSatisfying(NightshiftException.class, failure -> {
                    assertThat(failure.kind()).isEqualTo(FailureKind.RESOURCES_EXHAUSTED);
                    assertThat(failure.hint()).startsWith("give it more than -Xmx");
                })
                .hasMessageStartingWith("this process ran out of memory: ");

        assertThat(storage.list("")).isEmpty();
    }

    @Test
    @Timeout(value = 30, unit = TimeUnit.SECONDS)
    void waits_for_a_slow_storage_instead_of_taking_memory() throws Exception {
        var gate = new CompletableFuture<Void>();
        var slow = new GatedWriter(storage.create(OBJECT), gate);
        byte[] tar = new TestTar()
                .file("base/5/large", TestTar.content(new Random(10), 40 << 20))
                .end();
        var taken = new CompletableFuture<StoredArchive>();
        ArchiveWriter writer = writer(ManifestChecksum.CRC32C, slow);
        var server = new Thread(() -> {
            try (writer) {
                for (int at = 0; at < tar.length; at += 32_768) {
                    writer.write(tar, at, Math.min(32_768, tar.length - at));
                }
                taken.complete(writer.finish());
            } catch (RuntimeException failed) {
                taken.completeExceptionally(failed);
            }
        });

        server.start();
        Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> server.getState() == Thread.State.WAITING);
        long ahead = writer.rawBytes();
        gate.complete(null);

        assertThat(ahead).isLessThanOrEqualTo(5L * ArchiveFormat.LARGEST_FRAME + 32_768);
        assertThat(taken.get(20, TimeUnit.SECONDS).rawBytes()).isEqualTo(tar.length);
    }

    @Test
    void prints_how_fast_it_is() throws Exception {
        var random = new Random(11);
        var page = new byte[8192];
        var tar = new ByteArrayOutputStream();
        int files = Effort.of(32, 128);
        byte[] words = "customer Wanjiru paid 1200 KES for meter 4711 on 2026-11-22; ".getBytes(StandardCharsets.UTF_8);
        for (int file = 0; file < files; file++) {
            tar.writeBytes(TestTar.header("base/5/" + file, '0', 128L * page.length, ""));
            for (int pages = 0; pages < 128; pages++) {
                for (int at = 0; at < page.length - words.length - 8; at += words.length + 8) {
                    System.arraycopy(words, 0, page, at, words.length);
                    page[at + words.length] = (byte) random.nextInt();
                    page[at + words.length + 3] = (byte) random.nextInt();
                }
                tar.writeBytes(page);
            }
        }
        tar.writeBytes(new byte[1024]);
        byte[] bytes = tar.toByteArray();

        for (int round = 0; round < 3; round++) {
            storage.delete(OBJECT);
            long start = System.nanoTime();
            StoredArchive stored = write(bytes, null, ManifestChecksum.CRC32C);
            long written = System.nanoTime();
            ArchiveReader.open(storage, OBJECT).visit((header, content) -> {});
            long read = System.nanoTime();
            System.out.printf(
                    "archive of %d MiB, level 3, 2 workers: written at %d MB/s to %d%%, read on one thread at %d MB/s%n",
                    bytes.length >> 20,
                    bytes.length * 1000L / (written - start),
                    100 * stored.storedBytes() / bytes.length,
                    bytes.length * 1000L / (read - written));
            assertThat(stored.rawBytes()).isEqualTo(bytes.length);
        }
    }

    private void assertReadsWithoutIndex(TestTar tar) throws IOException {
        var reader = ArchiveReader.open(storage, OBJECT);
        assertThat(reader.index()).isEmpty();
        assertThat(reader.indexDamage()).isPresent();
        Map<String, Integer> seen = new LinkedHashMap<>();
        reader.visit((header, content) -> seen.put(header.path(), crc(content.readAllBytes())));
        assertThat(seen.keySet()).containsExactlyElementsOf(tar.paths());
        tar.files().forEach((path, content) -> assertThat(seen.get(path)).isEqualTo(crc(content)));
    }

    private StoredArchive write(byte[] tar, Random pieces, ManifestChecksum algorithm) {
        try (ArchiveWriter writer = writer(algorithm, storage.create(OBJECT))) {
            for (int at = 0; at < tar.length; ) {
                int length = Math.min(tar.length - at, pieces == null ? 32_768 : 1 + pieces.nextInt(70_000));
                writer.write(tar, at, length);
                at += length;
            }
            return writer.finish();
        }
    }

    private ArchiveWriter writer(ManifestChecksum algorithm, StoredObjectWriter out) {
        return new ArchiveWriter("base.tar", "", out, compressor, algorithm);
    }

    private List<String> checksums(TestTar tar, ManifestChecksum algorithm) {
        write(tar.end(), new Random(1), algorithm);
        List<String> checksums = new ArrayList<>();
        ArchiveReader.open(storage, OBJECT)
                .index()
                .orElseThrow()
                .members()
                .forEach(member -> checksums.add(member.checksum()));
        storage.delete(OBJECT);
        return checksums;
    }

    private static List<String> paths(ArchiveIndex index) {
        List<String> paths = new ArrayList<>();
        index.members().forEach(member -> paths.add(member.path()));
        return paths;
    }

    private static List<Map.Entry<String, Integer>> visited(ArchiveReader reader) {
        List<Map.Entry<String, Integer>> files = new ArrayList<>();
        reader.visit((header, content) -> {
            if (header.type() == MemberType.FILE) {
                files.add(Map.entry(header.path(), crc(content.readAllBytes())));
            }
        });
        return files;
    }

    private void flip(long at) throws IOException {
        byte[] bytes = Files.readAllBytes(temporary.resolve(OBJECT));
        bytes[(int) at] ^= 0x10;
        Files.write(temporary.resolve(OBJECT), bytes);
    }

    private void truncate(long size) throws IOException {
        try (var channel = Files.newByteChannel(temporary.resolve(OBJECT), StandardOpenOption.WRITE)) {
            channel.truncate(size);
        }
    }

    private static int crc(byte[] content) {
        var crc = new CRC32C();
        crc.update(content);
        return (int) crc.getValue();
    }

    /** A storage that takes nothing until the gate opens. */
    private record GatedWriter(StoredObjectWriter writer, CompletableFuture<Void> gate) implements StoredObjectWriter {

        @Override
        public String object() {
            return writer.object();
        }

        @Override
        public void write(ByteBuffer bytes) {
            gate.join();
            writer.write(bytes);
        }

        @Override
        public void commit() {
            writer.commit();
        }

        @Override
        public void close() {
            writer.close();
        }
    }
}
