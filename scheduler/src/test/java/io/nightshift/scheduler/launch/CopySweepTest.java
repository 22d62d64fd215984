package io.nightshift.scheduler.launch;

import static org.awaitility.Awaitility.await;

import io.nightshift.infra.restore.RestoredCopies;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.TestPostgres;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.Test;

class CopySweepTest {

    @Test
    void removes_at_the_start_what_a_killed_process_has_left() throws Exception {
        Path scratch = TestPostgres.temporaryDirectory("copies-");
        Path left = Files.createDirectories(scratch.resolve("run-7/nightshift-temporary-copy/data"));
        ScheduledExecutorService timers = Executors.newScheduledThreadPool(1);
        try {
            var sweep = new CopySweep(new RestoredCopies(scratch, major -> Optional.empty()), Clock.systemUTC());

            sweep.start(timers);

            await().until(() -> !Files.exists(left) && !Files.exists(scratch.resolve("run-7")));
        } finally {
            timers.shutdownNow();
            FileTree.delete(scratch);
        }
    }
}
