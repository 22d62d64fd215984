package io.nightshift.infra.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TarHeaderTest {

    @Test
    void reads_what_a_server_writes() {
        assertThat(parse(TestTar.header("base/5/1259_vm", '0', 24_576, "")))
                .isEqualTo(new TarHeader("base/5/1259_vm", MemberType.FILE, 24_576, 0600, 1_795_309_200L, ""));
        assertThat(parse(TestTar.header("./pg_wal/archive_status/", '5', 0, "")).path())
                .isEqualTo("pg_wal/archive_status");
        assertThat(parse(TestTar.header("pg_tblspc/16575/", '2', 0, "/mnt/fast")))
                .isEqualTo(new TarHeader("pg_tblspc/16575", MemberType.LINK, 0, 0600, 1_795_309_200L, "/mnt/fast"));
    }

    @Test
    void reads_sizes_beyond_what_octal_digits_hold() {
        for (long size : new long[] {(1L << 33) - 1, 1L << 33, 5L << 40}) {
            assertThat(parse(TestTar.header("pg_log/huge.log", '0', size, "")).size())
                    .isEqualTo(size);
        }
    }

    @Test
    void refuses_what_no_server_sends() {
        assertDamaged(TestTar.header("x", 'x', 100, ""), "its type flag 120 is none that a server sends");
        assertDamaged(TestTar.header("../etc/passwd", '0', 1, ""), "leads out of the data directory");
        assertDamaged(TestTar.header("/etc/passwd", '0', 1, ""), "leads out of the data directory");
        assertDamaged(TestTar.header("./", '5', 0, ""), "leads out of the data directory");
        assertDamaged(TestTar.header("base/", '5', 512, ""), "a DIRECTORY has a size of 512");
        byte[] old = TestTar.header("x", '0', 1, "");
        old[257] = 0;
        TestTar.sign(old);
        assertDamaged(old, "it is no ustar header");
    }

    @Test
    void notices_every_flipped_bit() {
        byte[] header = TestTar.header("base/5/1259", '0', 8192, "");

        for (int bit = 0; bit < header.length * 8; bit++) {
            byte[] flipped = header.clone();
            flipped[bit / 8] ^= (byte) (1 << (bit % 8));
            boolean harmless = bit / 8 >= 148 && bit / 8 < 156;
            if (!harmless) {
                assertDamaged(flipped, "base.tar at byte 0 is not a tar member");
            }
        }
    }

    @Test
    void answers_garbage_with_a_clean_failure() {
        var random = new Random(5);
        var garbage = new byte[TarHeader.BLOCK];

        for (int round = 0; round < 10_000; round++) {
            random.nextBytes(garbage);
            if (round % 2 == 0) {
                System.arraycopy(new byte[] {'u', 's', 't', 'a', 'r', 0}, 0, garbage, 257, 6);
                TestTar.sign(garbage);
            }
            try {
                assertThat(parse(garbage).size()).isNotNegative();
            } catch (NightshiftException clean) {
                assertThat(clean.kind()).isEqualTo(FailureKind.DATA_DAMAGED);
            }
        }
    }

    @Test
    void spells_names_that_are_no_utf8_without_loss() {
        var random = new Random(6);
        for (int round = 0; round < 1000; round++) {
            var name = new byte[1 + random.nextInt(20)];
            random.nextBytes(name);
            assertThat(MemberPath.encode(MemberPath.decode(name))).isEqualTo(name);
        }
        assertThat(MemberPath.decode(MemberPath.encode("größe/日本"))).isEqualTo("größe/日本");
    }

    private static TarHeader parse(byte[] header) {
        return TarHeader.parse(header, "base.tar at byte 0");
    }

    private static void assertDamaged(byte[] header, String text) {
        assertThatThrownBy(() -> parse(header))
                .isInstanceOfSatisfying(
                        NightshiftException.class,
                        damaged -> assertThat(damaged.kind()).isEqualTo(FailureKind.DATA_DAMAGED))
                .hasMessageContaining(text);
    }
}
