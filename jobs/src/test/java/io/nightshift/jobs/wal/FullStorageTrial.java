package io.nightshift.jobs.wal;

import static io.nightshift.jobs.wal.ArchiveTrial.PATIENCE;
import static io.nightshift.jobs.wal.ArchiveTrial.QUICK;
import static io.nightshift.jobs.wal.ArchiveTrial.slot;
import static io.nightshift.jobs.wal.ArchiveTrial.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.server.TestPostgres;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * A storage on a disk that is really full. Not run by the build: {@code .ci/extra/full-storage} mounts a small one and
 * starts it.
 */
class FullStorageTrial {

    private static final Path DISK = Path.of(System.getProperty("full.storage", ""));
    private static final Timeline FIRST = new Timeline(1);

    @Test
    void stores_nothing_by_halves_loses_nothing_and_goes_on_when_there_is_room() throws Exception {
        try (var server = TestCluster.start(18, Map.of("wal_keep_size", "1GB"))) {
            TestPostgres postgres = server.postgres();
            Files.createSymbolicLink(server.storage("local"), DISK);
            try (var trial = new ArchiveTrial(server, 18, QUICK).begin()) {
                write(postgres, 1);
                trial.awaitArchived(postgres, FIRST);
                Path ballast = fill();
                write(postgres, 4);
                await().atMost(PATIENCE)
                        .until(() -> trial.run().progress().toString().contains("No space left on device"));
                System.out.println(
                        "FIGURE full storage: " + trial.run().progress().step());

                write(postgres, 4);

                Lsn kept = slot(postgres).orElseThrow();
                assertThat(kept)
                        .isLessThanOrEqualTo(
                                trial.archive(postgres).coverage().end(FIRST).orElseThrow());
                Files.delete(ballast);
                trial.awaitArchived(postgres, FIRST);
                trial.endDay();
                assertThat(trial.assertComplete(postgres).ranges()).hasSize(1);
                assertThat(trial.gaps(postgres)).isEmpty();
                try (Stream<Path> files = Files.walk(DISK)) {
                    assertThat(files).noneMatch(file -> file.toString().endsWith(".part"));
                }
            }
        }
    }

    /** Takes all the room that is left. */
    private static Path fill() throws IOException {
        Path ballast = DISK.resolve("ballast");
        try (OutputStream out = Files.newOutputStream(ballast)) {
            for (int size = 1 << 16; size > 0; size /= 2) {
                fill(out, size);
            }
        }
        return ballast;
    }

    private static void fill(OutputStream out, int size) {
        try {
            while (true) {
                out.write(new byte[size]);
            }
        } catch (IOException full) {
            assertThat(full).hasMessageContaining("No space left");
        }
    }
}
