package io.nightshift.infra.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.server.ChildJvm;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.FaultyStorage;
import io.nightshift.infra.storage.Storage;
import io.nightshift.infra.storage.StorageFailures;
import io.nightshift.infra.storage.StorageSet;
import io.nightshift.infra.storage.StoredObject;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NewBackupTest {

    private static final BackupLabel LABEL = BackupLabel.parse("20261122T010000Z-full-r8f3");

    @TempDir
    private Path temporary;

    private final ArchiveCompressor compressor = new ArchiveCompressor(1, 1);
    private FaultyStorage near;
    private FaultyStorage far;
    private StorageSet storages;

    @BeforeEach
    void prepare() {
        near = new FaultyStorage(directory("near"));
        far = new FaultyStorage(directory("far"));
        storages = StorageSet.of(near, far);
    }

    @AfterEach
    void close() {
        compressor.close();
    }

    @Test
    void exists_from_its_backup_json_on() {
        var catalog = new BackupCatalog(List.of(near, far));
        try (NewBackup backup = begin()) {
            BackupDocument document = write(backup);

            assertThat(catalog.backups()).isEmpty();
            publish(document);

            assertPublishedEverywhere(document);
        }
        assertThat(near.list("")
                        .map(object -> object.name().substring(object.name().lastIndexOf('/') + 1)))
                .containsExactly("backup.json", "backup_manifest", "base.tar.zst", "writing.json");
    }

    @Test
    void refuses_a_label_that_is_taken() {
        begin().close();

        assertThatThrownBy(this::begin)
                .isInstanceOfSatisfying(
                        NightshiftException.class,
                        refused ->
                                assertThat(StorageFailures.isExisting(refused)).isTrue());
    }

    @Test
    void does_not_publish_when_the_lease_was_lost_at_the_last_moment() {
        try (NewBackup backup = begin()) {
            BackupDocument document = write(backup);

            assertThatThrownBy(() -> NewBackup.publish(storages, document, () -> {
                        throw new NightshiftException(FailureKind.REFUSED, "run 42 was taken over by night-2");
                    }))
                    .hasMessage("run 42 was taken over by night-2");
        }

        assertThat(new BackupCatalog(List.of(near, far)).backups()).isEmpty();
        assertThat(new BackupCatalog(List.of(near, far)).debris()).hasSize(2);
    }

    @Test
    void publishing_again_is_harmless() {
        try (NewBackup backup = begin()) {
            BackupDocument document = write(backup);
            publish(document);
            List<StoredObject> before = storages.list("").toList();

            publish(document);

            assertThat(storages.list("")).containsExactlyElementsOf(before);
            assertPublishedEverywhere(document);
        }
    }

    @Test
    void refuses_another_document_under_the_same_label_before_anything_is_written() {
        try (NewBackup backup = begin()) {
            BackupDocument document = write(backup);
            NewBackup.publish(StorageSet.of(far), document, () -> {});
            BackupDocument other = Backups.document(LABEL, List.of(), document.manifest());

            assertThatThrownBy(() -> publish(other))
                    .isInstanceOfSatisfying(
                            NightshiftException.class,
                            refused -> assertThat(refused.kind()).isEqualTo(FailureKind.REFUSED))
                    .hasMessage("object " + Backups.PATHS.object(LABEL, "backup.json")
                            + " in storage far is there already and says something else");

            assertThat(new BackupCatalog(List.of(near)).backups()).isEmpty();
            assertThat(new BackupCatalog(List.of(far)).backups())
                    .extracting(StoredBackup::document)
                    .containsExactly(Optional.of(document));
        }
    }

    @Test
    void publishing_again_completes_what_a_failing_storage_interrupted() {
        try (NewBackup backup = begin()) {
            BackupDocument document = write(backup);
            far.failOnce(FaultyStorage.Call.COMMIT, 1, FailureKind.STORAGE_UNAVAILABLE);
            assertThatThrownBy(() -> publish(document)).hasMessageContaining("in storage far");

            publish(document);

            assertPublishedEverywhere(document);
        }
    }

    @Test
    void publishing_again_completes_what_a_crash_between_two_storages_interrupted() {
        assertThat(child("backup.after-publish")).isEqualTo(CrashPoint.EXIT_STATUS);
        BackupDocument document =
                new BackupCatalog(List.of(near)).backups().get(0).document().orElseThrow();
        assertThat(new BackupCatalog(List.of(far)).backups()).isEmpty();

        publish(document);

        assertPublishedEverywhere(document);
    }

    @Test
    void gives_the_space_back_when_it_is_discarded() {
        NewBackup backup = begin();
        write(backup);
        ArchiveWriter unfinished = backup.archive("16575.tar", "/mnt/fast", ManifestChecksum.NONE);
        unfinished.write(new TestTar().file("a", new byte[1000]).end(), 0, 1000);

        backup.discard();

        assertThat(storages.list("").map(StoredObject::name)).isEmpty();
    }

    @Test
    void never_discards_where_it_was_published() {
        NewBackup backup = begin();
        BackupDocument document = write(backup);
        far.failOnce(FaultyStorage.Call.COMMIT, 1, FailureKind.STORAGE_UNAVAILABLE);
        assertThatThrownBy(() -> publish(document)).hasMessageContaining("in storage far");

        backup.discard();

        assertThat(far.list("").map(StoredObject::name)).isEmpty();
        assertThat(new BackupCatalog(List.of(near)).backups()).allMatch(StoredBackup::isRestorable);
    }

    @ParameterizedTest
    @CsvSource({"backup.after-marker,0,1", "backup.before-publish,0,1", "backup.after-publish,1,0", "'',1,0"})
    void dies_into_debris_or_a_whole_backup(String crashAt, int backups, int debris) {
        int status = child(crashAt);

        var catalog = new BackupCatalog(List.of(near));
        assertThat(status).isEqualTo(crashAt.isEmpty() ? 0 : CrashPoint.EXIT_STATUS);
        assertThat(catalog.backups()).hasSize(backups).allMatch(StoredBackup::isRestorable);
        assertThat(catalog.debris()).hasSize(debris);
    }

    private void publish(BackupDocument document) {
        NewBackup.publish(storages, document, () -> {});
    }

    /** Each storage alone shows the backup, whole and as it was described. */
    private void assertPublishedEverywhere(BackupDocument document) {
        for (Storage storage : List.of(near, far)) {
            assertThat(new BackupCatalog(List.of(storage)).backups())
                    .as("storage %s", storage.name())
                    .singleElement()
                    .satisfies(found -> {
                        assertThat(found.document()).contains(document);
                        assertThat(found.isRestorable()).isTrue();
                    });
        }
    }

    private int child(String crashAt) {
        try (var child = ChildJvm.start(
                BackupChild.class,
                Map.of("NIGHTSHIFT_CRASH_AT", crashAt),
                temporary.resolve("near").toString(),
                temporary.resolve("far").toString())) {
            return child.exitStatus();
        }
    }

    @Test
    void says_every_hour_that_it_is_alive() {
        Instant began = Backups.MARKER.since();
        try (NewBackup backup = begin()) {
            backup.renewIfDue(began.plus(Duration.ofMinutes(59)));
            List<String> early = names();
            backup.renewIfDue(began.plus(Duration.ofHours(30)));
            backup.renewIfDue(began.plus(Duration.ofHours(30)).plusSeconds(1));

            assertThat(early).containsExactly("writing.json");
            assertThat(names()).containsExactly("writing-20261123T070000Z.json", "writing.json");
            assertThat(new BackupCatalog(List.of(near)).debris().get(0).marker())
                    .hasValueSatisfying(
                            marker -> assertThat(marker.since()).isEqualTo(began.plus(Duration.ofHours(30))));
        }
    }

    private List<String> names() {
        return near.list("")
                .map(object -> object.name().substring(object.name().lastIndexOf('/') + 1))
                .toList();
    }

    private NewBackup begin() {
        return NewBackup.begin(storages, Backups.PATHS, LABEL, Backups.MARKER, compressor);
    }

    private static BackupDocument write(NewBackup backup) {
        Map<String, TestTar> archives = Map.of("base.tar", new TestTar().file("a", new byte[5000]));
        return Backups.write(
                backup, archives, Backups.manifest(archives, ManifestChecksum.CRC32C), ManifestChecksum.CRC32C);
    }

    private Storage directory(String name) {
        var storage = new DirectoryStorage(name, temporary.resolve(name));
        storage.prepare();
        return storage;
    }
}
