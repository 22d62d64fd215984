package io.nightshift.infra.incremental;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.server.ChildJvm;
import io.nightshift.infra.server.Effort;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BlockHashTest {

    private static final byte[] SEED = new byte[BlockHash.SEED_BYTES];

    private static List<Long> hash(byte[] seed, byte[] page, int offset) {
        long[] into = new long[4];
        new BlockHash(seed).hash(page, offset, into, 2);
        assertThat(into).startsWith(0, 0);
        return List.of(into[2], into[3]);
    }

    private static byte[] counted() {
        byte[] page = new byte[8192];
        IntStream.range(0, page.length).forEach(at -> page[at] = (byte) (at * 31 + (at >>> 8)));
        return page;
    }

    /** Digests that are in storages were made with it. */
    @Test
    void stays_what_it_is() {
        assertThat(hash(SEED, counted(), 0)).containsExactly(488_617_673_314_101_153L, 90_970_093_682_461_392L);
        assertThat(hash(SEED, new byte[8192], 0))
                .containsExactly(-8_119_951_056_274_522_582L, 3_925_822_851_600_733_434L);
    }

    @Test
    void differs_where_any_bit_of_the_page_or_of_the_seed_does() {
        byte[] page = counted();
        List<Long> whole = hash(SEED, page, 0);
        Random random = new Random(1);
        Set<List<Long>> seen = new HashSet<>(List.of(whole));

        for (int round = 1; round <= Effort.of(500, 20_000); round++) {
            byte[] other = page.clone();
            other[random.nextInt(page.length)] ^= (byte) (1 << random.nextInt(8));
            seen.add(hash(SEED, other, 0));
        }
        byte[] otherSeed = SEED.clone();
        otherSeed[31] = 1;

        assertThat(seen).hasSizeGreaterThan(Effort.of(490, 17_000));
        assertThat(hash(otherSeed, page, 0)).isNotEqualTo(whole);
        byte[] shifted = new byte[8192 + 13];
        System.arraycopy(page, 0, shifted, 13, page.length);
        assertThat(hash(SEED, shifted, 13)).isEqualTo(whole);
    }

    @Test
    void changes_in_several_places_do_not_take_each_other_back() {
        Set<List<Long>> seen = new HashSet<>();
        byte[] page = new byte[8192];

        for (int word = 0; word < 1024; word += 64) {
            Arrays.fill(page, (byte) 0);
            page[word * 8] = 1;
            seen.add(hash(SEED, page, 0));
            page[word * 8] = 0;
            page[word * 8 + 4] = 1;
            seen.add(hash(SEED, page, 0));
            page[word * 8] = 1;
            seen.add(hash(SEED, page, 0));
        }

        assertThat(seen).hasSize(48);
    }

    /** In a process that is not instrumented. */
    @Test
    void is_faster_than_a_server_sends() {
        for (int tiers : List.of(1, 4)) {
            try (ChildJvm child = ChildJvm.start(
                    List.of("-XX:TieredStopAtLevel=" + tiers), BlockHashRate.class, Map.of(), new String[0])) {
                assertThat(child.exitStatus()).as(child.toString()).isZero();
                System.out.println(
                        "FIGURE block digests with compiler tiers up to " + tiers + ": " + child.awaitLine("MB/s"));
            }
        }
    }

    static final class BlockHashRate {

        private BlockHashRate() {}

        public static void main(String[] arguments) {
            byte[] pages = new byte[16 << 20];
            new Random(1).nextBytes(pages);
            BlockHash hash = new BlockHash(SEED);
            long[] into = new long[2];
            double best = 0;
            for (int round = 0; round < 20; round++) {
                long begun = System.nanoTime();
                for (int at = 0; at < pages.length; at += 8192) {
                    hash.hash(pages, at, into, 0);
                }
                best = Math.max(best, pages.length * 1e3 / (System.nanoTime() - begun));
            }
            System.out.printf("MB/s %.0f, the last is %x%n", best, into[0]);
        }
    }
}
