package io.nightshift.infra.restore;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.server.ChildJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who has a directory that is being restored. */
class TargetDirectoryTest {

    private static final String WHAT = "restore of backup 20261122T010000Z-full-r8f3, system identifier 1";

    @TempDir
    private Path temporary;

    @Test
    void is_one_restore_s_until_it_closes_also_after_all_files_were_put_on_disk() throws IOException {
        Path directory = temporary.resolve("data");
        try (TargetDirectory ours = TargetDirectory.takeOver(directory, WHAT, false)) {
            Files.writeString(ours.path().resolve("PG_VERSION"), "18\n");
            Durable.sync(directory, new Cancellation());

            assertThat(another(directory)).isEqualTo(FailureKind.REFUSED.exitStatus());
        }
        assertThat(another(directory)).isZero();
    }

    private static int another(Path directory) {
        try (ChildJvm child = ChildJvm.start(TakeOverChild.class, directory.toString(), WHAT)) {
            return child.exitStatus();
        }
    }
}
