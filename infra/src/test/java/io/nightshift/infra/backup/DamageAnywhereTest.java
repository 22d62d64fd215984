package io.nightshift.infra.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.StorageSet;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Harm at every class of positions of the format, in one stored backup: found, named, and nothing else blamed. Each test puts
 * back what it has harmed, and says so at its end.
 */
class DamageAnywhereTest {

    private static final String LABEL = "20261122T010000Z-full-r8f3";
    private static final String BASE = "base.tar.zst";
    private static final String TABLESPACE = "16575.tar.zst";
    private static final String MANIFEST = "backup_manifest";
    private static final String DOCUMENT = "backup.json";

    /** Of zstd, at most. */
    private static final int FRAME_HEADER = 14;

    /** A stretch of bytes with one meaning. */
    private record Region(String name, long from, long to) {

        long at(Random random) {
            return from + random.nextInt((int) (to - from));
        }
    }

    @TempDir
    private static Path temporary;

    private static DirectoryStorage storage;
    private static BackupDocument document;
    private static Map<String, byte[]> other;

    private final Random random = new Random(20261122);

    @BeforeAll
    static void prepare() throws IOException {
        storage = new DirectoryStorage("local", temporary);
        document = write(LABEL, 1);
        BackupDocument another = write("20261122T020000Z-full-0000", 2);
        other = new LinkedHashMap<>();
        for (String name : List.of(BASE, TABLESPACE, MANIFEST, DOCUMENT)) {
            other.put(name, Files.readAllBytes(file(another, name)));
        }
    }

