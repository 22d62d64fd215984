package io.nightshift.infra.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.storage.FaultyStorage.Call;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class StorageSetTest extends StorageContractTest {

    @TempDir
    private Path temporary;

    private FaultyStorage near;
    private FaultyStorage far;
    private StorageSet set;

    @BeforeEach
    void prepare() {
        near = new FaultyStorage(directory("near"));
        far = new FaultyStorage(directory("far"));
        set = StorageSet.of(near, far);
    }

    @Override
    protected Storage storage() {
        return set;
    }

    @Test
    void writes_to_all_storages_at_once() throws IOException {
        write("a", new byte[] {1, 2, 3});

        assertThat(near.open("a").readAllBytes()).containsExactly(1, 2, 3);
        assertThat(far.open("a").readAllBytes()).containsExactly(1, 2, 3);
    }

    @ParameterizedTest
    @EnumSource(names = {"CREATE", "WRITE"})
    void fails_and_leaves_nothing_anywhere_when_one_storage_fails(Call call) {
        far.failOnce(call, 1, FailureKind.RESOURCES_EXHAUSTED);

        assertThatThrownBy(() -> write("a", new byte[1000]))
                .isInstanceOfSatisfying(
                        NightshiftException.class,
                        failure -> assertThat(failure.kind()).isEqualTo(FailureKind.RESOURCES_EXHAUSTED))
                .hasMessageContaining("in storage far");

        assertThat(set.list("")).isEmpty();
    }

    @Test
    void leaves_the_object_where_it_was_committed_before_another_storage_failed() {
        far.failOnce(Call.COMMIT, 1, FailureKind.STORAGE_UNAVAILABLE);

        assertThatThrownBy(() -> write("a", new byte[1000])).hasMessageContaining("COMMIT of a in storage far");

        assertThat(near.stat("a")).isPresent();
        assertThat(far.stat("a")).isEmpty();
    }

    @Test
    void does_not_let_one_storage_wait_for_another() {
        var bothWrite = new CyclicBarrier(2);
        var meeting = StorageSet.of(
                new MeetingStorage(directory("one"), bothWrite), new MeetingStorage(directory("other"), bothWrite));

        try (StoredObjectWriter writer = meeting.create("a")) {
            writer.write(new byte[] {1, 2});
            writer.write(new byte[] {3});
            writer.commit();
        }

        assertThat(meeting.storages())
                .allSatisfy(
                        storage -> assertThat(storage.open("a").readAllBytes()).containsExactly(1, 2, 3));
    }

    @Test
    void waits_for_the_slower_storage_also_when_the_other_has_failed() {
        var bytes = new byte[1 << 20];
        near.failOnce(Call.WRITE, 1, FailureKind.RESOURCES_EXHAUSTED);
        far.failOnce(Call.WRITE, 1, FailureKind.STORAGE_UNAVAILABLE);

        assertThatThrownBy(() -> write("a", bytes)).hasMessageContaining("in storage near");

        assertThat(set.list("")).isEmpty();
    }

    @Test
    void reads_from_the_next_storage_when_the_first_lacks_the_object_or_is_away() throws IOException {
        write("a", new byte[] {7});
        near.delete("a");
        assertThat(set.open("a").readAllBytes()).containsExactly(7);

        near.failFrom(Call.OPEN, 1, FailureKind.STORAGE_UNAVAILABLE);
        near.failFrom(Call.STAT, 1, FailureKind.STORAGE_UNAVAILABLE);

        assertThat(set.open("a").readAllBytes()).containsExactly(7);
        assertThat(set.stat("a")).isPresent();
    }

    @Test
    void goes_on_in_the_next_storage_where_the_first_breaks_off() throws IOException {
        var bytes = new byte[200_000];
        new Random(3).nextBytes(bytes);
        write("a", bytes);

        near.failFrom(Call.READ, 3, FailureKind.STORAGE_UNAVAILABLE);

        assertThat(set.open("a").readAllBytes()).isEqualTo(bytes);
    }

    @Test
    void tells_of_the_storage_that_is_away_and_not_of_the_one_that_lacks_the_object() {
        near.failFrom(Call.OPEN, 1, FailureKind.STORAGE_UNAVAILABLE);

        assertThatThrownBy(() -> set.open("a"))
                .isInstanceOfSatisfying(
                        NightshiftException.class,
                        failure -> assertThat(failure.kind()).isEqualTo(FailureKind.STORAGE_UNAVAILABLE));
    }

    @Test
    void does_not_call_a_listing_complete_while_a_storage_is_away() {
        far.failFrom(Call.LIST, 1, FailureKind.STORAGE_UNAVAILABLE);

        assertThatThrownBy(() -> set.list("")).hasMessageContaining("in storage far");
    }

    private void write(String object, byte[] content) {
        try (StoredObjectWriter writer = set.create(object)) {
            writer.write(content);
            writer.commit();
        }
    }

    private Storage directory(String name) {
        var directory = new DirectoryStorage(name, temporary.resolve(name));
        directory.prepare();
        return directory;
    }
}
