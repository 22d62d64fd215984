package io.nightshift.infra.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.backup.StoredBackup.State;
import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.run.RunId;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.FaultyStorage;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageSet;
import io.nightshift.infra.storage.StoredObjectWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BackupCatalogTest {

    private static final String FIRST = "20261120T010000Z-full-aaaa";
    private static final String SECOND = "20261121T010000Z-incremental-bbbb";

    @TempDir
    private Path temporary;

    private FaultyStorage near;
    private FaultyStorage far;
    private BackupCatalog catalog;

    @BeforeEach
    void prepare() {
        near = new FaultyStorage(directory("near"));
        far = new FaultyStorage(directory("far"));
        catalog = new BackupCatalog(List.of(near, far));
    }

    @Test
    void lists_what_the_storages_hold_oldest_first() {
        BackupDocument second = Backups.publish(StorageSet.of(near, far), SECOND);
        BackupDocument first = Backups.publish(StorageSet.of(near, far), FIRST);

        List<StoredBackup> backups = catalog.backups("chanuka");

        assertThat(backups)
                .extracting(backup -> backup.document().orElseThrow())
                .containsExactly(first, second);
        assertThat(backups).allMatch(StoredBackup::isRestorable);
        assertThat(backups)
                .allSatisfy(backup -> assertThat(backup.storages(State.OK)).containsOnly("near", "far"));
        assertThat(catalog.backups()).isEqualTo(backups);
        assertThat(catalog.backups("other")).isEmpty();
        assertThat(catalog.debris()).isEmpty();
    }

    @Test
    void knows_the_order_of_two_that_began_in_one_second_by_their_wal() {
        Instant second = Instant.parse("2026-11-22T01:00:00Z");
        BackupLabel before = new BackupLabel(second, BackupType.FULL, "zzzz");
        BackupLabel after = new BackupLabel(second, BackupType.FULL, "aaaa");
        Backups.publish(StorageSet.of(near), after, null, second, Lsn.parse("0/3000000"), Lsn.parse("0/3000100"));
        Backups.publish(StorageSet.of(near), before, null, second, Lsn.parse("0/2000000"), Lsn.parse("0/2000100"));

        assertThat(catalog.backups("chanuka")).extracting(StoredBackup::label).containsExactly(before, after);
    }

    @Test
    void tells_missing_and_half_copied_backups_from_good_ones() {
        Backups.publish(StorageSet.of(near), FIRST);
        Backups.publish(StorageSet.of(near, far), SECOND);
        far.delete(object(SECOND, "backup.json"));

        List<StoredBackup> backups = catalog.backups("chanuka");

        assertThat(backups).hasSize(2);
        assertThat(backups.get(0).copies().get("far").state()).isEqualTo(State.MISSING);
        assertThat(backups.get(1).copies().get("far").state()).isEqualTo(State.COPYING);
        assertThat(backups).allMatch(StoredBackup::isRestorable);
    }

    @Test
    void shows_a_backup_whose_backup_json_is_damaged() throws IOException {
        Backups.publish(StorageSet.of(near), FIRST);
        Backups.publish(StorageSet.of(near), SECOND);
        Path json = temporary.resolve("near").resolve(object(FIRST, "backup.json"));
        byte[] bytes = Files.readAllBytes(json);
        bytes[100] ^= 1;
        Files.write(json, bytes);

        List<StoredBackup> backups = catalog.backups("chanuka");

        assertThat(backups).extracting(backup -> backup.label().toString()).containsExactly(FIRST, SECOND);
        assertThat(backups.get(0).document()).isEmpty();
        assertThat(backups.get(0).copies().get("near"))
                .isEqualTo(new StoredBackup.Copy(State.DAMAGED, "the checksum of backup.json does not match"));
        assertThat(backups.get(1).isRestorable()).isTrue();
        assertThat(catalog.debris()).isEmpty();
    }

    @Test
    void sees_objects_that_are_missing_or_of_another_size() throws IOException {
        Backups.publish(StorageSet.of(near), FIRST);
        Backups.publish(StorageSet.of(near), SECOND);
        near.delete(object(FIRST, "backup_manifest"));
        Path archive = temporary.resolve("near").resolve(object(SECOND, "base.tar.zst"));
        byte[] bytes = Files.readAllBytes(archive);
        Files.write(archive, Arrays.copyOf(bytes, bytes.length - 1));

        List<StoredBackup> backups = catalog.backups("chanuka");

        assertThat(backups.get(0).copies().get("near").reason()).isEqualTo("backup_manifest is missing");
        assertThat(backups.get(1).copies().get("near").reason())
                .isEqualTo("base.tar.zst has " + (bytes.length - 1) + " bytes instead of " + bytes.length);
        assertThat(backups).noneMatch(StoredBackup::isRestorable);
    }

    @Test
    void shows_what_the_last_reading_back_has_found_whatever_its_note_looks_like() {
        BackupDocument document = Backups.publish(StorageSet.of(near, far), FIRST);
        List<Damage> damages = List.of(new Damage("x/base.tar.zst", 5, 9, "", "is wrong"));
        var sound = new Verification("near", document.label(), 10, 1, List.of());
        var damaged = new Verification("near", document.label(), 10, 1, damages);
        String reason = "read back at 2026-11-22T01:00:00Z: x/base.tar.zst bytes 5 to 9: is wrong";

        VerificationNote.write(near, document.paths(), damaged, Backups.NOW);
        StoredBackup.Copy afterDamage = copy("near");
        VerificationNote.write(near, document.paths(), sound, Backups.NOW);
        StoredBackup.Copy atTheSameSecond = copy("near");
        VerificationNote.write(near, document.paths(), sound, Backups.NOW.plusSeconds(1));
        StoredBackup.Copy afterRepair = copy("near");
        put(near, object(FIRST, "notes/20261122T020000Z-damaged.json"), "garbage");
        put(near, object(FIRST, "notes/20269922T020000Z-damaged.json"), "garbage");
        put(near, object(FIRST, "notes/pinned.json"), "");

        assertThat(afterDamage).isEqualTo(new StoredBackup.Copy(State.DAMAGED, reason, Backups.NOW));
        assertThat(atTheSameSecond).isEqualTo(afterDamage);
        assertThat(afterRepair).isEqualTo(new StoredBackup.Copy(State.OK, "", Backups.NOW.plusSeconds(1)));
        assertThat(copy("near").reason()).isEqualTo("read back at 2026-11-22T02:00:00Z: its note is not readable");
        assertThat(copy("far")).isEqualTo(new StoredBackup.Copy(State.OK, "", null));
    }

    @Test
    void shows_what_the_last_restore_test_has_found_whatever_its_note_looks_like() {
        BackupDocument document = Backups.publish(StorageSet.of(near, far), FIRST);

        Optional<Proof> none = proof();
        proofNote(document, Backups.NOW, List.of()).write(near, document.paths());
        proofNote(document, Backups.NOW, List.of()).write(near, document.paths());
        Optional<Proof> proven = proof();
        proofNote(document, Backups.NOW, List.of("chanuka.public.votes: block 0: torn", "and another"))
                .write(far, document.paths());
        Optional<Proof> worseInTheSameSecond = proof();
        put(near, object(FIRST, "notes/20261122T020000Z-proven.json"), "garbage");

        assertThat(none).isEmpty();
        assertThat(proven)
                .hasValue(new Proof(document.label(), Backups.NOW, true, proofNote(document, Backups.NOW, List.of())));
        assertThat(worseInTheSameSecond).map(Proof::holds).hasValue(false);
        assertThat(worseInTheSameSecond)
                .map(Proof::reason)
                .hasValue("chanuka.public.votes: block 0: torn (and 1 more)");
        assertThat(proof()).hasValue(new Proof(document.label(), Instant.parse("2026-11-22T02:00:00Z"), true, null));
        assertThat(copy("near").state()).isEqualTo(State.OK);
        assertThat(Proofs.of(catalog.backups("chanuka")).isStale(Instant.parse("2026-11-30T02:00:01Z")))
                .isTrue();
        assertThat(Proofs.of(catalog.backups("chanuka")).isStale(Instant.parse("2026-11-30T02:00:00Z")))
                .isFalse();
    }

    private Optional<Proof> proof() {
        return catalog.backups("chanuka").get(0).proof();
    }

    private static ProofNote proofNote(BackupDocument document, Instant at, List<String> findings) {
        return new ProofNote(
                ProofNote.FORMAT_VERSION,
                document.label(),
                new RunId(7),
                at,
                1,
                1.25,
                document.endLsn(),
                at.minusSeconds(60),
                90.5,
                4096L,
                120,
                240,
                0,
                0,
                true,
                List.of(),
                findings.size(),
                findings);
    }

    private StoredBackup.Copy copy(String storage) {
        return catalog.backups("chanuka").get(0).copies().get(storage);
    }

    private static void put(Storage storage, String object, String content) {
        try (StoredObjectWriter writer = storage.create(object)) {
            writer.write(content.getBytes(StandardCharsets.UTF_8));
            writer.commit();
        }
    }

    @Test
    void does_not_take_the_document_of_another_backup_for_its_own() {
        Backups.publish(StorageSet.of(near), FIRST);
        Backups.publish(StorageSet.of(near), SECOND);
        byte[] other = BackupCatalog.read(near, object(SECOND, "backup.json"));
        near.delete(object(FIRST, "backup.json"));
        try (StoredObjectWriter writer = near.create(object(FIRST, "backup.json"))) {
            writer.write(other);
            writer.commit();
        }

        assertThat(catalog.backups("chanuka").get(0).copies().get("near").reason())
                .isEqualTo("backup.json belongs to " + Backups.PATHS.backup(BackupLabel.parse(SECOND)));
    }

    @Test
    void lists_what_was_never_published_as_debris_only() {
        Backups.publish(StorageSet.of(near), FIRST);
        try (var compressor = new ArchiveCompressor(1, 1)) {
            var dead = NewBackup.begin(
                    StorageSet.of(near), Backups.PATHS, BackupLabel.parse(SECOND), Backups.MARKER, compressor);
            dead.manifest(new byte[10]);
            dead.renew(new WritingMarker("night-1", Backups.MARKER.run(), 8, Backups.NOW.plusSeconds(3600)));
            dead.close();
        }

        List<Debris> debris = catalog.debris();

        assertThat(catalog.backups()).hasSize(1);
        assertThat(debris).hasSize(1);
        assertThat(debris.get(0).label()).hasToString(SECOND);
        assertThat(debris.get(0).marker())
                .hasValueSatisfying(marker -> assertThat(marker.token()).isEqualTo(8));
        assertThat(debris.get(0).newestAt())
                .isEqualTo(near.stat(object(SECOND, "writing-20261122T020000Z.json"))
                        .orElseThrow()
                        .modifiedAt());
        assertThat(debris.get(0).objects())
                .containsExactly(
                        object(SECOND, "backup_manifest"),
                        object(SECOND, "writing-20261122T020000Z.json"),
                        object(SECOND, "writing.json"));
    }

    @Test
    void still_lists_when_one_storage_is_away_and_fails_when_all_are() {
        Backups.publish(StorageSet.of(near, far), FIRST);
        far.failFrom(FaultyStorage.Call.LIST, 1, FailureKind.STORAGE_UNAVAILABLE);

        StoredBackup backup = catalog.backups("chanuka").get(0);

        assertThat(backup.isRestorable()).isTrue();
        assertThat(backup.copies().get("far").state()).isEqualTo(State.UNKNOWN);
        near.failFrom(FaultyStorage.Call.LIST, 1, FailureKind.STORAGE_UNAVAILABLE);
        assertThatThrownBy(() -> catalog.backups("chanuka")).hasMessageContaining("in storage near");
    }

    @Test
    void passes_over_what_is_no_backup() throws IOException {
        Backups.publish(StorageSet.of(near), FIRST);
        for (String other : List.of(
                "chanuka/notes/x",
                "chanuka/99999999999-1/backups/x/backup.json",
                Backups.PATHS.backups() + "/latest/backup.json",
                Backups.PATHS.folder() + "/wal/00000001/1/2.zst",
                "installation.json")) {
            Path file = temporary.resolve("near").resolve(other);
            Files.createDirectories(file.getParent());
            Files.writeString(file, "x");
        }

        assertThat(catalog.backups()).hasSize(1);
        assertThat(catalog.debris()).isEmpty();
    }

    private static String object(String label, String name) {
        return Backups.PATHS.object(BackupLabel.parse(label), name);
    }

    private Storage directory(String name) {
        var storage = new DirectoryStorage(name, temporary.resolve(name));
        storage.prepare();
        return storage;
    }
}
