package io.nightshift.infra.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.replication.TestManifest;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.FaultyStorage;
import io.nightshift.infra.storage.StorageSet;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class BackupVerifierTest {

    @TempDir
    private Path temporary;

    private final BackupVerifier verifier = new BackupVerifier(2);
    private final Progress progress = new Progress();
    private final Cancellation cancellation = new Cancellation();
    private DirectoryStorage storage;

    @BeforeEach
    void prepare() {
        storage = new DirectoryStorage("local", temporary);
    }

    @ParameterizedTest
    @EnumSource
    void finds_nothing_wrong_with_a_sound_backup_whatever_its_checksums(ManifestChecksum algorithm) {
        Map<String, TestTar> cluster = Backups.cluster(new Random(1));
        BackupDocument document =
                backup("20261122T010000Z-full-r8f3", cluster, Backups.manifest(cluster, algorithm), algorithm);

        Verification verification = verify(document);

        assertThat(verification.damages()).isEmpty();
        assertThat(verification.isSound()).isTrue();
        assertThat(verification.files()).isEqualTo(107);
    }

    @Test
    void notices_a_flipped_byte_anywhere_and_names_the_files() throws IOException {
        BackupDocument document = cluster(2);
        var random = new Random(2);
        for (String name : List.of("base.tar.zst", "16575.tar.zst")) {
            ArchiveIndex index =
                    ArchiveReader.open(storage, object(document, name)).index().orElseThrow();
            for (int round = 0; round < 8 * Effort.number(); round++) {
                ArchiveFrame frame = index.frame(random.nextInt(index.frameCount()));
                int at = (int) frame.storedOffset() + random.nextInt(frame.storedLength());
                flip(document, name, at);

                List<Damage> damages = verify(document).damages();

                assertThat(damages).isNotEmpty().allSatisfy(damage -> {
                    assertThat(damage.object()).isEqualTo(object(document, name));
                    assertThat(at).isBetween((int) damage.from(), (int) damage.to() - 1);
                    assertThat(damage.what()).isEqualTo("its checksum does not match");
                });
                assertThat(damages).extracting(Damage::path).containsExactlyElementsOf(touching(index, name, frame));
                flip(document, name, at);
            }
        }
        assertThat(verify(document).isSound()).isTrue();
    }

    @Test
    void says_that_only_the_index_is_damaged() throws IOException {
        BackupDocument document = cluster(3);
        long size = storage.stat(object(document, "base.tar.zst")).orElseThrow().bytes();

        for (int fromEnd : new int[] {1, 30, 64, 100}) {
            flip(document, "base.tar.zst", (int) size - fromEnd);

            Verification verification = verify(document);

            assertThat(verification.damages()).hasSize(1);
            assertThat(verification.damages().get(0).what()).endsWith("all files are readable without it");
            assertThat(verification.files()).isEqualTo(107);
            flip(document, "base.tar.zst", (int) size - fromEnd);
        }
    }

    @Test
    void notices_damage_in_the_frame_around_the_index() throws IOException {
        BackupDocument document = cluster(3);
        long start = ArchiveReader.open(storage, object(document, "base.tar.zst"))
                .index()
                .orElseThrow()
                .indexOffset();

        for (int at = 0; at < IndexTrailer.FRAME_HEADER; at++) {
            flip(document, "base.tar.zst", (int) start + at);

            assertThat(verify(document).damages()).as("byte %s", at).hasSize(1).allSatisfy(damage -> {
                assertThat(damage.from()).isEqualTo(start);
                assertThat(damage.what()).startsWith("the header of the index is damaged");
            });
            flip(document, "base.tar.zst", (int) start + at);
        }
    }

    @Test
    void notices_a_truncated_archive_wherever_it_was_cut() throws IOException {
        BackupDocument document = cluster(4);
        Path file = file(document, "base.tar.zst");
        byte[] whole = Files.readAllBytes(file);

        for (int length : new int[] {0, 1, 1000, whole.length / 2, whole.length - 65, whole.length - 1}) {
            Files.write(file, Arrays.copyOf(whole, length));

            List<Damage> damages = verify(document).damages();

            assertThat(damages.get(0))
                    .isEqualTo(new Damage(
                            object(document, "base.tar.zst"),
                            length,
                            whole.length,
                            "",
                            "has " + length + " bytes, backup.json says " + whole.length));
        }
        Files.delete(file);
        assertThat(verify(document).damages())
                .extracting(Damage::what)
                .containsExactly("is missing in storage local", "105 files are lost with it, this the first by name");
    }

    @Test
    void notices_an_archive_of_another_backup() throws IOException {
        BackupDocument document = cluster(5);
        BackupDocument other = backup(
                "20261122T020000Z-full-0000",
                Backups.cluster(new Random(6)),
                Backups.manifest(Backups.cluster(new Random(6)), ManifestChecksum.CRC32C),
                ManifestChecksum.CRC32C);
        Files.copy(file(other, "base.tar.zst"), file(document, "base.tar.zst"), StandardCopyOption.REPLACE_EXISTING);

        assertThat(verify(document).damages())
                .anySatisfy(damage -> assertThat(damage.what()).contains("backup.json says"))
                .anySatisfy(damage -> assertThat(damage.what()).contains("the manifest says"));
        assertThat(verify(other).isSound()).isTrue();
    }

    @Test
    void compares_every_file_with_the_manifest() {
        Map<String, TestTar> cluster = Backups.cluster(new Random(7));
        TestManifest manifest = Backups.manifest(cluster, ManifestChecksum.CRC32C)
                .file(bytes("backup_label"), 31, ManifestChecksum.CRC32C, "00000000")
                .file(bytes("empty"), 0, ManifestChecksum.CRC32C, "00000001")
                .file(bytes("base/5/lost"), 8192, ManifestChecksum.CRC32C, "00000000")
                .without(bytes("base/5/large"));

        Verification verification =
                verify(backup("20261122T010000Z-full-r8f3", cluster, manifest, ManifestChecksum.CRC32C));

        Map<String, String> found = new LinkedHashMap<>();
        verification.damages().forEach(damage -> found.put(damage.path(), damage.what()));
        assertThat(found)
                .containsOnly(
                        Map.entry("backup_label", "has 30 bytes, the manifest says 31"),
                        Map.entry("empty", "has the CRC32C 00000000, the manifest says 00000001"),
                        Map.entry("base/5/large", "is not in the manifest, or twice in the backup"),
                        Map.entry("base/5/lost", "is in the manifest but not in the backup"));
    }

    @Test
    void knows_files_whose_names_are_no_utf8() {
        byte[] name = {'b', 'a', 's', 'e', '/', (byte) 0xE9, (byte) 0xFF};
        Map<String, TestTar> cluster = Map.of(
                "base.tar",
                new TestTar()
                        .file(MemberPath.decode(name), new byte[] {1})
                        .file("base/é", new byte[] {2})
                        .file(Backups.WAL, Backups.wal(new Random(1))));
        TestManifest manifest = Backups.manifest(cluster, ManifestChecksum.CRC32C);
        BackupDocument sound = backup("20261122T010000Z-full-r8f3", cluster, manifest, ManifestChecksum.CRC32C);
        BackupDocument changed = backup(
                "20261122T020000Z-full-0000",
                cluster,
                manifest.file(name, 2, ManifestChecksum.CRC32C, "00000000"),
                ManifestChecksum.CRC32C);

        assertThat(verify(sound).isSound()).isTrue();
        assertThat(verify(sound).files()).isEqualTo(2);
        assertThat(verify(changed).damages())
                .extracting(Damage::path, Damage::what)
                .containsExactly(tuple(MemberPath.decode(name), "has 1 bytes, the manifest says 2"));
    }

    @Test
    void says_what_is_wrong_with_a_manifest_that_was_stored_so() {
        Map<String, TestTar> cluster = Backups.cluster(new Random(12));
        TestManifest manifest = Backups.manifest(cluster, ManifestChecksum.CRC32C)
                .file(bytes("base/5/odd"), 1, ManifestChecksum.CRC32C, "0000");

        BackupDocument document = backup("20261122T010000Z-full-r8f3", cluster, manifest, ManifestChecksum.CRC32C);

        assertThat(verify(document).damages())
                .extracting(Damage::object, Damage::what)
                .containsExactly(tuple(
                        object(document, "backup_manifest"),
                        "damaged backup manifest: file base/5/odd has a checksum that is not CRC32C"));
    }

    @Test
    void accepts_what_no_manifest_lists() {
        Map<String, TestTar> cluster = Backups.cluster(new Random(8));
        TestManifest manifest = Backups.manifest(cluster, ManifestChecksum.CRC32C);
        for (String extra : List.of("standby.signal", "postgresql.auto.conf", "pg_wal/00000002.history")) {
            cluster.get("base.tar").file(extra, new byte[] {1});
        }

        assertThat(verify(backup("20261122T010000Z-full-r8f3", cluster, manifest, ManifestChecksum.CRC32C))
                        .damages())
                .isEmpty();
    }

    @Test
    void notices_a_changed_manifest() throws IOException {
        BackupDocument document = cluster(9);
        flip(document, "backup_manifest", 20);

        assertThat(verify(document).damages()).hasSize(1).allSatisfy(damage -> {
            assertThat(damage.object()).isEqualTo(object(document, "backup_manifest"));
            assertThat(damage.what()).contains("bytes with the SHA-256");
        });

        Files.delete(file(document, "backup_manifest"));
        assertThat(verify(document).damages()).extracting(Damage::what).containsExactly("is missing in storage local");
    }

    @Test
    void notices_the_control_file_of_another_cluster() {
        Map<String, TestTar> cluster = Map.of(
                "base.tar",
                new TestTar().file("global/pg_control", new byte[8192]).file(Backups.WAL, Backups.wal(new Random(1))));

        assertThat(verify(backup(
                                "20261122T010000Z-full-r8f3",
                                cluster,
                                Backups.manifest(cluster, ManifestChecksum.CRC32C),
                                ManifestChecksum.CRC32C))
                        .damages())
                .extracting(Damage::what)
                .containsExactly("belongs to the system identifier 0, this backup to 7711071849857489922");
    }

    @Test
    void throws_when_the_storage_fails_instead_of_calling_that_damage() {
        BackupDocument document = cluster(10);
        var faulty = new FaultyStorage(storage).failFrom(FaultyStorage.Call.READ, 20, FailureKind.STORAGE_UNAVAILABLE);

        assertThatThrownBy(() -> verifier.verify(faulty, document, progress, cancellation))
                .isInstanceOfSatisfying(
                        NightshiftException.class,
                        failure -> assertThat(failure.kind()).isEqualTo(FailureKind.STORAGE_UNAVAILABLE));
    }

    @Test
    void tells_how_far_it_is_and_stops_when_asked() {
        BackupDocument document = cluster(11);

        verify(document);

        assertThat(progress.snapshot().done()).isPositive().isLessThanOrEqualTo(document.storedBytes());
        cancellation.cancel("stopped by operator");
        assertThatThrownBy(() -> verify(document))
                .isInstanceOfSatisfying(
                        NightshiftException.class,
                        failure -> assertThat(failure.kind()).isEqualTo(FailureKind.CANCELLED));
    }

    private static byte[] bytes(String path) {
        return path.getBytes(StandardCharsets.UTF_8);
    }

    private Verification verify(BackupDocument document) {
        return verifier.verify(storage, document, progress, cancellation);
    }

    private BackupDocument cluster(int seed) {
        Map<String, TestTar> cluster = Backups.cluster(new Random(seed));
        return backup(
                "20261122T010000Z-full-r8f3",
                cluster,
                Backups.manifest(cluster, ManifestChecksum.CRC32C),
                ManifestChecksum.CRC32C);
    }

    private BackupDocument backup(
            String label, Map<String, TestTar> cluster, TestManifest manifest, ManifestChecksum algorithm) {
        try (var compressor = new ArchiveCompressor(1, 2);
                NewBackup backup = NewBackup.begin(
                        StorageSet.of(storage), Backups.PATHS, BackupLabel.parse(label), Backups.MARKER, compressor)) {
            BackupDocument document = Backups.write(backup, cluster, manifest, algorithm);
            NewBackup.publish(StorageSet.of(storage), document, () -> {});
            return document;
        }
    }

    private static List<String> touching(ArchiveIndex index, String name, ArchiveFrame frame) {
        List<String> paths = new ArrayList<>();
        for (ArchiveMember member : index.members()) {
            if (member.headerOffset() < frame.rawEnd() && member.endOffset() > frame.rawOffset()) {
                paths.add(ArchivePlace.of(name.replace(".zst", "")).manifestPath(member.path()));
            }
        }
        return paths.isEmpty() ? List.of("") : paths;
    }

    private void flip(BackupDocument document, String name, int at) throws IOException {
        byte[] bytes = Files.readAllBytes(file(document, name));
        bytes[at] ^= 0x20;
        Files.write(file(document, name), bytes);
    }

    private Path file(BackupDocument document, String name) {
        return temporary.resolve(object(document, name));
    }

    private static String object(BackupDocument document, String name) {
        return document.paths().object(document.label(), name);
    }
}
