package io.nightshift.infra.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.StorageSet;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who pins a backup that is about to be deleted either saves it or sees that it is too late. */
class ExpiryTest {

    private static final Instant NOW = Instant.parse("2026-11-28T03:00:00Z");

    @TempDir
    private Path directory;

    private DirectoryStorage storage;
    private BackupLabel label;

    @BeforeEach
    void publish() {
        storage = new DirectoryStorage("local", directory);
        label = Backups.publish(new StorageSet(List.of(storage)), "20261122T010000Z-full-r8f3")
                .label();
    }

    private PinNote pin() {
        return PinNote.pin(label, NOW, "audit", NOW.plus(Duration.ofDays(1)));
    }

    private List<StoredBackup> backups() {
        return new BackupCatalog(List.of(storage)).backups();
    }

    @Test
    void a_pin_that_comes_before_the_mark_saves_the_backup_and_leaves_no_mark() {
        boolean gone = Expiry.expire(storage, Backups.PATHS, label, null, () -> pin().write(storage, Backups.PATHS));

        assertThat(gone).isFalse();
        assertThat(backups()).hasSize(1);
        assertThat(Expiry.isMarked(storage, Backups.PATHS, label)).isFalse();
    }

    @Test
    void who_pins_after_the_mark_finds_the_mark() {
        Runnable tooLate = () -> {
            if (Expiry.isMarked(storage, Backups.PATHS, label)) {
                pin().write(storage, Backups.PATHS);
                assertThat(Expiry.isMarked(storage, Backups.PATHS, label)).isTrue();
            }
        };

        boolean gone = Expiry.expire(storage, Backups.PATHS, label, null, tooLate);

        assertThat(gone).isTrue();
        assertThat(backups()).isEmpty();
    }

    @Test
    void a_pin_that_the_decision_knew_saves_nothing() {
        PinNote known = PinNote.pin(label, NOW.minus(Duration.ofDays(9)), "audit", NOW);
        known.write(storage, Backups.PATHS);

        assertThat(Expiry.expire(storage, Backups.PATHS, label, known, () -> {}))
                .isTrue();
        assertThat(storage.list("")).isEmpty();
    }

    @Test
    void a_pin_that_was_taken_back_in_another_storage_saves_nothing() {
        pin().write(storage, Backups.PATHS);
        PinNote removed = PinNote.unpin(label, NOW.plusSeconds(1), "over");

        assertThat(Expiry.expire(storage, Backups.PATHS, label, removed, () -> {}))
                .isTrue();
    }
}
