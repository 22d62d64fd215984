package io.nightshift.infra.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.run.Cancellation;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MeteredStorageTest {

    @TempDir
    private Path directory;

    private DirectoryStorage storage;

    @BeforeEach
    void fill() {
        storage = new DirectoryStorage("local", directory);
        try (StoredObjectWriter writer = storage.create("a")) {
            writer.write(new byte[10_000]);
            writer.commit();
        }
    }

    @Test
    void counts_what_is_asked_and_what_is_read() throws IOException {
        var metered = new MeteredStorage(storage, new ReadRate(null, new Cancellation()));

        try (InputStream all = metered.open("a");
                InputStream some = metered.openRange("a", 0, 500)) {
            all.readAllBytes();
            some.readAllBytes();
        }
        metered.stat("a");

        assertThat(metered.bytesRead()).isEqualTo(10_500);
        assertThat(metered.requests()).isEqualTo(3);
    }

    @Test
    void who_waits_for_the_rate_ends_when_the_run_is_stopped() throws IOException {
        var cancellation = new Cancellation();
        var metered = new MeteredStorage(storage, new ReadRate(new DataSize(1), cancellation));
        cancellation.cancel("enough");

        try (InputStream slow = metered.open("a")) {
            assertThatThrownBy(slow::readAllBytes).hasMessage("enough");
        }
    }
}
