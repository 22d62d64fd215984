package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Finding;
import io.nightshift.infra.storage.DirectoryStorage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StorageSpaceTest {

    private static final long GB = 1L << 30;

    @Test
    void room_for_the_last_backup_and_a_fifth_more_is_enough() {
        var space = new StorageSpace(List.of("local"), 12 * GB, 10 * GB, 100 * GB);

        assertThatCode(space::requireRoom).doesNotThrowAnyException();
        assertThat(space.finding()).isEmpty();
    }

    @Test
    void less_is_a_warning_with_both_sizes() {
        var space = new StorageSpace(List.of("local"), 11 * GB, 10 * GB, 100 * GB);

        assertThat(space.finding())
                .map(Finding::detail)
                .contains("11.0 GB are free, and the backup will take about 10.0 GB");
    }

    @Test
    void a_first_backup_is_guessed_from_the_size_of_the_cluster() {
        assertThat(new StorageSpace(List.of("local"), 39 * GB, null, 100 * GB).finding())
                .isPresent();
        assertThat(new StorageSpace(List.of("local"), 41 * GB, null, 100 * GB).finding())
                .isEmpty();
    }

    @Test
    void nothing_known_is_nothing_said() {
        var space = new StorageSpace(List.of("local"), 0, null, null);

        assertThatCode(space::requireRoom).doesNotThrowAnyException();
        assertThat(space.finding()).isEmpty();
    }

    @Test
    void what_cannot_fit_at_any_compression_is_refused() {
        var space = new StorageSpace(List.of("local"), GB, 10 * GB, 100 * GB);

        assertThatThrownBy(space::requireRoom)
                .isInstanceOfSatisfying(
                        NightshiftException.class,
                        failure -> assertThat(failure.explained())
                                .isEqualTo("storage local has 1.00 GB free, and the cluster has 100 GB\n"
                                        + "HINT: free space there or expire backups"));
    }

    @Test
    void two_storages_on_one_file_system_take_two_copies_of_its_free_bytes() {
        var space = new StorageSpace(List.of("local", "far"), 20 * GB, 10 * GB, 100 * GB);

        assertThat(space.finding()).hasValueSatisfying(finding -> {
            assertThat(finding.subject()).isEqualTo("the file system of storages far and local");
            assertThat(finding.detail())
                    .isEqualTo("20.0 GB are free, and the backup will take about 20.0 GB in 2 copies");
        });
        assertThat(new StorageSpace(List.of("local"), 20 * GB, 10 * GB, 100 * GB).finding())
                .isEmpty();
        assertThatThrownBy(new StorageSpace(List.of("local", "far"), 3 * GB, null, 100 * GB)::requireRoom)
                .hasMessage("the file system of storages far and local has 3.00 GB free, and the cluster has 100 GB");
    }

    @Test
    void directories_of_one_file_system_are_seen_as_one_place(@TempDir Path folder) throws IOException {
        Path one = Files.createDirectory(folder.resolve("one"));
        Path two = Files.createDirectory(folder.resolve("two"));
        var storages = List.of(
                new DirectoryStorage("one", one),
                new DirectoryStorage("two", two),
                new DirectoryStorage("elsewhere", Path.of("/proc")));

        var spaces = StorageSpace.of(storages, "chanuka", 3 * GB);

        assertThat(spaces).extracting(StorageSpace::storages).contains(List.of("one", "two"), List.of("elsewhere"));
        assertThat(spaces.get(0).expected()).contains(2 * GB);
    }
}
