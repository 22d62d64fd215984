package io.nightshift.infra.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileClaimTest {

    @TempDir
    Path directory;

    /** Takes a claim and keeps it until it dies. */
    static final class Holder {

        public static void main(String[] arguments) throws IOException {
            try (var claim = FileClaim.take(Path.of(arguments[0]), Duration.ofSeconds(10))) {
                System.out.println("holds " + claim);
                System.in.read();
            }
        }
    }

    @Test
    void is_refused_while_another_process_holds_it_and_free_when_that_is_killed() {
        Path file = directory.resolve("lock");
        try (var holder = ChildJvm.start(Holder.class, file.toString())) {
            holder.awaitLine("holds");

            assertThatThrownBy(() -> FileClaim.take(file, Duration.ofMillis(100)))
                    .isInstanceOfSatisfying(
                            NightshiftException.class, e -> assertThat(e.kind()).isEqualTo(FailureKind.REFUSED))
                    .hasMessageContaining(file + " is locked by another process");

            holder.kill();
            FileClaim.take(file, Duration.ofSeconds(10)).close();
        }
    }

    @Test
    void is_held_by_one_thread_at_a_time() throws Exception {
        Path file = directory.resolve("lock");
        var holders = new AtomicInteger();
        var most = new AtomicInteger();
        var threads = Executors.newFixedThreadPool(4);
        int rounds = Effort.of(40, 400);

        for (int round = 0; round < rounds; round++) {
            threads.execute(() -> {
                try (var claim = FileClaim.take(file, Duration.ofMinutes(1))) {
                    most.accumulateAndGet(holders.incrementAndGet(), Math::max);
                    Thread.onSpinWait();
                    holders.decrementAndGet();
                    assertThat(claim).isNotNull();
                }
            });
        }
        threads.shutdown();

        assertThat(threads.awaitTermination(1, java.util.concurrent.TimeUnit.MINUTES))
                .isTrue();
        assertThat(most).hasValue(1);
    }

    @Test
    void says_which_file_it_could_not_lock() {
        Path file = directory.resolve("missing/lock");

        assertThatThrownBy(() -> FileClaim.take(file, Duration.ofSeconds(1)))
                .hasMessageContaining("could not use " + file);
    }
}
