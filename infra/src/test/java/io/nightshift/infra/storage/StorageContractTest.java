package io.nightshift.infra.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.server.Effort;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What every storage promises; each implementation inherits it. */
public abstract class StorageContractTest {

    private static final int RACERS = 16;

    /** A new, empty storage for this test, the same one at each call. */
    protected abstract Storage storage();

    @Test
    void reads_back_what_was_written() throws IOException {
        put("chanuka/base.tar.zst", "all of it");

        assertThat(get("chanuka/base.tar.zst")).isEqualTo("all of it");
        assertThat(storage().stat("chanuka/base.tar.zst")).hasValueSatisfying(object -> {
            assertThat(object.name()).isEqualTo("chanuka/base.tar.zst");
            assertThat(object.bytes()).isEqualTo(9);
        });
    }

    @Test
    void shows_nothing_before_the_commit() {
        try (StoredObjectWriter writer = storage().create("a/b")) {
            writer.write(new byte[100_000]);

            assertThat(storage().stat("a/b")).isEmpty();
            assertThat(names("")).isEmpty();
            writer.commit();
        }

        assertThat(names("")).containsExactly("a/b");
    }

    @Test
    void leaves_nothing_of_an_object_that_was_given_up() {
        try (StoredObjectWriter writer = storage().create("a/b")) {
            writer.write(new byte[100_000]);
        }

        assertThat(names("")).isEmpty();
        assertThat(storage().stat("a/b")).isEmpty();
    }

    @Test
    void replaces_an_object_when_the_new_one_is_whole_and_not_before() throws IOException {
        put("a/b", "old");
        try (StoredObjectWriter writer = storage().replace("a/b")) {
            writer.write("given up".getBytes(StandardCharsets.UTF_8));
            assertThat(get("a/b")).isEqualTo("old");
        }
        assertThat(get("a/b")).isEqualTo("old");

        try (StoredObjectWriter writer = storage().replace("a/b");
                StoredObjectWriter lost = storage().replace("a/lost")) {
            writer.write("new".getBytes(StandardCharsets.UTF_8));
            writer.commit();
            lost.write("back".getBytes(StandardCharsets.UTF_8));
            lost.commit();
        }

        assertThat(get("a/b")).isEqualTo("new");
        assertThat(get("a/lost")).isEqualTo("back");
        assertThat(names("")).containsExactly("a/b", "a/lost");
    }

    @Test
    void keeps_an_object_when_its_writer_closes_after_the_commit() throws IOException {
        StoredObjectWriter writer = storage().create("a");
        writer.write("x".getBytes(StandardCharsets.UTF_8));
        writer.commit();
        writer.close();
        writer.close();

        assertThat(get("a")).isEqualTo("x");
    }

    @Test
    void refuses_to_write_an_object_twice() throws IOException {
        put("a/b", "first");

        assertThatThrownBy(() -> put("a/b", "second"))
                .isInstanceOfSatisfying(NightshiftException.class, refused -> {
                    assertThat(refused.kind()).isEqualTo(FailureKind.REFUSED);
                    assertThat(StorageFailures.isExisting(refused)).isTrue();
                })
                .hasMessageStartingWith("object a/b exists already in storage ");

        assertThat(get("a/b")).isEqualTo("first");
    }

    @Test
    void lets_exactly_one_of_many_writers_win() throws Exception {
        ExecutorService racers = Executors.newFixedThreadPool(RACERS);
        try {
            for (int round = 0; round < 5 * Effort.number(); round++) {
                String object = "race/" + round;
                var start = new CyclicBarrier(RACERS);
                List<Future<String>> outcomes = new ArrayList<>();
                for (int racer = 0; racer < RACERS; racer++) {
                    String content = "racer " + racer;
                    outcomes.add(racers.submit(() -> race(object, content, start)));
                }

                List<String> winners = new ArrayList<>();
                for (Future<String> outcome : outcomes) {
                    winners.add(outcome.get());
                }
                winners.removeIf(String::isEmpty);

                assertThat(winners).hasSize(1);
                assertThat(get(object)).isEqualTo(winners.get(0));
            }
        } finally {
            racers.shutdownNow();
        }
    }

    @Test
    void creates_below_a_folder_while_others_delete_its_last_object() throws Exception {
        ExecutorService pair = Executors.newFixedThreadPool(2);
        try {
            int rounds = 100 * Effort.number();
            List<Future<?>> both = new ArrayList<>();
            for (String name : List.of("one", "two")) {
                both.add(pair.submit(() -> {
                    for (int round = 0; round < rounds; round++) {
                        put("deep/folder/" + name, name);
                        storage().delete("deep/folder/" + name);
                    }
                }));
            }
            for (Future<?> each : both) {
                each.get();
            }
        } finally {
            pair.shutdownNow();
        }

        assertThat(names("")).isEmpty();
        assertThat(storage().folders("")).isEmpty();
    }

