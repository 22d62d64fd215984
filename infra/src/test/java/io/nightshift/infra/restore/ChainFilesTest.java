package io.nightshift.infra.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.resilience.NightshiftException;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ChainFilesTest {

    @Test
    void an_older_backup_gives_what_the_newer_ones_have_only_changed_blocks_of() {
        var files = new ChainFiles(Set.of("PG_VERSION", "base/5/1", "base/5/INCREMENTAL.2", "base/5/INCREMENTAL.3"));

        assertThat(files.ofTheOneBefore(
                        Set.of("PG_VERSION", "base/5/1", "base/5/2", "base/5/INCREMENTAL.3", "base/5/4")::contains))
                .containsExactlyInAnyOrder("base/5/2", "base/5/INCREMENTAL.3");
        assertThat(files.ofTheOneBefore(Set.of("base/5/1", "base/5/2", "base/5/3")::contains))
                .containsExactly("base/5/3");
        files.requireAll();
    }

    @Test
    void a_file_that_no_backup_has_whole_is_damage() {
        var files = new ChainFiles(Set.of("base/5/INCREMENTAL.2"));
        files.ofTheOneBefore(Set.of("base/5/INCREMENTAL.2")::contains);

        assertThatThrownBy(files::requireAll).hasMessageContaining("file base/5/2 is in no backup of the chain");
        assertThatThrownBy(() -> files.ofTheOneBefore(path -> false))
                .isInstanceOf(NightshiftException.class)
                .hasMessageContaining("base/5/2");
    }
}