    @Test
    void a_flipped_byte_is_found_in_every_region_of_every_object() throws IOException {
        for (String name : List.of(BASE, TABLESPACE, MANIFEST, DOCUMENT)) {
            for (Region region : regions(name)) {
                for (int round = 0; round < Effort.of(1, 12); round++) {
                    long at = region.at(random);
                    byte mask = (byte) (1 << random.nextInt(8));

                    List<Damage> damages = damagesOf(name, bytes -> flip(bytes, at, mask));

                    assertThat(damages)
                            .as("%s: %s, byte %s", name, region, at)
                            .isNotEmpty()
                            .allMatch(damage -> damage.object().equals(object(name)))
                            .anyMatch(damage -> damage.from() <= at && at < damage.to());
                }
            }
        }
        assertThat(verify()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {BASE, TABLESPACE, MANIFEST, DOCUMENT})
    void an_object_that_is_not_the_one_that_was_stored_is_found(String name) throws IOException {
        int size = Files.readAllBytes(file(document, name)).length;
        Map<String, UnaryOperator<byte[]>> harms = new LinkedHashMap<>();
        for (int round = 0; round < Effort.of(2, 40); round++) {
            int length = random.nextInt(size);
            harms.put("truncated at " + length, bytes -> Arrays.copyOf(bytes, length));
        }
        for (int round = 0; round < Effort.of(1, 10); round++) {
            int seed = random.nextInt();
            harms.put("garbage " + seed, bytes -> garbage(new Random(seed), bytes.length));
        }
        harms.put("appended", bytes -> Arrays.copyOf(bytes, bytes.length + 1 + random.nextInt(100_000)));
        harms.put("twice", bytes -> join(bytes, bytes));
        harms.put("empty", bytes -> new byte[0]);
        harms.put("zeroed", bytes -> new byte[bytes.length]);
        harms.put("another backup's", bytes -> other.get(name));
        for (String sibling : List.of(BASE, TABLESPACE, MANIFEST, DOCUMENT)) {
            if (!sibling.equals(name)) {
                byte[] siblings = Files.readAllBytes(file(document, sibling));
                harms.put(sibling, bytes -> siblings);
            }
        }

        for (Map.Entry<String, UnaryOperator<byte[]>> harm : harms.entrySet()) {
            List<Damage> damages = damagesOf(name, harm.getValue());

            assertThat(damages)
                    .as(harm.getKey())
                    .isNotEmpty()
                    .allMatch(damage -> damage.object().equals(object(name)));
        }
        assertThat(verify()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {BASE, TABLESPACE, MANIFEST, DOCUMENT})
    void a_missing_object_is_found(String name) throws IOException {
        Path file = file(document, name);
        byte[] bytes = Files.readAllBytes(file);
        Files.delete(file);

        List<Damage> damages = verify();

        assertThat(damages)
                .isNotEmpty()
                .allMatch(damage -> damage.object().equals(object(name)))
                .anyMatch(damage -> damage.what().startsWith("is missing in storage local"));
        Files.write(file, bytes);
        assertThat(verify()).isEmpty();
    }

    @Test
    void two_swapped_archives_are_named_with_what_they_hold() throws IOException {
        byte[] base = Files.readAllBytes(file(document, BASE));
        byte[] tablespace = Files.readAllBytes(file(document, TABLESPACE));
        Files.write(file(document, BASE), tablespace);

        List<Damage> damages = damagesOf(TABLESPACE, bytes -> base);
        Files.write(file(document, BASE), base);

        assertThat(damages)
                .allMatch(damage -> Set.of(object(BASE), object(TABLESPACE)).contains(damage.object()))
                .anyMatch(damage -> damage.object().equals(object(BASE))
                        && damage.what().endsWith("it holds the bytes of 16575.tar.zst"))
                .anyMatch(damage -> damage.object().equals(object(TABLESPACE))
                        && damage.what().endsWith("it holds the bytes of base.tar.zst"));
        assertThat(verify()).isEmpty();
    }

    @Test
    void without_an_index_the_files_of_a_damaged_frame_are_named_and_no_others() throws IOException {
        ArchiveIndex index = index(BASE);
        List<UnaryOperator<byte[]>> endings = List.of(
                bytes -> flip(bytes, bytes.length - 20, (byte) 1),
                bytes -> Arrays.copyOf(bytes, bytes.length - 1 - random.nextInt(60)),
                bytes -> Arrays.copyOf(bytes, (int) index.indexOffset()));
        for (int number = 0; number < index.frameCount(); number++) {
            ArchiveFrame frame = index.frame(number);
            for (Region region : frameRegions("frame " + number, frame, bytes(BASE))) {
                if (region.name().endsWith(" header") && !region.name().endsWith("block header")) {
                    continue; // some bits of it mean nothing for the content, which then is still readable
                }
                long at = region.at(random);
                UnaryOperator<byte[]> ending = endings.get(random.nextInt(endings.size()));

                List<Damage> damages = damagesOf(BASE, bytes -> ending.apply(flip(bytes, at, (byte) 0x20)));

                assertThat(paths(damages)).as("%s, byte %s", region, at).isEqualTo(touching(index, frame));
                assertThat(damages)
                        .anyMatch(damage -> damage.from() <= at && at < damage.to())
                        .anyMatch(damage -> damage.what().contains("index"));
            }
        }
    }

    @Test
    void without_an_index_every_one_of_many_damaged_frames_is_found() throws IOException {
        ArchiveIndex index = index(BASE);
        for (int round = 0; round < Effort.of(4, 60); round++) {
            Set<Integer> frames = new TreeSet<>();
            while (frames.size() < 2 + random.nextInt(2)) {
                frames.add(random.nextInt(index.frameCount()));
            }
            List<Long> places = frames.stream()
                    .map(number -> index.frame(number).storedOffset()
                            + FRAME_HEADER
                            + random.nextInt(index.frame(number).storedLength() - FRAME_HEADER))
                    .toList();

            List<Damage> damages = damagesOf(BASE, bytes -> {
                byte[] harmed = flip(bytes, bytes.length - 1, (byte) 1);
                for (long at : places) {
                    harmed = flip(harmed, at, (byte) 4);
                }
                return harmed;
            });

            Set<String> touched = new TreeSet<>();
            frames.forEach(number -> touched.addAll(touching(index, index.frame(number))));
            assertThat(places)
                    .as("%s", places)
                    .allSatisfy(at -> assertThat(damages).anyMatch(damage -> damage.from() <= at && at < damage.to()));
            // Without pg_control nobody knows the names of segments: then the WAL is said to be missing as a whole.
            boolean tellsWal = damages.stream().anyMatch(damage -> damage.what().startsWith("holds no WAL"));
            if (tellsWal) {
                touched.remove(Backups.WAL);
            }
            assertThat(touched).as("%s", places).containsAll(paths(damages));
            assertThat(paths(damages).size() + lostWithoutName(damages))
                    .as("%s", places)
                    .isEqualTo(touched.size());
        }
    }

    /** A list that nobody can read is cut, and says by how many. */
    private static int lostWithoutName(List<Damage> damages) {
        return damages.stream()
                .map(Damage::what)
                .filter(what -> what.endsWith(" more files are lost"))
                .mapToInt(what -> Integer.parseInt(what.substring(0, what.indexOf(' '))))
                .sum();
    }

    private List<Region> regions(String name) throws IOException {
        byte[] bytes = bytes(name);
        List<Region> regions = new ArrayList<>();
        if (name.equals(MANIFEST) || name.equals(DOCUMENT)) {
            regions.add(new Region("head", 0, 40));
            regions.add(new Region("middle", 40, bytes.length - 90));
            regions.add(new Region("last line", bytes.length - 90, bytes.length));
            regions.add(new Region("checksum", bytes.length - 60, bytes.length - 4));
            return regions;
        }
        ArchiveIndex index = index(name);
        for (int number : new TreeSet<>(List.of(0, index.frameCount() / 2, index.frameCount() - 1))) {
            regions.addAll(frameRegions("frame " + number, index.frame(number), bytes));
        }
        long indexFrom = index.indexOffset();
        IndexTrailer trailer = IndexTrailer.parse(
                        Arrays.copyOfRange(bytes, bytes.length - IndexTrailer.BYTES, bytes.length))
                .orElseThrow();
        long lists = indexFrom + IndexTrailer.FRAME_HEADER;
        long members = lists + trailer.framesLength();
        regions.add(new Region("index magic", indexFrom, indexFrom + 4));
        regions.add(new Region("index length", indexFrom + 4, lists));
        regions.add(new Region("frame list", lists, members));
        regions.add(new Region("member list", members, members + trailer.membersLength()));
        for (int field = 0; field < IndexTrailer.BYTES; field += 4) {
            long at = (long) bytes.length - IndexTrailer.BYTES + field;
            regions.add(new Region("trailer field " + field, at, at + 4));
        }
        return regions;
    }

    private static List<Region> frameRegions(String name, ArchiveFrame frame, byte[] bytes) {
        long from = frame.storedOffset();
        long to = frame.storedEnd();
        int descriptor = bytes[(int) from + 4];
        int sizeFlag = descriptor >> 6 & 3;
        boolean single = (descriptor & 0x20) != 0;
        int sizeBytes = sizeFlag == 0 ? 1 : 1 << sizeFlag;
        long blocks = from + 5L + (single ? 0 : 1) + sizeBytes;
        return List.of(
                new Region(name + " magic", from, from + 4),
                new Region(name + " header", from + 4, blocks),
                new Region(name + " block header", blocks, blocks + 3),
                new Region(name + " block content", blocks + 3, to - 4),
                new Region(name + " checksum", to - 4, to));
    }

    private List<Damage> damagesOf(String name, UnaryOperator<byte[]> harm) throws IOException {
        byte[] sound = bytes(name);
        Files.write(file(document, name), harm.apply(sound.clone()));
        try {
            return verify();
        } finally {
            Files.write(file(document, name), sound);
        }
    }

    private List<Damage> verify() {
        BackupCopy copy =
                BackupCopy.find(storage, document.cluster(), document.label()).orElseThrow();
        return new BackupVerifier(2)
                .verify(copy, List.of(copy), new Progress(), new Cancellation())
                .damages();
    }

    private static Set<String> paths(List<Damage> damages) {
        return damages.stream()
                .map(Damage::path)
                .filter(path -> !path.isEmpty())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Set<String> touching(ArchiveIndex index, ArchiveFrame frame) {
        Set<String> paths = new TreeSet<>();
        for (ArchiveMember member : index.members()) {
            if (member.headerOffset() < frame.rawEnd()
                    && member.endOffset() > frame.rawOffset()
                    && member.type() == MemberType.FILE) {
                paths.add(member.path());
            }
        }
        return paths;
    }

    private static byte[] flip(byte[] bytes, long at, byte mask) {
        bytes[(int) at] ^= mask;
        return bytes;
    }

    private static byte[] garbage(Random random, int size) {
        var bytes = new byte[size];
        random.nextBytes(bytes);
        for (int magic = 0; magic < 100 && size > 8; magic++) {
            ByteBuffer.wrap(bytes).putInt(random.nextInt(size - 8), Integer.reverseBytes(ZstdFrame.MAGIC));
        }
        return bytes;
    }

    private static byte[] join(byte[] first, byte[] second) {
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    private static BackupDocument write(String label, int seed) {
        Map<String, TestTar> cluster = Backups.cluster(new Random(seed));
        StorageSet storages = StorageSet.of(storage);
        try (var compressor = new ArchiveCompressor(1, 2);
                NewBackup backup = NewBackup.begin(
                        storages, Backups.PATHS, BackupLabel.parse(label), Backups.MARKER, compressor)) {
            BackupDocument written = Backups.write(
                    backup, cluster, Backups.manifest(cluster, ManifestChecksum.CRC32C), ManifestChecksum.CRC32C);
            NewBackup.publish(storages, written, () -> {});
            return written;
        }
    }

    private ArchiveIndex index(String name) {
        return ArchiveReader.open(storage, object(name)).index().orElseThrow();
    }

    private byte[] bytes(String name) throws IOException {
        return Files.readAllBytes(file(document, name));
    }

    private static Path file(BackupDocument of, String name) {
        return temporary.resolve(of.paths().object(of.label(), name));
    }

    private String object(String name) {
        return Objects.requireNonNull(document).paths().object(document.label(), name);
    }
}
