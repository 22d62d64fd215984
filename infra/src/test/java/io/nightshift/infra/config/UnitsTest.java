package io.nightshift.infra.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UnitsTest {

    @ParameterizedTest
    @CsvSource({
        "0B, 0, 0B",
        "100B, 100, 100B",
        "512kB, 524288, 512kB",
        "1024kB, 1048576, 1MB",
        "64MB, 67108864, 64MB",
        "1.5GB, 1610612736, 1536MB",
        "2TB, 2199023255552, 2TB",
        "4 GB, 4294967296, 4GB"
    })
    void reads_sizes_as_postgresql_does(String text, long bytes, String printed) {
        DataSize size = DataSize.parse(text);

        assertThat(size.bytes()).isEqualTo(bytes);
        assertThat(size).hasToString(printed);
        assertThat(DataSize.parse(printed)).isEqualTo(size);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "64", "64mb", "64KB", "-1MB", "1.5B", "9999999999TB", "1e3MB", "MB", "64MB "})
    void refuses_other_sizes(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DataSize.parse(text))
                .withMessageContaining("units B, kB, MB, GB, TB");
    }

    @ParameterizedTest
    @CsvSource({
        "90s, PT90S, 1m30s",
        "15m, PT15M, 15m",
        "1h30m, PT1H30M, 1h30m",
        "7d, PT168H, 7d",
        "500ms, PT0.5S, 500ms",
        "0s, PT0S, 0s",
        "PT1H, PT1H, 1h",
        "P1DT1S, PT24H1S, 1d1s",
        "PT0.0005S, PT0.0005S, PT0.0005S"
    })
    void reads_durations(String text, Duration duration, String printed) {
        assertThat(Durations.parse(text)).isEqualTo(duration);
        assertThat(Durations.print(duration)).isEqualTo(printed);
        assertThat(Durations.parse(printed)).isEqualTo(duration);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "15", "m", "-5m", "PT-5M", "30m1h", "1.5h", "1 h", "P", "99999999999h"})
    void refuses_other_durations(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Durations.parse(text))
                .withMessageContaining("a duration such as");
    }

    @Test
    void masks_a_secret() {
        assertThat(new Secret("s3cret")).hasToString("********");
        assertThat(new Secret("s3cret")).isEqualTo(new Secret("s3cret")).isNotEqualTo(new Secret("other"));
        assertThatIllegalArgumentException().isThrownBy(() -> new Secret(""));
    }

    @ParameterizedTest
    @CsvSource({
        "localhost, true",
        "127.0.0.1, true",
        "127.1.2.3, true",
        "[::1]:1, true",
        "db.localhost, true",
        "db1, false",
        "128.0.0.1, false",
        "127.0.0.1.example.com, false",
        "[fe80::1%eth0], false"
    })
    void knows_loopback(String address, boolean loopback) {
        assertThat(NodeAddress.parse(address).isLoopback()).isEqualTo(loopback);
    }

    @ParameterizedTest
    @CsvSource({
        "compresion, compression",
        "verify, verify-ca",
        "chekcpoint, checkpoint",
        "zzz, ''",
        "COMPRESSION, compression"
    })
    void finds_the_nearest_word(String written, String nearest) {
        var known = List.of("compression", "checkpoint", "verify-full", "verify-ca");

        assertThat(Nearest.of(written, known).orElse("")).isEqualTo(nearest);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0 B",
        "1023, 1023 B",
        "1024, 1.00 kB",
        "83062272, 79.2 MB",
        "11608365, 11.1 MB",
        "1073741823, 1.00 GB",
        "1023410176, 976 MB",
        "160000000000, 149 GB"
    })
    void rounds_sizes_for_people(long bytes, String expected) {
        assertThat(new DataSize(bytes).rounded()).isEqualTo(expected);
    }
}
