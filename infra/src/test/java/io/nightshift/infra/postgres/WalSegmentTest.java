package io.nightshift.infra.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WalSegmentTest {

    private static final long MB = 1 << 20;

    @ParameterizedTest
    @CsvSource({
        "1,  0/1000000,         16, 000000010000000000000001",
        "1,  0/1FFFFFF,         16, 000000010000000000000001",
        "26, 16/3002D50,        16, 0000001A0000001600000003",
        "1,  1/0,               16, 000000010000000100000000",
        "1,  1/0,             1024, 000000010000000100000000",
        "1,  0/C0000000,      1024, 000000010000000000000003",
        "1,  0/FFF00000,         1, 000000010000000000000FFF",
        "-1, FFFFFFFF/FFFFFFFF, 16, FFFFFFFFFFFFFFFF000000FF"
    })
    void has_the_name_that_the_server_gives_it(int timeline, String location, long megabytes, String name) {
        var segment = WalSegment.at(new Timeline(timeline), Lsn.parse(location), megabytes * MB);

        assertThat(segment.name()).isEqualTo(name);
        assertThat(WalSegment.parse(name, megabytes * MB)).contains(segment);
    }

    @Test
    void reaches_from_its_start_to_the_start_of_the_next() {
        var segment = WalSegment.at(new Timeline(1), Lsn.parse("0/FF000123"), 16 * MB);

        assertThat(segment.start()).isEqualTo(Lsn.parse("0/FF000000"));
        assertThat(segment.end()).isEqualTo(Lsn.parse("1/0"));
        assertThat(segment.next().start()).isEqualTo(segment.end());
    }

    @ParameterizedTest
    @CsvSource({
        "00000000000000000000000A",
        "000000010000000000000100",
        "00000001000000000000000a",
        "00000001000000000000000A.partial",
        "00000002.history"
    })
    void is_not_read_from_names_of_other_files(String name) {
        assertThat(WalSegment.parse(name, 16 * MB)).isEmpty();
    }

    @Test
    void has_a_size_that_a_cluster_can_have() {
        assertThatThrownBy(() -> new WalSegment(new Timeline(1), 1, 3 * MB))
                .hasMessageStartingWith("WAL segments of 3145728 bytes do not exist");
    }
}
