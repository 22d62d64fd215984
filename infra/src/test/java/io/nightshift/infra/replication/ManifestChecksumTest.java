package io.nightshift.infra.replication;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ManifestChecksumTest {

    private static final byte[] DIGITS = "123456789".getBytes(StandardCharsets.US_ASCII);

    @Test
    void writes_crc32c_with_its_lowest_byte_first() {
        // The check value of CRC-32C is E3069283 (RFC 3720, appendix B.4, and every catalogue of CRCs).
        assertThat(ManifestChecksum.CRC32C.hexOf(DIGITS)).isEqualTo("839206e3");
    }

    @Test
    void writes_sha_in_its_own_order() {
        assertThat(ManifestChecksum.SHA256.hexOf(DIGITS))
                .isEqualTo("15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225");
    }

    @Test
    void writes_nothing_for_none() {
        assertThat(ManifestChecksum.NONE.hexOf(DIGITS)).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void pieces_make_no_difference(ManifestChecksum algorithm) {
        var digest = algorithm.digest();
        digest.update(DIGITS, 0, 4);
        digest.update(DIGITS, 4, 5);

        var hex = digest.hex();

        assertThat(hex).isEqualTo(algorithm.hexOf(DIGITS)).hasSize(algorithm.hexLength());
    }

    @ParameterizedTest
    @EnumSource
    void the_end_of_a_file_begins_the_next(ManifestChecksum algorithm) {
        var digest = algorithm.digest();
        digest.update(new byte[100], 0, 100);
        digest.finish();

        digest.update(DIGITS, 0, DIGITS.length);

        assertThat(digest.crc32c()).isEqualTo(0xE3069283);
        assertThat(digest.hex()).isEqualTo(algorithm.hexOf(DIGITS));
    }
}
