package io.nightshift.infra.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.PostgresServer;
import io.nightshift.infra.server.TestPostgres;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TemporaryCopyTest {

    private final Path parent = TestPostgres.temporaryDirectory("copy-");
    private final Path directory = parent.resolve("out");

    @AfterEach
    void delete() throws Exception {
        FileTree.delete(parent);
    }

    @Test
    void takes_a_directory_for_one_and_leaves_nothing() throws Exception {
        try (TemporaryCopy one = TemporaryCopy.in(directory)) {
            Files.createDirectory(one.data());

            assertRefused("another restore is at work in " + directory);
            assertThat(one.tookOver()).isFalse();
        }

        assertThat(directory).doesNotExist();
        Files.createDirectory(directory);
        TemporaryCopy.in(directory).close();
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void keeps_only_the_files_that_are_whole() throws Exception {
        try (TemporaryCopy copy = TemporaryCopy.in(directory)) {
            Path whole = Files.writeString(copy.files().resolve("votes.copy"), "1\n");
            Files.writeString(copy.files().resolve("bills.copy.part"), "2");

            copy.publish(List.of(new ExtractedFile(whole, List.of("votes"), 1)), List.of());
        }

        assertThat(directory)
                .isDirectoryContaining("glob:**votes.copy")
                .isDirectoryNotContaining(file -> !file.endsWith("votes.copy"));
        assertRefused("directory " + directory + " is not empty");
    }

    @Test
    void ends_and_removes_what_a_killed_process_left() throws Exception {
        Path data = directory.resolve(TemporaryCopy.FOLDER).resolve("data");
        PostgresServer left = PostgresServer.initialise(data, TestPostgres.binaries(18), "--no-sync");
        left.start(Map.of("fsync", "off"));
        Files.writeString(directory.resolve(TemporaryCopy.FOLDER).resolve("owner.lock"), "of a process that is gone");

        try (TemporaryCopy copy = TemporaryCopy.in(directory)) {
            assertThat(copy.tookOver()).isTrue();
            assertThat(left.isRunning()).isFalse();
            assertThat(data).doesNotExist();
        }
    }

    @Test
    void touches_nothing_of_others() throws Exception {
        Files.createDirectory(directory);
        Files.writeString(directory.resolve("mine"), "1");

        assertRefused("directory " + directory + " is not empty");

        assertThat(directory.resolve("mine")).hasContent("1");
    }

    private void assertRefused(String fact) {
        assertThatThrownBy(() -> TemporaryCopy.in(directory))
                .isInstanceOfSatisfying(
                        NightshiftException.class,
                        refusal -> assertThat(refusal.kind()).isEqualTo(FailureKind.REFUSED))
                .hasMessageContaining(fact);
    }
}
