package io.nightshift.infra.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.Mutations;
import io.nightshift.infra.server.Seed;
import io.nightshift.infra.storage.DirectoryStorage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tars, archives and descriptions of backups, damaged in thousands of ways. */
@Timeout(300)
class StoredBytesFuzzTest {

    private static final String SEEDS = "io.nightshift.infra.server.Seed#underTest";

    @TempDir
    private Path temporary;

    @ParameterizedTest
    @ValueSource(ints = {15, 18})
    void the_bytes_that_are_damaged_are_a_good_tar_and_a_good_archive_of_it(int major) throws IOException {
        ArchiveReader reader = archive(Corpus.archive(major));

        assertThat(reader.indexDamage()).isEmpty();
        assertThat(reader.tar().readAllBytes()).isEqualTo(Corpus.tar(major));
        assertThat(scan(Corpus.tar(major), 512))
                .contains("backup_label", "PG_VERSION")
                .hasSizeGreaterThan(10);
        assertThat(read(Corpus.tar(major))).isEqualTo(scan(Corpus.tar(major), 100));
    }

    @ParameterizedTest
    @MethodSource(SEEDS)
    void a_damaged_tar_is_a_tar_or_damaged_data_and_both_readers_agree(Seed seed) {
        Random random = seed.random();
        Mutations mutations = new Mutations(random);
        for (int round = 0; round < Effort.of(2_000, 60_000); round++) {
            byte[] damaged = mutations.of(Corpus.tar(random.nextBoolean() ? 15 : 18), Corpus.tar(18));
            byte[] tar = random.nextBoolean() ? damaged : withChecksums(damaged);
            int piece = 1 + random.nextInt(2_000);

            Throwable scanning = catchThrowable(() -> scan(tar, piece));
            Throwable reading = catchThrowable(() -> read(tar));

            requireClean(scanning, "round " + round);
            requireClean(reading, "round " + round);
            if (scanning == null) {
                assertThat(reading).as("round %s", round).isNull();
            }
        }
    }

    @ParameterizedTest
    @MethodSource(SEEDS)
    void a_damaged_archive_gives_what_was_stored_or_damaged_data(Seed seed) throws IOException {
        Random random = seed.random();
        Mutations mutations = new Mutations(random);
        for (int round = 0; round < Effort.of(500, 20_000); round++) {
            int major = random.nextBoolean() ? 15 : 18;
            byte[] good = Corpus.archive(major);
            byte[] stored = random.nextInt(4) == 0 ? withTrailer(good, random) : mutations.of(good, Corpus.archive(18));

            Throwable thrown = catchThrowable(() -> {
                ArchiveReader reader = archive(stored);
                try (InputStream tar = reader.tar()) {
                    tar.transferTo(OutputStream.nullOutputStream());
                }
                reader.visit((header, content) -> content.transferTo(OutputStream.nullOutputStream()));
                if (reader.index().isPresent()) {
                    List<ArchiveMember> members = new ArrayList<>();
                    reader.index().get().members().forEach(members::add);
                    reader.visit(members, (header, content) -> {});
                }
            });

            requireClean(thrown, "round " + round);
        }
    }

    @ParameterizedTest
    @MethodSource(SEEDS)
    void a_damaged_backup_json_is_a_description_or_an_outcome(Seed seed) {
        Random random = seed.random();
        Mutations mutations = new Mutations(random);
        byte[] good = BackupDocumentFile.write(Backups.document(
                Backups.label("20261122T010000Z-full-r8f3"),
                List.of(new BackupDocument.Archive("base.tar.zst", 1, 1, "00", null, "")),
                new BackupDocument.Manifest("backup_manifest", 1, "00")));
        for (int round = 0; round < Effort.of(1_000, 50_000); round++) {
            byte[] damaged = mutations.of(good, good);
            byte[] json = random.nextBoolean() ? damaged : withJsonChecksum(damaged);

            Throwable thrown = catchThrowable(() -> BackupDocumentFile.read(json));

            assertThat(thrown).as("round %s", round).isNull();
        }
    }

    private static void requireClean(Throwable thrown, String where) {
        if (thrown != null) {
            assertThat(thrown)
                    .as(where)
                    .isInstanceOfSatisfying(
                            NightshiftException.class,
                            failure -> assertThat(failure.kind()).isEqualTo(FailureKind.DATA_DAMAGED));
        }
    }

    private ArchiveReader archive(byte[] bytes) throws IOException {
        Files.write(temporary.resolve("base.tar.zst"), bytes);
        return ArchiveReader.open(new DirectoryStorage("local", temporary), "base.tar.zst");
    }

    private static List<String> scan(byte[] tar, int piece) {
        List<String> paths = new ArrayList<>();
        TarScanner scanner = new TarScanner("tar", new TarScanner.Listener() {
            @Override
            public void header(TarHeader header, long offset, byte[] block) {
                paths.add(header.path());
            }

            @Override
            public void content(byte[] bytes, int offset, int length) {}

            @Override
            public void filler(byte[] bytes, int offset, int length) {}

            @Override
            public void memberEnd() {}
        });
        for (int at = 0; at < tar.length; at += piece) {
            scanner.accept(tar, at, Math.min(piece, tar.length - at));
        }
        scanner.finish();
        return paths;
    }

    private static List<String> read(byte[] tar) throws IOException {
        List<String> paths = new ArrayList<>();
        new TarInput("tar", new ByteArrayInputStream(tar)).visit((header, content) -> paths.add(header.path()));
        return paths;
    }

    /** As somebody would damage a header who knows its checksum. */
    private static byte[] withChecksums(byte[] tar) {
        byte[] fixed = tar.clone();
        for (int at = 0; at + TarHeader.BLOCK <= fixed.length; at += TarHeader.BLOCK) {
            if (fixed[at + 257] == 'u' && fixed[at + 258] == 's') {
                Arrays.fill(fixed, at + 148, at + 156, (byte) ' ');
                int sum = 0;
                for (int i = at; i < at + TarHeader.BLOCK; i++) {
                    sum += fixed[i] & 0xFF;
                }
                byte[] digits = String.format("%06o\0 ", sum).getBytes(StandardCharsets.US_ASCII);
                System.arraycopy(digits, 0, fixed, at + 148, 8);
            }
        }
        return fixed;
    }

    /** One field of the trailer set to an extreme, under a checksum that matches. */
    private static byte[] withTrailer(byte[] archive, Random random) {
        byte[] damaged = archive.clone();
        int trailer = damaged.length - IndexTrailer.BYTES;
        int field = 8 + 4 * random.nextInt(10);
        List<Integer> extremes = List.of(0, 1, -1, Integer.MAX_VALUE, Integer.MIN_VALUE, 1 << 24);
        ByteBuffer.wrap(damaged)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(trailer + field, extremes.get(random.nextInt(extremes.size())));
        var crc = new CRC32C();
        crc.update(damaged, trailer, IndexTrailer.BYTES - 4);
        ByteBuffer.wrap(damaged).order(ByteOrder.LITTLE_ENDIAN).putInt(damaged.length - 4, (int) crc.getValue());
        return damaged;
    }

    private static byte[] withJsonChecksum(byte[] json) {
        String text = new String(json, StandardCharsets.UTF_8);
        int last = text.lastIndexOf("\"checksum\": \"");
        if (last < 0) {
            return json;
        }
        String body = text.substring(0, last);
        return (body + "\"checksum\": \""
                        + ManifestChecksum.SHA256.hexOf(body.getBytes(StandardCharsets.UTF_8))
                        + "\"}\n")
                .getBytes(StandardCharsets.UTF_8);
    }
}
