package io.nightshift.infra.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.config.ClusterConfig;
import io.nightshift.infra.config.DatabaseSelection;
import io.nightshift.infra.config.DirectoryStorageConfig;
import io.nightshift.infra.config.NodeAddress;
import io.nightshift.infra.config.SslMode;
import io.nightshift.infra.config.StorageDuty;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.server.FileTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ClusterStoragesTest {

    @TempDir
    private Path folder;

    @Test
    void takes_a_new_storage_at_its_first_use_and_finds_it_again() {
        storages("here").forWriting("chanuka");

        StorageSet again = storages("here").forWriting("chanuka");

        assertThat(again.storages()).extracting(Storage::name).containsExactly("local");
        assertThat(again.stat(Installation.OBJECT)).isPresent();
    }

    @Test
    void does_not_take_an_unmounted_disk_for_a_new_storage() throws IOException {
        storages("here").forWriting("chanuka");
        FileTree.delete(folder.resolve("disk"));
        Files.createDirectory(folder.resolve("disk"));

        assertThatThrownBy(() -> storages("here").forWriting("chanuka"))
                .isInstanceOf(NightshiftException.class)
                .hasMessageContaining("storage local holds no installation.json")
                .satisfies(failure ->
                        assertThat(((NightshiftException) failure).hint()).contains("mounted"));
        assertThat(folder.resolve("disk")).isEmptyDirectory();
    }

    @Test
    void leaves_the_storage_of_another_installation_alone() {
        storages("here").forWriting("chanuka");

        assertThatThrownBy(() -> new ClusterStorages(
                                clusters(),
                                Map.of("local", new DirectoryStorageConfig("local", folder.resolve("disk"))),
                                "elsewhere",
                                new KnownStorages(folder.resolve("other-home")),
                                Clock.systemUTC())
                        .forWriting("chanuka"))
                .hasMessageContaining("belongs to installation here");
    }

    private ClusterStorages storages(String installation) {
        return new ClusterStorages(
                clusters(),
                Map.of("local", new DirectoryStorageConfig("local", folder.resolve("disk"))),
                installation,
                new KnownStorages(folder.resolve("home")),
                Clock.systemUTC());
    }

    private static Map<String, ClusterConfig> clusters() {
        return Map.of(
                "chanuka",
                new ClusterConfig(
                        "chanuka",
                        List.of(new NodeAddress("127.0.0.1", 5432)),
                        "nightshift",
                        null,
                        SslMode.PREFER,
                        null,
                        null,
                        null,
                        false,
                        "postgres",
                        DatabaseSelection.ALL,
                        Map.of("local", StorageDuty.REQUIRED),
                        1,
                        Map.of()));
    }
}
