package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.BackupDocument;
import io.nightshift.infra.backup.BackupLabel;
import io.nightshift.infra.backup.BackupPaths;
import io.nightshift.infra.backup.BackupType;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.backup.StoredBackup.Copy;
import io.nightshift.infra.backup.StoredBackup.State;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.run.RunId;
import io.nightshift.infra.wal.WalLineage;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ParentChoiceTest {

    private static final BackupPaths PATHS =
            new BackupPaths("chanuka", 18, SystemIdentifier.parse("7711071849857489922"));
    private static final Instant BEGAN = Instant.parse("2026-11-22T01:00:00Z");
    private static final ChainedBackupSettings SETTINGS = ChainedBackupSettings.defaults();

    private final List<StoredBackup> backups = new ArrayList<>();

    private StoredBackup add(int hour, BackupType type, StoredBackup parent) {
        return add(hour, type, parent, new Timeline(1), "on", Map.of("local", new Copy(State.OK, "")));
    }

    private StoredBackup add(
            int hour,
            BackupType type,
            StoredBackup parent,
            Timeline timeline,
            String checksums,
            Map<String, Copy> copies) {
        Instant startedAt = BEGAN.plus(Duration.ofHours(hour));
        var label = new BackupLabel(startedAt, type, "r8f3");
        var document = new BackupDocument(
                BackupDocument.FORMAT_VERSION,
                label,
                "chanuka",
                type,
                parent == null ? null : parent.label(),
                PATHS.systemIdentifier(),
                18,
                timeline,
                new Lsn(hour * 1000L + 1000),
                new Lsn(hour * 1000L + 1500),
                BackupDocument.Wal.INCLUDED,
                List.of(),
                new BackupDocument.Manifest("backup_manifest", 1, ""),
                null,
                1,
                1,
                startedAt,
                startedAt.plusSeconds(60),
                new BackupDocument.Method("fast", "zstd:3", ManifestChecksum.CRC32C),
                new BackupDocument.Source(
                        "18.6", false, List.of(), Map.of("data_checksums", checksums), List.of(), List.of()),
                Map.of(),
                new RunId(1),
                "night-1",
                "test");
        var backup = new StoredBackup(PATHS, label, Optional.of(document), copies);
        backups.add(backup);
        return backup;
    }

    private ParentChoice choose(BackupType type, WalLineage lineage, int hour, String... storages) {
        return ParentChoice.of(
                new ParentChoice.Wanted(
                        type,
                        lineage,
                        "on",
                        storages.length == 0 ? List.of("local") : List.of(storages),
                        BEGAN.plus(Duration.ofHours(hour))),
                backups,
                SETTINGS);
    }

    private ParentChoice choose(BackupType type, int hour) {
        return choose(type, WalLineage.of(new Timeline(1)), hour);
    }

    @Test
    void the_newest_backup_is_built_on_and_a_differential_builds_on_the_newest_full() {
        StoredBackup first = add(0, BackupType.FULL, null);
        StoredBackup full = add(1, BackupType.FULL, null);
        StoredBackup newest = add(2, BackupType.INCREMENTAL, full);

        assertThat(choose(BackupType.INCREMENTAL, 3)).isEqualTo(new ParentChoice(newest, List.of()));
        assertThat(choose(BackupType.DIFFERENTIAL, 3)).isEqualTo(new ParentChoice(full, List.of()));
        backups.remove(full);
        ParentChoice broken = choose(BackupType.INCREMENTAL, 3);
        assertThat(broken.parent()).isEqualTo(first);
        assertThat(broken.reasons())
                .singleElement()
                .asString()
                .startsWith("backup 20261122T030000Z-incremental-r8f3 is broken: ")
                .contains("20261122T020000Z-full-r8f3 is in no storage");
    }

    @Test
    void without_any_backup_there_is_nothing_to_build_on() {
        assertThat(choose(BackupType.INCREMENTAL, 0).reasons()).containsExactly("there is no backup yet");
        assertThat(choose(BackupType.DIFFERENTIAL, 0).reasons()).containsExactly("there is no full backup yet");
    }

    @Test
    void a_backup_must_be_whole_in_every_storage_and_so_must_all_it_needs() {
        Map<String, Copy> both = Map.of("local", new Copy(State.OK, ""), "far", new Copy(State.OK, ""));
        StoredBackup whole = add(0, BackupType.FULL, null, new Timeline(1), "on", both);
        StoredBackup half = add(
                1,
                BackupType.FULL,
                null,
                new Timeline(1),
                "on",
                Map.of("local", new Copy(State.OK, ""), "far", new Copy(State.MISSING, "no objects")));
        add(2, BackupType.INCREMENTAL, half, new Timeline(1), "on", both);

        ParentChoice choice = choose(BackupType.INCREMENTAL, WalLineage.of(new Timeline(1)), 3, "local", "far");

        assertThat(choice.parent()).isEqualTo(whole);
        assertThat(choice.reasons())
                .containsExactly(
                        "backup 20261122T030000Z-incremental-r8f3 needs 20261122T020000Z-full-r8f3, which is not whole in"
                                + " storage far: no objects",
                        "backup 20261122T020000Z-full-r8f3 is not whole in storage far: no objects");
    }

    @Test
    void a_backup_of_a_branch_that_was_given_up_is_not_built_on() {
        StoredBackup before = add(0, BackupType.FULL, null);
        add(1, BackupType.INCREMENTAL, before);
        WalLineage promoted =
                WalLineage.of(new Timeline(2), "1\t0/6E0\tno recovery target\n".getBytes(StandardCharsets.UTF_8));

        ParentChoice choice = choose(BackupType.INCREMENTAL, promoted, 2);

        assertThat(choice.parent()).isEqualTo(before);
        assertThat(choice.reasons())
                .containsExactly(
                        "backup 20261122T020000Z-incremental-r8f3 ended at 0/9C4 on timeline 1, which is not on the"
                                + " way to timeline 2");
    }

    @Test
    void a_full_backup_is_due_when_the_last_one_is_old_or_the_chain_is_long() {
        StoredBackup link = add(0, BackupType.FULL, null);
        for (int hour = 1; hour < SETTINGS.maxChain(); hour++) {
            assertThat(choose(BackupType.INCREMENTAL, hour).parent()).isEqualTo(link);
            link = add(hour, BackupType.INCREMENTAL, link);
        }

        assertThat(choose(BackupType.INCREMENTAL, 20))
                .isEqualTo(new ParentChoice(null, List.of("the chain has 14 backups, and max-chain is 14")));
        assertThat(choose(BackupType.DIFFERENTIAL, 20).parent()).isNotNull();
        assertThat(choose(BackupType.DIFFERENTIAL, 7 * 24 - 2).parent()).isNotNull();
        assertThat(choose(BackupType.DIFFERENTIAL, 7 * 24 - 1))
                .isEqualTo(new ParentChoice(
                        null, List.of("the last full backup began at 2026-11-22T01:00:00Z, and full-every is 7d")));
    }

    @Test
    void checksums_that_were_switched_since_need_a_full_backup() {
        add(0, BackupType.FULL, null, new Timeline(1), "off", Map.of("local", new Copy(State.OK, "")));

        assertThat(choose(BackupType.INCREMENTAL, 1).reasons())
                .containsExactly(
                        "backup 20261122T010000Z-full-r8f3 was taken with data checksums off, which are on now");
    }
}
