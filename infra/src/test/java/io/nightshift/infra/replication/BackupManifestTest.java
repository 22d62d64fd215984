package io.nightshift.infra.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.Seed;
import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class BackupManifestTest {

    private static final String CRC_FILE = """
            { "Path": "base/1/112", "Size": 8192, "Last-Modified": "2026-11-22 20:57:00 GMT", \
            "Checksum-Algorithm": "CRC32C", "Checksum": "64440205" }""";
    private static final String NOISE = "{}[],:\"\\0123456789abcdefu\n\u0000\u007f ";

    @Test
    void reads_version_1_and_2() throws Exception {
        var first =
                parse(TestManifest.bytes("\"PostgreSQL-Backup-Manifest-Version\": 1,\n", CRC_FILE, TestManifest.RANGE));
        var second = parse(good());

        assertThat(first.version()).isEqualTo(1);
        assertThat(first.systemIdentifier()).isNull();
        assertThat(second.version()).isEqualTo(2);
        assertThat(second.systemIdentifier()).isEqualTo(SystemIdentifier.parse("17711071849857489922"));
        assertThat(second.files())
                .containsExactly(new ManifestFile("base/1/112", true, 8192, ManifestChecksum.CRC32C, "64440205"));
        assertThat(second.walRanges())
                .containsExactly(new WalRange(new Timeline(1), Lsn.parse("0/2000028"), Lsn.parse("0/2000100")));
    }

    @Test
    void reads_names_that_json_cannot_write() throws Exception {
        var files = """
                { "Path": "a\\"b\\\\c\\u0001", "Size": 0 },
                { "Encoded-Path": "C3A9", "Size": 1 },
                { "Encoded-Path": "612fff", "Size": 2 }""";

        var manifest = parse(TestManifest.bytes(VERSION_2, files, TestManifest.RANGE));

        assertThat(manifest.files()).extracting(ManifestFile::path).containsExactly("a\"b\\c\u0001", "é", "a/\u00ff");
        assertThat(manifest.files().get(1).pathBytes()).containsExactly(0xC3, 0xA9);
        assertThat(manifest.files().get(2).pathBytes()).containsExactly('a', '/', 0xFF);
    }

    @Test
    void reads_a_hundred_thousand_files() throws Exception {
        var files = IntStream.range(0, 100_000)
                .mapToObj(number -> CRC_FILE.replace("112", Integer.toString(number)))
                .collect(Collectors.joining(",\n"));

        var manifest = parse(TestManifest.bytes(VERSION_2, files, TestManifest.RANGE));

        assertThat(manifest.files())
                .hasSize(100_000)
                .last()
                .extracting(ManifestFile::path)
                .isEqualTo("base/1/99999");
    }

    @Test
    void an_empty_list_of_files_is_read_too() throws Exception {
        assertThat(parse(TestManifest.bytes(VERSION_2, "", "")).files()).isEmpty();
    }

    @Test
    void a_stream_that_gives_single_bytes_changes_nothing() throws Exception {
        var bytes = good();
        InputStream trickling = new ByteArrayInputStream(bytes) {
            @Override
            public synchronized int read(byte[] target, int offset, int length) {
                return super.read(target, offset, Math.min(length, 1));
            }
        };

        assertThat(BackupManifest.parse(trickling)).isEqualTo(parse(bytes));
    }

    @Test
    void every_flipped_bit_is_noticed() {
        var good = good();
        for (var position = 0; position < good.length; position++) {
            for (var bit = 0; bit < 8; bit++) {
                var damaged = good.clone();
                damaged[position] ^= (byte) (1 << bit);

                if (!sameBesidesCase(good, damaged)) {
                    assertDamaged(damaged);
                }
            }
        }
    }

    @Test
    void every_truncation_and_every_addition_is_noticed() {
        var good = good();
        for (var length = 0; length < good.length; length++) {
            assertDamaged(Arrays.copyOf(good, length));
        }
        assertDamaged(Arrays.copyOf(good, good.length + 1));
        assertDamaged((new String(good, StandardCharsets.UTF_8) + "\n").getBytes(StandardCharsets.UTF_8));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{ \"Path\": \"../etc/passwd\", \"Size\": 1 }",
                "{ \"Path\": \"/etc/passwd\", \"Size\": 1 }",
                "{ \"Path\": \"a//b\", \"Size\": 1 }",
                "{ \"Path\": \"\", \"Size\": 1 }",
                "{ \"Path\": \"a\\u0000b\", \"Size\": 1 }",
                "{ \"Encoded-Path\": \"2e2e\", \"Size\": 1 }",
                "{ \"Encoded-Path\": \"2e2\", \"Size\": 1 }",
                "{ \"Encoded-Path\": \"xy\", \"Size\": 1 }",
                "{ \"Path\": \"a\" }",
                "{ \"Size\": 1 }",
                "{ \"Path\": \"a\", \"Size\": -1 }",
                "{ \"Path\": \"a\", \"Size\": 99999999999999999999 }",
                "{ \"Path\": \"a\", \"Size\": \"1\" }",
                "{ \"Path\": \"a\", \"Size\": 1, \"Checksum-Algorithm\": \"MD5\", \"Checksum\": \"00\" }",
                "{ \"Path\": \"a\", \"Size\": 1, \"Checksum-Algorithm\": \"CRC32C\", \"Checksum\": \"0000000\" }",
                "{ \"Path\": \"a\", \"Size\": 1, \"Checksum-Algorithm\": \"CRC32C\", \"Checksum\": \"0000000g\" }",
                "{ \"Path\": \"a\", \"Size\": 1, \"Checksum\": \"00000000\" }",
                "{ \"Path\": \"a\", \"Size\": 1, \"Owner\": \"me\" }",
                "[]",
                "null",
                "{ \"Path\": {\"Path\": \"a\"}, \"Size\": 1 }"
            })
    void a_file_that_no_server_writes_is_damage_even_under_a_right_checksum(String file) {
        assertDamaged(TestManifest.bytes(VERSION_2, file, TestManifest.RANGE));
    }

    @Test
    void a_frame_that_no_server_writes_is_damage_even_under_a_right_checksum() {
        assertDamaged(TestManifest.bytes("\"PostgreSQL-Backup-Manifest-Version\": 3,\n", CRC_FILE, TestManifest.RANGE));
        assertDamaged(TestManifest.bytes("\"System-Identifier\": 1,\n", CRC_FILE, TestManifest.RANGE));
        assertDamaged(TestManifest.bytes("", CRC_FILE, TestManifest.RANGE));
        assertDamaged(TestManifest.bytes(
                VERSION_2, CRC_FILE, TestManifest.RANGE.replace("\"Timeline\": 1", "\"Timeline\": 0")));
        assertDamaged(TestManifest.bytes(VERSION_2, CRC_FILE, TestManifest.RANGE.replace("0/2000028", "0/3000000")));
        assertDamaged(TestManifest.bytes(VERSION_2, CRC_FILE, TestManifest.RANGE.replace("0/2000028", "2000028")));
        assertDamaged(TestManifest.withChecksum("{ " + VERSION_2 + "\"Files\": [\n],\n"));
        assertDamaged(TestManifest.withChecksum("{ " + VERSION_2 + "\"Files\": [[[[".repeat(2_000) + "\n"));
        assertDamaged(TestManifest.withChecksum("x".repeat(1 << 20) + "\n"));
    }

    @Test
    void says_which_checksum_it_expected() {
        var text = new String(good(), StandardCharsets.UTF_8).replace("8192", "8193");

        var failure =
                catchThrowableOfType(NightshiftException.class, () -> parse(text.getBytes(StandardCharsets.UTF_8)));

        assertThat(failure)
                .hasMessageMatching(
                        "damaged backup manifest: its checksum is [0-9a-f]{64}, its last line says [0-9a-f]{64}");
        assertThat(failure.hint())
                .isEqualTo("compare it with a copy in another storage; without it the backup cannot be verified");
    }

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.Seed#underTest")
    void noise_is_damage_never_another_exception(Seed seed) {
        var random = seed.random();
        for (var round = 0; round < Effort.of(300, 20_000); round++) {
            var noise = random.nextBoolean() ? good() : new byte[1 + random.nextInt(3_000)];
            var begin = random.nextInt(noise.length);
            var end = Math.min(noise.length, begin + 1 + random.nextInt(200));
            for (var position = begin; position < end; position++) {
                noise[position] = (byte) NOISE.charAt(random.nextInt(NOISE.length()));
            }
            noise[begin] = '~';
            var body = new String(noise, StandardCharsets.ISO_8859_1);

            var bare = catchThrowable(() -> parse(noise));
            var signed = catchThrowable(() -> parse(TestManifest.withChecksum(body + "\n")));

            assertThat(bare).isInstanceOfSatisfying(NightshiftException.class, BackupManifestTest::isDamage);
            assertThat(signed).isInstanceOfSatisfying(NightshiftException.class, BackupManifestTest::isDamage);
        }
    }

    @Test
    void a_stream_that_cannot_be_read_is_no_damage() {
        var broken = new FilterInputStream(InputStream.nullInputStream()) {
            @Override
            public int read(byte[] target, int offset, int length) throws IOException {
                throw new IOException("cable pulled");
            }
        };

        assertThatThrownBy(() -> BackupManifest.parse(broken))
                .isInstanceOf(IOException.class)
                .hasMessage("cable pulled");
    }

    private static final String VERSION_2 =
            "\"PostgreSQL-Backup-Manifest-Version\": 2,\n\"System-Identifier\": 17711071849857489922,\n";

    private static byte[] good() {
        return TestManifest.bytes(VERSION_2, CRC_FILE, TestManifest.RANGE);
    }

    private static BackupManifest parse(byte[] bytes) throws IOException {
        return BackupManifest.parse(new ByteArrayInputStream(bytes));
    }

    private static void assertDamaged(byte[] bytes) {
        assertThat(catchThrowable(() -> parse(bytes)))
                .isInstanceOfSatisfying(NightshiftException.class, BackupManifestTest::isDamage);
    }

    private static void isDamage(NightshiftException failure) {
        assertThat(failure.kind()).isEqualTo(FailureKind.DATA_DAMAGED);
        assertThat(failure).hasMessageStartingWith("damaged backup manifest: ");
    }

    /** Only the digits of its own checksum may be written in either case. */
    private static boolean sameBesidesCase(byte[] one, byte[] other) {
        return new String(one, StandardCharsets.ISO_8859_1)
                        .equalsIgnoreCase(new String(other, StandardCharsets.ISO_8859_1))
                && Arrays.equals(one, 0, one.length - 68, other, 0, other.length - 68);
    }
}
