package io.nightshift.infra.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.restore.Throughput.Work;
import io.nightshift.infra.restore.ThroughputFile.Rate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ThroughputFileTest {

    private static final Instant NOW = Instant.parse("2026-11-28T01:00:00Z");
    private static final long GIGABYTE = 1_000_000_000;

    @TempDir
    private Path home;

    private void enter(Work work, long bytes, int seconds) {
        file().enter(NOW, new Throughput(work, bytes, Duration.ofSeconds(seconds)));
    }

    private ThroughputFile file() {
        return new ThroughputFile(home.resolve("not there yet/throughput"));
    }

    @Test
    void knows_nothing_before_something_was_measured() {
        enter(Work.VERIFICATION, GIGABYTE, 5);

        assertThat(file().rate(Work.RESTORE)).isEmpty();
    }

    @Test
    void counts_the_last_five_by_their_sizes() {
        enter(Work.RESTORE, 1000 * GIGABYTE, 1);
        for (int restore = 0; restore < 4; restore++) {
            enter(Work.RESTORE, GIGABYTE, 10);
            enter(Work.REPLAY, GIGABYTE, 100);
        }
        enter(Work.RESTORE, 6 * GIGABYTE, 10);

        assertThat(file().rate(Work.RESTORE)).contains(new Rate(Work.RESTORE, 200e6, 5));
        assertThat(file().rate(Work.REPLAY)).contains(new Rate(Work.REPLAY, 10e6, 4));
    }

    @Test
    void leaves_out_what_is_too_little_to_say_anything() {
        enter(Work.REPLAY, 1_000_000, 2);

        assertThat(file().rate(Work.REPLAY)).isEmpty();
    }

    @Test
    void passes_over_lines_that_it_does_not_understand() throws IOException {
        enter(Work.RESTORE, GIGABYTE, 10);
        Files.writeString(
                home.resolve("not there yet/throughput"), "2026-11-28T01:00:00Z resto", StandardOpenOption.APPEND);

        assertThat(file().rate(Work.RESTORE)).contains(new Rate(Work.RESTORE, 100e6, 1));
    }

    @Test
    void says_which_file_is_not_usable() {
        var file = new ThroughputFile(home);

        assertThatThrownBy(() -> file.enter(NOW, new Throughput(Work.RESTORE, GIGABYTE, Duration.ofSeconds(1))))
                .isInstanceOf(NightshiftException.class)
                .hasMessageStartingWith("file " + home + " not usable: ");
    }
}
