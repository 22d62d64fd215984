package io.nightshift.infra.incremental;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.nightshift.infra.incremental.RelationFork.Fork;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.Seed;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class BlockComparisonTest {

    private static final int BLOCK = RelationSegment.BLOCK_SIZE;

    @TempDir
    private Path folder;

    /** One backup: what its files were, what was sent of each, and its digests. */
    private record Taken(
            String label, String parent, Map<RelationSegment, byte[]> sent, ByteArrayOutputStream digests) {}

    private static RelationSegment file(int filenode, int number) {
        return new RelationSegment(new RelationFork(1663, 5, filenode, Fork.MAIN), number);
    }

    private Taken take(List<Taken> chain, Map<RelationSegment, byte[]> files, Random random) {
        String label = "b" + chain.size();
        String parent = chain.isEmpty() ? "" : chain.get(chain.size() - 1).label();
        var digests = new ByteArrayOutputStream();
        Map<RelationSegment, byte[]> sent = new LinkedHashMap<>();
        try (BlockComparison comparison = chain.isEmpty()
                ? BlockComparison.full(folder, digests, label)
                : BlockComparison.on(known(chain), parent, folder, digests, label)) {
            files.forEach((segment, content) -> {
                boolean held = comparison.begin(segment, content.length);
                for (int at = 0; at < content.length; ) {
                    int length = Math.min(1 + random.nextInt(30_000), content.length - at);
                    comparison.accept(content, at, length);
                    at += length;
                }
                comparison.end();
                var out = new ByteArrayOutputStream();
                if (held) {
                    comparison.writeTo(out::write);
                    assertThat(comparison.size()).isEqualTo(out.size());
                    assertThat(out.size()).isLessThanOrEqualTo(content.length + BLOCK);
                }
                sent.put(segment, !held ? content : comparison.isWhole() ? content : out.toByteArray());
                if (held && comparison.isWhole()) {
                    assertThat(out.toByteArray()).isEqualTo(content);
                }
            });
            comparison.finish();
        }
        return new Taken(label, parent, sent, digests);
    }

    private KnownBlocks known(List<Taken> chain) {
        var known = new KnownBlocks(folder);
        chain.forEach(link ->
                known.read(new ByteArrayInputStream(link.digests().toByteArray()), link.label(), link.parent()));
        return known;
    }

    /** What a restore makes of the file. */
    private static byte[] restored(List<Taken> chain, RelationSegment segment) {
        byte[] content = new byte[0];
        for (Taken link : chain) {
            byte[] sent = link.sent().get(segment);
            content = sent == null ? new byte[0] : isChangedBlocks(sent) ? applied(content, sent) : sent;
        }
        return content;
    }

    private static boolean isChangedBlocks(byte[] sent) {
        return sent.length >= 4
                && sent[0] == 0x0D
                && sent[1] == 0x1F
                && sent[2] == (byte) 0xAE
                && sent[3] == (byte) 0xD3;
    }

    private static byte[] applied(byte[] before, byte[] sent) {
        byte[][] content = {before};
        var file = new IncrementalFile("base/5/INCREMENTAL.1", new IncrementalFile.Receiver() {
            @Override
            public void header(IncrementalHeader header) {
                content[0] = Arrays.copyOf(before, header.length() * BLOCK);
            }

            @Override
            public void block(int block, int at, byte[] bytes, int offset, int length) {
                System.arraycopy(bytes, offset, content[0], block * BLOCK + at, length);
            }
        });
        file.accept(sent, 0, sent.length);
        file.finish();
        return content[0];
    }

    private static byte[] pages(Random random, int blocks) {
        byte[] content = new byte[blocks * BLOCK];
        random.nextBytes(content);
        return content;
    }

    static Stream<Seed> seeds() {
        return Seed.underTest().stream();
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void what_a_chain_holds_of_a_file_is_the_file(Seed seed) {
        Random random = seed.random();
        Map<RelationSegment, byte[]> files =
                new TreeMap<>((one, other) -> one.toString().compareTo(other.toString()));
        List<Taken> chain = new ArrayList<>();

        for (int link = 0; link < Effort.of(8, 60); link++) {
            change(files, random);
            chain.add(take(chain, files, random));
            files.forEach((segment, content) -> assertThat(restored(chain, segment))
                    .as(
                            "%s after %s, seed %s",
                            segment, chain.get(chain.size() - 1).label(), seed)
                    .isEqualTo(content));
        }
        try (KnownBlocks known = known(chain)) {
            files.forEach((segment, content) ->
                    assertThat(known.load(segment, new long[262_144])).isEqualTo(content.length / BLOCK));
            assertThat(known.load(file(99, 0), new long[262_144])).isEqualTo(-1);
        }
    }

    /** Files come, go, come back, grow, shrink, and change here and there, altogether or not at all. */
    private static void change(Map<RelationSegment, byte[]> files, Random random) {
        for (int filenode = 1; filenode <= 12; filenode++) {
            RelationSegment segment = file(filenode, filenode % 3);
            byte[] content = files.get(segment);
            int act = random.nextInt(7);
            if (content == null || act == 0) {
                files.put(segment, pages(random, random.nextInt(4) == 0 ? 0 : random.nextInt(40)));
            } else if (act == 1) {
                files.remove(segment);
            } else if (act == 2) {
                files.put(segment, Arrays.copyOf(content, random.nextInt(60) * BLOCK));
            } else if (act <= 4 && content.length > 0) {
                byte[] changed = content.clone();
                for (int each = random.nextInt(20); each >= 0; each--) {
                    changed[random.nextInt(changed.length)] ^= (byte) (1 + random.nextInt(255));
                }
                files.put(segment, changed);
            }
        }
    }

    @Test
    void a_file_of_which_nothing_has_changed_comes_as_a_header_and_an_empty_or_new_one_as_it_is() {
        Random random = new Random(1);
        Taken full = take(List.of(), Map.of(file(1, 0), pages(random, 3), file(2, 0), new byte[0]), random);
        Map<RelationSegment, byte[]> files = new LinkedHashMap<>(full.sent());
        files.put(file(3, 0), pages(random, 2));
        files.put(file(1, 1), full.sent().get(file(1, 0)));

        Map<RelationSegment, byte[]> sent = take(List.of(full), files, random).sent();

        assertThat(sent.get(file(1, 0))).hasSize(12).startsWith(0x0D, 0x1F, 0xAE, 0xD3, 0, 0, 0, 0, 3, 0, 0, 0);
        assertThat(sent.get(file(1, 1))).hasSize(3 * BLOCK);
        assertThat(sent.get(file(2, 0))).isEmpty();
        assertThat(sent.get(file(3, 0))).isEqualTo(files.get(file(3, 0)));
    }

    @Test
    void more_than_nine_in_ten_changed_blocks_are_the_whole_file() {
        Random random = new Random(1);
        byte[] content = pages(random, 20);
        Taken full = take(List.of(), Map.of(file(1, 0), content), random);

        assertThat(changed(full, content, 18, random)).hasSize(19 * BLOCK);
        assertThat(changed(full, content, 19, random)).hasSize(20 * BLOCK);
        assertThat(isChangedBlocks(changed(full, content, 18, random))).isTrue();
        assertThat(isChangedBlocks(changed(full, content, 19, random))).isFalse();
    }

    private byte[] changed(Taken full, byte[] content, int blocks, Random random) {
        byte[] changed = content.clone();
        IntStream.range(0, blocks).forEach(block -> changed[(19 - block) * BLOCK + 100] ^= 1);
        return take(List.of(full), Map.of(file(1, 0), changed), random).sent().get(file(1, 0));
    }

    /** Larger than what is held in memory, on disk, and with nothing left there. */
    @Test
    void a_large_file_goes_through_a_file_that_nobody_sees() throws IOException {
        Random random = new Random(1);
        byte[] content = pages(random, 1100);
        Taken full = take(List.of(), Map.of(file(1, 0), content), random);

        for (int step : List.of(1, 15)) {
            for (int first : List.of(0, 511, 1050)) {
                byte[] now = content.clone();
                for (int block = first; block < 1100; block += step) {
                    now[block * BLOCK + random.nextInt(BLOCK)] ^= 4;
                }
                Taken next = take(List.of(full), Map.of(file(1, 0), now), random);

                assertThat(restored(List.of(full, next), file(1, 0))).isEqualTo(now);
                assertThat(isChangedBlocks(next.sent().get(file(1, 0)))).isEqualTo(step > 1 || first > 0);
            }
        }
        try (Stream<Path> left = Files.list(folder)) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void digests_that_are_damaged_or_of_another_backup_are_named() {
        Random random = new Random(1);
        Map<RelationSegment, byte[]> files = Map.of(file(1, 0), pages(random, 5));
        Taken full = take(List.of(), files, random);
        Taken next = take(List.of(full), files, random);
        Taken other = take(List.of(), files, random);

        assertThatThrownBy(() -> known(List.of(new Taken("b7", "", Map.of(), full.digests()))))
                .isInstanceOf(NightshiftException.class)
                .hasMessage("the block digests of backup b7 are not right: they belong to backup b0");
        assertThatThrownBy(() -> known(List.of(full, new Taken("b1", "b9", Map.of(), next.digests()))))
                .hasMessageContaining("b1 are not right: they belong to backup b1 on b0");
        assertThatThrownBy(() -> known(List.of(other, next)))
                .hasMessageContaining("made with another key than those of b0");
        assertThatThrownBy(() -> known(List.of(new Taken("b0", "", Map.of(), digests(new byte[100])))))
                .hasMessageContaining("they begin with something else");
        for (int round = 0; round < Effort.of(200, 5000); round++) {
            byte[] damaged = next.digests().toByteArray();
            boolean cut = random.nextBoolean();
            int at = random.nextInt(damaged.length);
            damaged[at] ^= (byte) (1 << random.nextInt(8));
            byte[] found = cut ? Arrays.copyOf(next.digests().toByteArray(), at) : damaged;

            Throwable thrown =
                    catchThrowable(() -> known(List.of(full, new Taken("b1", "b0", Map.of(), digests(found)))));

            assertThat(thrown)
                    .as("%s at %d", cut ? "cut" : "flipped", at)
                    .isInstanceOf(NightshiftException.class)
                    .hasMessageStartingWith("the block digests of backup b1 are not right: ");
        }
    }

    private static ByteArrayOutputStream digests(byte[] bytes) {
        var digests = new ByteArrayOutputStream();
        digests.writeBytes(bytes);
        return digests;
    }
}
