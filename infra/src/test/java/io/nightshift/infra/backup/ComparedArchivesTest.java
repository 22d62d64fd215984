package io.nightshift.infra.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import io.nightshift.infra.incremental.KnownBlocks;
import io.nightshift.infra.replication.BackupManifest;
import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.replication.ManifestFile;
import io.nightshift.infra.replication.TestManifest;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.storage.DirectoryStorage;
import io.nightshift.infra.storage.StorageSet;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ComparedArchivesTest {

    private static final BackupLabel FULL = Backups.label("20261122T010000Z-full-r8f3");
    private static final BackupLabel NEXT = Backups.label("20261122T020000Z-incremental-k2m9");

    private final Random random = new Random(3);

    @TempDir
    private Path temporary;

    private DirectoryStorage storage;
    private Path work;

    @BeforeEach
    void prepare() throws IOException {
        storage = new DirectoryStorage("local", temporary.resolve("storage"));
        storage.prepare();
        work = Files.createDirectory(temporary.resolve("work"));
    }

    private BackupDocument take(
            BackupLabel label, Map<String, TestTar> cluster, TestManifest manifest, ManifestChecksum algorithm)
            throws IOException {
        try (var compressor = new ArchiveCompressor(1, 1);
                NewBackup backup =
                        NewBackup.begin(StorageSet.of(storage), Backups.PATHS, label, Backups.MARKER, compressor);
                ComparedArchives compared = label.equals(FULL)
                        ? ComparedArchives.full(backup, algorithm, work)
                        : ComparedArchives.on(known(), FULL, backup, algorithm, work)) {
            List<StoredArchive> archives = new ArrayList<>();
            for (Map.Entry<String, TestTar> sent : cluster.entrySet()) {
                ArchiveWriter writer = backup.archive(sent.getKey(), "", algorithm);
                compared.archive(sent.getKey(), writer);
                byte[] tar = sent.getValue().end();
                for (int at = 0; at < tar.length; ) {
                    int length = Math.min(1 + random.nextInt(40_000), tar.length - at);
                    compared.data(tar, at, length);
                    at += length;
                }
                compared.end();
                archives.add(writer.finish());
            }
            byte[] servers = manifest.bytes();
            compared.manifest(servers, 0, 100);
            compared.manifest(servers, 100, servers.length - 100);
            BackupDocument.Manifest stored = compared.finishManifest(backup.manifest(), archives);
            return Backups.document(
                    label,
                    archives.stream().map(BackupDocument.Archive::of).toList(),
                    stored,
                    compared.finishDigests());
        }
    }

    private KnownBlocks known() throws IOException {
        var known = new KnownBlocks(work);
        try (InputStream digests =
                new ZstdInputStreamNoFinalizer(storage.open(Backups.PATHS.object(FULL, BackupPaths.BLOCK_DIGESTS)))) {
            known.read(digests, FULL.toString(), "");
        }
        return known;
    }

    private Verification verify(BackupDocument document) {
        return new BackupVerifier(2).verify(storage, document, new Progress(), new Cancellation());
    }

    private Path object(BackupLabel label, String name) {
        return temporary.resolve("storage").resolve(Backups.PATHS.object(label, name));
    }

    private byte[] tar(BackupLabel label, String archive) throws IOException {
        return ArchiveReader.open(storage, Backups.PATHS.archive(label, archive))
                .tar()
                .readAllBytes();
    }

    private Map<String, Long> members(BackupLabel label, String archive) throws IOException {
        Map<String, Long> members = new TreeMap<>();
        try (var tar = new TarArchiveInputStream(new ByteArrayInputStream(tar(label, archive)))) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                members.put(entry.getName(), entry.getSize());
            }
        }
        return members;
    }

    /** The same files, some of them changed. */
    private static Map<String, TestTar> changed(Map<String, TestTar> cluster) {
        Map<String, TestTar> changed = new LinkedHashMap<>();
        cluster.forEach((name, tar) -> {
            var now = new TestTar();
            tar.files().forEach((path, content) -> {
                byte[] other = content.clone();
                if (path.matches("base/5/10[0-4]5|.*/24576") && other.length > 100) {
                    other[100] ^= 1;
                }
                now.file(path, other);
            });
            if (name.equals("base.tar")) {
                now.file("base/5/2000", new byte[3 * 8192])
                        .file("base/5/2000_fsm", new byte[3 * 8192])
                        .file("base/5/2000_vm", new byte[8192]);
            }
            changed.put(name, now);
        });
        return changed;
    }

    @ParameterizedTest
    @EnumSource(names = {"NONE", "SHA256"})
    void a_full_backup_is_stored_as_it_came_and_another_can_be_built_on_it(ManifestChecksum algorithm)
            throws IOException {
        Map<String, TestTar> cluster = Backups.cluster(random);
        TestManifest manifest = Backups.manifest(cluster, algorithm);
        BackupDocument full = take(FULL, cluster, manifest, algorithm);
        Map<String, TestTar> now = changed(cluster);

        BackupDocument next = take(NEXT, now, Backups.manifest(now, algorithm), algorithm);

        assertThat(tar(FULL, "base.tar")).isEqualTo(cluster.get("base.tar").end());
        assertThat(Files.readAllBytes(object(FULL, "backup_manifest"))).isEqualTo(manifest.bytes());
        Verification ofFull = verify(full);
        Verification ofNext = verify(next);
        assertThat(ofFull.damages()).isEmpty();
        assertThat(ofNext.damages()).isEmpty();
        assertThat(ofNext.digestDamages()).isEmpty();
        assertThat(ofNext.files()).isEqualTo(ofFull.files() + 3);
        try (var left = Files.list(work)) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void of_files_that_the_parent_has_only_changed_blocks_are_stored_and_the_manifest_says_so() throws IOException {
        Map<String, TestTar> cluster = Backups.cluster(random);
        take(FULL, cluster, Backups.manifest(cluster, ManifestChecksum.CRC32C), ManifestChecksum.CRC32C);
        Map<String, TestTar> now = changed(cluster);

        take(NEXT, now, Backups.manifest(now, ManifestChecksum.CRC32C), ManifestChecksum.CRC32C);

        Map<String, Long> members = members(NEXT, "base.tar");
        now.get("base.tar").files().forEach((path, content) -> {
            String changed = path.replace("base/5/", "base/5/INCREMENTAL.");
            boolean comparable = path.matches("base/5/1\\d+") && content.length > 0;
            if (comparable && members.containsKey(changed)) {
                assertThat(members.get(changed)).isIn(12L, 2L * 8192);
                assertThat(members).doesNotContainKey(path);
            } else {
                assertThat(members.get(path)).isEqualTo(content.length);
                assertThat(comparable && content.length > 8192).isFalse();
            }
        });
        assertThat(members(NEXT, "16575.tar"))
                .containsEntry("PG_18_202506291/5/24576", 300_000L)
                .containsEntry("PG_18_202506291/5/INCREMENTAL.24577", 12L);
        try (InputStream stored = Files.newInputStream(object(NEXT, "backup_manifest"))) {
            assertThat(BackupManifest.parse(stored).files())
                    .extracting(ManifestFile::path)
                    .contains("pg_tblspc/16575/PG_18_202506291/5/INCREMENTAL.24577", "base/5/2000", "base/5/2000_vm")
                    .doesNotContain("pg_tblspc/16575/PG_18_202506291/5/24577");
        }
    }

    /** Somebody's copy beside it, which a server sends as well, is no file of the relation: it says nothing of its blocks. */
    @Test
    void a_file_with_nearly_the_name_of_a_relation_is_not_taken_for_it() throws IOException {
        byte[] copied = new byte[3 * 8192];
        byte[] before = copied.clone();
        before[8192] = 1;
        take(FULL, Map.of("base.tar", beside(before, copied)), manifest(before, copied), ManifestChecksum.CRC32C);

        take(NEXT, Map.of("base.tar", beside(copied, copied)), manifest(copied, copied), ManifestChecksum.CRC32C);

        assertThat(members(NEXT, "base.tar"))
                .containsEntry("base/5/INCREMENTAL.1000", 2L * 8192)
                .containsEntry("base/5/01000", 3L * 8192)
                .containsEntry("base/5/1000.0", 3L * 8192);
    }

    private static TestTar beside(byte[] relation, byte[] copy) {
        return new TestTar()
                .file("base/5/1000", relation)
                .file("base/5/01000", copy)
                .file("base/5/1000.0", copy);
    }

    private static TestManifest manifest(byte[] relation, byte[] copy) {
        return Backups.manifest(Map.of("base.tar", beside(relation, copy)), ManifestChecksum.CRC32C);
    }

    @Test
    void a_manifest_that_does_not_tell_what_has_come_ends_the_backup() throws IOException {
        Map<String, TestTar> cluster = Backups.cluster(random);
        take(FULL, cluster, Backups.manifest(cluster, ManifestChecksum.CRC32C), ManifestChecksum.CRC32C);
        byte[] path = "pg_tblspc/16575/PG_18_202506291/5/24577".getBytes(StandardCharsets.UTF_8);
        TestManifest wrong = Backups.manifest(cluster, ManifestChecksum.CRC32C)
                .file(path, 8192, ManifestChecksum.CRC32C, "01020304");
        TestManifest lacking =
                Backups.manifest(cluster, ManifestChecksum.CRC32C).without(path);

        for (var each : Map.of(wrong, "has come with 8192 bytes and the CRC32C ", lacking, "is not where the server's")
                .entrySet()) {
            assertThatThrownBy(() -> take(NEXT, cluster, each.getKey(), ManifestChecksum.CRC32C))
                    .isInstanceOfSatisfying(
                            NightshiftException.class,
                            failure -> assertThat(failure.kind()).isEqualTo(FailureKind.DATA_DAMAGED))
                    .hasMessageContaining("file pg_tblspc/16575/PG_18_202506291/5/24577 ")
                    .hasMessageContaining(each.getValue());
            NewBackup.discard(StorageSet.of(storage), Backups.PATHS, NEXT);
        }
    }

    @Test
    void damaged_or_lost_digests_are_found_and_take_nothing_from_the_backup() throws IOException {
        Map<String, TestTar> cluster = Backups.cluster(random);
        BackupDocument full =
                take(FULL, cluster, Backups.manifest(cluster, ManifestChecksum.CRC32C), ManifestChecksum.CRC32C);
        Path digests = object(FULL, "block_digests.zst");
        byte[] damaged = Files.readAllBytes(digests);
        damaged[damaged.length / 2] ^= 1;

        Files.write(digests, damaged);
        Verification flipped = verify(full);
        Files.delete(digests);
        Verification lost = verify(full);

        assertThat(flipped.isSound()).isTrue();
        assertThat(flipped.digestDamages())
                .singleElement()
                .satisfies(damage -> assertThat(damage.toString())
                        .contains("block_digests.zst bytes 0 to " + damaged.length + ": has ", "backup.json says "));
        assertThat(lost.isSound()).isTrue();
        assertThat(lost.digestDamages())
                .singleElement()
                .satisfies(damage ->
                        assertThat(damage.toString()).endsWith("block_digests.zst: is missing in storage local"));
    }
}
