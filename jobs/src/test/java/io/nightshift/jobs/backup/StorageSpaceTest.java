package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Finding;
import org.junit.jupiter.api.Test;

class StorageSpaceTest {

    private static final long GB = 1L << 30;

    @Test
    void room_for_the_last_backup_and_a_fifth_more_is_enough() {
        var space = new StorageSpace("local", 12 * GB, 10 * GB, 100 * GB);

        assertThatCode(space::requireRoom).doesNotThrowAnyException();
        assertThat(space.finding()).isEmpty();
    }

    @Test
    void less_is_a_warning_with_both_sizes() {
        var space = new StorageSpace("local", 11 * GB, 10 * GB, 100 * GB);

        assertThat(space.finding())
                .map(Finding::detail)
                .contains("11.0 GB are free, and the backup will take about 10.0 GB");
    }

    @Test
    void a_first_backup_is_guessed_from_the_size_of_the_cluster() {
        assertThat(new StorageSpace("local", 39 * GB, null, 100 * GB).finding()).isPresent();
        assertThat(new StorageSpace("local", 41 * GB, null, 100 * GB).finding()).isEmpty();
    }

    @Test
    void nothing_known_is_nothing_said() {
        var space = new StorageSpace("local", 0, null, null);

        assertThatCode(space::requireRoom).doesNotThrowAnyException();
        assertThat(space.finding()).isEmpty();
    }

    @Test
    void what_cannot_fit_at_any_compression_is_refused() {
        var space = new StorageSpace("local", GB, 10 * GB, 100 * GB);

        assertThatThrownBy(space::requireRoom)
                .isInstanceOfSatisfying(
                        NightshiftException.class,
                        failure -> assertThat(failure.explained())
                                .isEqualTo("storage local has 1.00 GB free, and the cluster has 100 GB\n"
                                        + "HINT: free space there or expire backups"));
    }
}
