package io.nightshift.infra.incremental;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.resilience.NightshiftException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class IncrementalFileTest {

    private static final String PATH = "base/5/INCREMENTAL.16384";

    /** As a server writes it: the blocks are filled with their own number. */
    private static byte[] file(int length, int... blocks) {
        int head = IncrementalHeader.FIXED + blocks.length * Integer.BYTES;
        int content = blocks.length == 0 ? head : (head + 8191) / 8192 * 8192;
        ByteBuffer file = ByteBuffer.allocate(content + blocks.length * 8192).order(ByteOrder.LITTLE_ENDIAN);
        file.putInt(0xD3AE1F0D).putInt(blocks.length).putInt(length);
        for (int block : blocks) {
            file.putInt(block);
        }
        for (int i = 0; i < blocks.length; i++) {
            Arrays.fill(file.array(), content + i * 8192, content + (i + 1) * 8192, (byte) blocks[i]);
        }
        return file.array();
    }

    /** What a file holds, by block, when it comes in pieces of this size. */
    private static Map<Integer, byte[]> read(byte[] file, int piece, List<IncrementalHeader> headers) {
        Map<Integer, byte[]> blocks = new TreeMap<>();
        var reader = new IncrementalFile(PATH, new IncrementalFile.Receiver() {
            @Override
            public void header(IncrementalHeader header) {
                headers.add(header);
            }

            @Override
            public void block(int block, int at, byte[] bytes, int offset, int length) {
                System.arraycopy(bytes, offset, blocks.computeIfAbsent(block, any -> new byte[8192]), at, length);
            }
        });
        for (int at = 0; at < file.length; at += piece) {
            reader.accept(file, at, Math.min(piece, file.length - at));
        }
        reader.finish();
        return blocks;
    }

    @Test
    void hands_out_each_block_whatever_the_pieces_it_comes_in() {
        byte[] file = file(300, 3, 7, 250);

        for (int piece : List.of(1, 5, 12, 511, 8192, 8193, 100_000)) {
            List<IncrementalHeader> headers = new ArrayList<>();
            Map<Integer, byte[]> blocks = read(file, piece, headers);

            assertThat(blocks.keySet()).containsExactly(3, 7, 250);
            assertThat(blocks)
                    .allSatisfy((number, content) -> assertThat(content).containsOnly(number.byteValue()));
            assertThat(headers)
                    .singleElement()
                    .extracting(IncrementalHeader::length)
                    .isEqualTo(300);
        }
    }

    @Test
    void a_file_without_blocks_has_a_length_only() {
        List<IncrementalHeader> headers = new ArrayList<>();

        assertThat(file(14)).hasSize(12);
        assertThat(read(file(14), 4, headers)).isEmpty();
        assertThat(headers)
                .singleElement()
                .extracting(IncrementalHeader::length)
                .isEqualTo(14);
    }

    @Test
    void a_header_of_more_than_a_page_is_followed_by_blocks_on_a_page_of_their_own() {
        int[] many = IntStream.range(0, 3000).toArray();

        assertThat(read(file(3000, many), 8191, new ArrayList<>())).hasSize(3000);
    }

    @Test
    void says_what_is_wrong_with_what_is_no_such_file() {
        byte[] cut = Arrays.copyOf(file(10, 1), 8192 + 100);
        byte[] longer = Arrays.copyOf(file(10, 1), 3 * 8192);
        byte[] foreign = file(10, 1);
        foreign[0] ^= 1;
        byte[] unordered = file(10, 5, 5);
        byte[] behind = file(10, 131_072);

        assertDamaged(cut, "8292 bytes, its header announces 16384");
        assertDamaged(longer, "goes on behind its last block");
        assertDamaged(foreign, "begins with d3ae1f0c");
        assertDamaged(unordered, "block 5 follows block 5");
        assertDamaged(behind, "block 131072 follows block -1");
        assertDamaged(Arrays.copyOf(file(10, 1), 13), "ends after 13 bytes, inside its header");
        assertDamaged(new byte[0], "ends after 0 bytes");
    }

    private static void assertDamaged(byte[] file, String fact) {
        assertThatThrownBy(() -> read(file, 1000, new ArrayList<>()))
                .isInstanceOf(NightshiftException.class)
                .hasMessageContaining(PATH)
                .hasMessageContaining(fact);
    }
}