    @Test
    void lists_sorted_by_whole_name_whatever_the_folders() {
        List<String> objects = List.of("a-b", "a.b/x", "a/b", "a/b0/z", "a/c", "a0", "b", "b~/x/y/z");
        List<String> shuffled = new ArrayList<>(objects);
        Collections.shuffle(shuffled, new Random(7));
        shuffled.forEach(object -> put(object, object));

        assertThat(names("")).containsExactlyElementsOf(objects);
        assertThat(names("a/")).containsExactly("a/b", "a/b0/z", "a/c");
        assertThat(names("a/b")).containsExactly("a/b", "a/b0/z");
        assertThat(names("a")).containsExactly("a-b", "a.b/x", "a/b", "a/b0/z", "a/c", "a0");
        assertThat(names("nothing/here")).isEmpty();
    }

    @Test
    void lists_the_folders_directly_under_a_folder() {
        List.of("x/b/1", "x/a/1/2", "x/file", "y/1").forEach(object -> put(object, ""));

        assertThat(storage().folders("")).containsExactly("x", "y");
        assertThat(storage().folders("x")).containsExactly("a", "b");
        assertThat(storage().folders("x/file")).isEmpty();
        assertThat(storage().folders("z")).isEmpty();
    }

    @Test
    void reads_ranges() throws IOException {
        put("digits", "0123456789");

        assertThat(range("digits", 0, 3)).isEqualTo("012");
        assertThat(range("digits", 4, 4)).isEqualTo("4567");
        assertThat(range("digits", 9, 1)).isEqualTo("9");
        assertThat(range("digits", 5, 0)).isEmpty();
        assertThat(range("digits", 8, 100)).isEqualTo("89");
        assertThat(range("digits", 10, 5)).isEmpty();
        assertThat(range("digits", 50, 5)).isEmpty();
    }

    @Test
    void says_that_an_object_is_missing() {
        put("a/b", "");

        for (String object : List.of("missing", "a/missing", "a", "a/b/c")) {
            assertThat(storage().stat(object)).isEmpty();
            assertThatThrownBy(() -> storage().open(object).readAllBytes())
                    .isInstanceOfSatisfying(NightshiftException.class, missing -> {
                        assertThat(missing.kind()).isEqualTo(FailureKind.DATA_DAMAGED);
                        assertThat(StorageFailures.isMissing(missing)).isTrue();
                        assertThat(missing).hasMessageEndingWith(" has no object " + object);
                    });
        }
    }

    @Test
    void deletes_and_forgives_what_is_not_there() {
        put("a/b", "x");

        storage().delete("a/b");
        storage().delete("a/b");
        storage().delete("never/was");

        assertThat(storage().stat("a/b")).isEmpty();
        put("a/b", "again");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/a",
                "a/",
                "a//b",
                "..",
                "a/../b",
                "./a",
                ".hidden",
                "a/.b.0123.part",
                "a\nb",
                "a\\b",
                "a b",
                "ä"
            })
    void refuses_names_that_are_none(String object) {
        assertThatThrownBy(() -> storage().create(object)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> storage().open(object)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> storage().delete(object)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void keeps_names_of_the_greatest_length() throws IOException {
        String object = "a".repeat(200) + "/" + "b".repeat(200);

        put(object, "long");

        assertThat(get(object)).isEqualTo("long");
        assertThatThrownBy(() -> storage().create("a".repeat(201))).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void streams_objects_larger_than_its_memory() throws IOException {
        long bytes = (64L << 20) * Effort.number();
        var random = new Random(1);
        var piece = new byte[1 << 20];
        var written = new CRC32C();
        try (StoredObjectWriter writer = storage().create("big")) {
            for (long done = 0; done < bytes; done += piece.length) {
                random.nextBytes(piece);
                written.update(piece);
                writer.write(ByteBuffer.wrap(piece).asReadOnlyBuffer());
            }
            writer.commit();
        }

        var read = new CRC32C();
        try (InputStream stream = storage().open("big")) {
            for (int count = stream.read(piece); count >= 0; count = stream.read(piece)) {
                read.update(piece, 0, count);
            }
        }

        assertThat(read.getValue()).isEqualTo(written.getValue());
        assertThat(storage().stat("big").orElseThrow().bytes()).isEqualTo(bytes);
    }

    private String race(String object, String content, CyclicBarrier start) throws Exception {
        StoredObjectWriter writer = storage().create(object);
        try (writer) {
            writer.write(content.getBytes(StandardCharsets.UTF_8));
            start.await();
            writer.commit();
            return content;
        } catch (NightshiftException lost) {
            assertThat(StorageFailures.isExisting(lost)).isTrue();
            return "";
        }
    }

    private void put(String object, String content) {
        try (StoredObjectWriter writer = storage().create(object)) {
            writer.write(content.getBytes(StandardCharsets.UTF_8));
            writer.commit();
        }
    }

    private String get(String object) throws IOException {
        try (InputStream stream = storage().open(object)) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private String range(String object, long offset, long length) throws IOException {
        try (InputStream stream = storage().openRange(object, offset, length)) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private List<String> names(String prefix) {
        try (Stream<StoredObject> objects = storage().list(prefix)) {
            return Arrays.asList(objects.map(StoredObject::name).toArray(String[]::new));
        }
    }
}
