package io.nightshift.infra.restore;

import io.nightshift.infra.config.DataSize;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** Whether what is to be written fits, before anything is written. */
final class FreeSpace {

    private FreeSpace() {}

    /** RESOURCES_EXHAUSTED if a file system has less than what goes there; directories need not exist yet. */
    static void require(Map<Path, Long> bytesByDirectory) {
        Map<FileStore, Long> needed = new HashMap<>();
        bytesByDirectory.forEach((directory, bytes) -> {
            try {
                FileStore store = Files.getFileStore(TargetFailures.existing(directory));
                long all = needed.merge(store, bytes, Long::sum);
                long free = store.getUsableSpace();
                if (all > free) {
                    throw new NightshiftException(
                            FailureKind.RESOURCES_EXHAUSTED,
                            new DataSize(all).rounded() + " do not fit into " + directory + ": "
                                    + new DataSize(free).rounded() + " free",
                            "free space there, or choose another directory");
                }
            } catch (IOException failed) {
                throw TargetFailures.of(directory, failed);
            }
        });
    }
}
