package io.nightshift.infra.wal;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.postgres.WalSegment;
import io.nightshift.infra.replication.WalRange;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.FaultyStorage;
import io.nightshift.infra.storage.StorageSet;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WalCopyTest {

    private static final int SEGMENT = 1 << 20;
    private static final BackupPaths PATHS = new BackupPaths("chanuka", 18, new SystemIdentifier(7));
    private static final Timeline FIRST = new Timeline(1);
    private static final Instant NOW = Instant.parse("2026-11-22T01:00:00Z");

    @TempDir
    private Path directory;

    private DirectoryStorage near;
    private DirectoryStorage far;

    @BeforeEach
    void fill() {
        near = storage("near");
        far = storage("far");
        for (int number = 1; number <= 4; number++) {
            store(segment(number), content(number, 7));
        }
    }

    private DirectoryStorage storage(String name) {
        DirectoryStorage storage = new DirectoryStorage(name, directory.resolve(name));
        storage.prepare();
        return storage;
    }

    private void store(WalObject object, byte[] content) {
        new WalArchive(StorageSet.of(near, far), PATHS, SEGMENT).store(object, () -> new ByteArrayInputStream(content));
    }

    private static WalObject segment(long number) {
        return new WalObject.Segment(new WalSegment(FIRST, number, SEGMENT));
    }

    private static byte[] content(long number, long system) {
        ByteBuffer wal = ByteBuffer.allocate(SEGMENT).order(ByteOrder.LITTLE_ENDIAN);
        for (int page = 0; page < SEGMENT; page += WalPages.SIZE) {
            wal.putShort(page, (short) 0xD118).putShort(page + 2, (short) (page == 0 ? 2 : 0));
            wal.putInt(page + 4, 1).putLong(page + 8, number * SEGMENT + page);
        }
        return wal.putLong(24, system)
                .putInt(32, SEGMENT)
                .putInt(36, WalPages.SIZE)
                .array();
    }

    private WalCopy copy(DirectoryStorage storage) {
        return WalCopy.of(storage, PATHS, SEGMENT);
    }

    private Path file(String storage, WalObject object) {
        return directory.resolve(storage).resolve(PATHS.folder()).resolve("wal").resolve(object.name());
    }

    private List<Path> notes() throws IOException {
        try (Stream<Path> files =
                Files.list(directory.resolve("near").resolve(PATHS.folder()).resolve("verified-wal"))) {
            return files.sorted().toList();
        }
    }

    private void readAll(Instant now) {
        WalCopy copy = copy(near);
        for (WalCopy.Item item : List.copyOf(copy.segments())) {
            copy.note(item.object(), copy.read(item.object()), now);
        }
        copy.keep(now, () -> {});
    }

    private List<Instant> readAt() {
        return copy(near).segments().stream()
                .map(WalCopy.Item::readAt)
                .filter(Objects::nonNull)
                .toList();
    }

    @Test
    void what_was_read_in_one_run_is_one_stretch_of_one_note() throws IOException {
        readAll(NOW);
        readAll(NOW.plusSeconds(60));

        assertThat(readAt()).hasSize(4).containsOnly(NOW.plusSeconds(60));
        assertThat(notes()).hasSize(1);
        assertThat(VerifiedWal.of(near, PATHS, complaint -> {}).stretches())
                .containsExactly(new VerifiedWal.Stretch(
                        FIRST,
                        new WalSegment(FIRST, 1, SEGMENT).start(),
                        new WalSegment(FIRST, 4, SEGMENT).end(),
                        NOW.plusSeconds(60)));
    }

    @Test
    void the_last_word_is_the_newest_whatever_the_clock_says() throws IOException {
        readAll(NOW);
        readAll(NOW.minusSeconds(3600));

        assertThat(readAt()).containsOnly(NOW.minusSeconds(3600));
        assertThat(notes()).hasSize(1);
    }

    @Test
    void a_note_that_is_damaged_says_nothing() throws IOException {
        readAll(NOW);
        Path note = notes().get(0);
        String said = Files.readString(note);
        Files.writeString(note, said.replace("\"readAt\" : \"2026", "\"readAt\" : \"2027"));

        assertThat(said).contains("\"readAt\" : \"2026");
        assertThat(readAt()).isEmpty();
        assertThat(copy(near).complaints())
                .singleElement()
                .asString()
                .startsWith("what was read of the WAL in storage near is not known: ");
    }

    @Test
    void a_note_that_cannot_be_read_takes_no_wal_away_and_a_newer_one_is_written() throws IOException {
        readAll(NOW);
        var unreadable = new FaultyStorage(near).badSector(PATHS.folder() + "/verified-wal/");

        StoredWal stored = StoredWal.of(List.of(unreadable), PATHS, SEGMENT);
        assertThat(stored.away()).isEmpty();
        assertThat(stored.coverage().ranges()).hasSize(1);
        assertThat(stored.complaints()).singleElement().asString().contains("Input/output error");

        WalCopy copy = WalCopy.of(unreadable, PATHS, SEGMENT);
        assertThat(copy.complaints()).hasSize(1);
        copy.note(segment(1), copy.read(segment(1)), NOW.plusSeconds(60));
        copy.keep(NOW.plusSeconds(60), () -> {});
        assertThat(readAt()).containsExactly(NOW.plusSeconds(60));
        assertThat(notes()).hasSize(1);
    }

    @Test
    void nothing_that_was_read_says_anything_of_what_came_later() {
        var beginning = new WalSegment(FIRST, 5, SEGMENT);
        store(
                new WalObject.Partial(beginning, beginning.start().plus(WalPages.SIZE)),
                Arrays.copyOf(content(5, 7), 8192));
        readAll(NOW);

        store(segment(5), content(5, 7));

        assertThat(readAt()).hasSize(4);
        assertThat(copy(near).item(segment(5)).orElseThrow().readAt()).isNull();
    }

    @Test
    void wal_that_is_not_what_its_name_says_is_damaged() throws IOException {
        store(segment(5), content(5, 8));
        store(segment(6), content(5, 7));
        store(segment(7), Arrays.copyOf(content(7, 7), SEGMENT - 1));
        byte[] cut = Files.readAllBytes(file("near", segment(2)));
        Files.write(file("near", segment(2)), Arrays.copyOf(cut, cut.length - 1));
        var beginning = new WalSegment(FIRST, 9, SEGMENT);
        WalObject partial = new WalObject.Partial(beginning, beginning.start().plus(3 * WalPages.SIZE));
        store(partial, Arrays.copyOf(Arrays.copyOf(content(9, 7), 8192), 3 * 8192));
        store(new WalObject.History(new Timeline(2)), "1\t0/300".getBytes(StandardCharsets.US_ASCII));
        WalCopy copy = copy(near);

        assertThat(copy.read(segment(1)).damage()).isEmpty();
        assertThat(copy.read(partial).damage()).as("empty behind a switch").isEmpty();
        assertThat(copy.read(segment(2)).damage()).startsWith("is not readable: ");
        assertThat(copy.read(segment(5)).damage()).isEqualTo("holds WAL of the system identifier 8 instead of 7");
        assertThat(copy.read(segment(6)).damage())
                .isEqualTo("holds the WAL of 0/500000 at byte 0, where 0/600000 belongs");
        assertThat(copy.read(segment(7)).damage()).isEqualTo("has 1048575 bytes instead of 1048576");
        assertThat(copy.read(new WalObject.History(new Timeline(2))).damage()).contains("its last line is cut off");
    }

    @Test
    void a_restore_knows_of_damage_until_the_object_is_read_again() throws IOException {
        byte[] good = Files.readAllBytes(file("near", segment(3)));
        for (String storage : List.of("near", "far")) {
            Files.write(file(storage, segment(3)), new byte[100]);
        }
        var reaches = new WalRange(
                FIRST, new WalSegment(FIRST, 1, SEGMENT).start(), new WalSegment(FIRST, 3, SEGMENT).start());
        for (DirectoryStorage storage : List.of(near, far)) {
            assertThat(covers(reaches)).isEmpty();
            WalCopy copy = copy(storage);
            copy.note(segment(3), copy.read(segment(3)), NOW);
            copy.keep(NOW, () -> {});
        }

        assertThat(covers(reaches)).as("damaged in both").contains(reaches);
        Files.copy(file("near", segment(2)), directory.resolve("other"));
        Files.delete(file("near", segment(3)));
        Files.move(directory.resolve("other"), file("near", segment(3)));
        assertThat(covers(reaches))
                .as("changed in one, which nobody has read yet")
                .contains(reaches);
        WalCopy changed = copy(near);
        WalCopy.Item item = changed.item(segment(3)).orElseThrow();
        assertThat(item.isChangedSinceDamaged()).isTrue();
        changed.note(segment(1), changed.read(segment(1)), NOW);
        changed.keep(NOW, () -> {});
        assertThat(copy(near).item(segment(3)).orElseThrow())
                .as("noted anew, and still not read")
                .isEqualTo(item);
        Files.write(file("near", segment(3)), good);
        changed.note(segment(3), changed.read(segment(3)), NOW);
        changed.keep(NOW, () -> {});
        assertThat(covers(reaches)).as("read, and sound in one").isEmpty();
    }

    /** The first stretch, if it ends there. */
    private List<WalRange> covers(WalRange range) {
        return StoredWal.of(List.of(near, far), PATHS, SEGMENT).coverage().ranges().stream()
                .filter(range::equals)
                .toList();
    }

    @Test
    void what_lies_within_and_another_storage_has_is_lost_and_what_lies_outside_is_not() throws IOException {
        Files.delete(file("near", segment(1)));
        Files.delete(file("near", segment(3)));
        store(new WalObject.History(new Timeline(2)), "1\t0/300000\tno reason\n".getBytes(StandardCharsets.US_ASCII));
        Files.delete(file("near", new WalObject.History(new Timeline(2))));
        Files.delete(file("far", segment(4)));

        assertThat(copy(near).lost(List.of(copy(far))))
                .containsExactlyInAnyOrder(segment(3), new WalObject.History(new Timeline(2)));
        assertThat(copy(far).lost(List.of(copy(near)))).isEmpty();
    }

    @Test
    void an_object_is_replaced_by_the_bytes_that_were_read_and_by_no_others() throws IOException {
        byte[] good = Files.readAllBytes(file("far", segment(3)));
        Files.write(file("near", segment(3)), new byte[100]);
        WalCopy here = copy(near);
        WalCopy there = copy(far);
        ReadWal read = there.read(segment(3));
        Files.copy(file("far", segment(2)), directory.resolve("other"));
        Files.write(file("far", segment(3)), Files.readAllBytes(directory.resolve("other")));

        assertThat(here.replace(segment(3), there, read, new Cancellation(), () -> {}))
                .isFalse();
        assertThat(file("near", segment(3))).hasBinaryContent(new byte[100]);
        Files.write(file("far", segment(3)), good);
        assertThat(here.replace(segment(3), there, read, new Cancellation(), () -> {}))
                .isTrue();
        assertThat(file("near", segment(3))).hasBinaryContent(good);
    }
}
