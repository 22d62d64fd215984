package io.nightshift.infra.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.FaultyStorage;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BackupRepairTest {

    private static final BackupLabel LABEL = Backups.label("20261122T010000Z-full-r8f3");

    @TempDir
    private Path directory;

    private DirectoryStorage storage(String name) {
        DirectoryStorage storage = new DirectoryStorage(name, directory.resolve(name));
        storage.prepare();
        return storage;
    }

    private static BackupCopy copy(Storage storage) {
        return BackupCopy.find(storage, Backups.PATHS.cluster(), LABEL).orElseThrow();
    }

    @Test
    void a_source_that_cannot_be_read_does_not_end_the_repair() throws IOException {
        DirectoryStorage near = storage("near");
        DirectoryStorage far = storage("far");
        DirectoryStorage third = storage("third");
        Backups.publish(StorageSet.of(near, far, third), LABEL.toString());
        String base = Backups.PATHS.object(LABEL, "base.tar.zst");
        Files.write(directory.resolve("near").resolve(base), new byte[100]);
        Storage bad = new FaultyStorage(far).badSector(base);

        List<BackupRepair.Replaced> replaced = new BackupRepair(
                        copy(near),
                        Stream.of(bad, third).map(BackupRepairTest::copy).toList(),
                        new Cancellation(),
                        () -> {})
                .repair();

        assertThat(replaced).containsExactly(new BackupRepair.Replaced(base, "third"));
        assertThat(directory.resolve("near").resolve(base))
                .hasSameBinaryContentAs(directory.resolve("third").resolve(base));
    }
}
