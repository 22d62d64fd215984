package io.nightshift.infra.restore;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.nightshift.infra.backup.ArchiveFrame;
import io.nightshift.infra.backup.ArchiveIndex;
import io.nightshift.infra.backup.ArchiveMember;
import io.nightshift.infra.backup.ArchiveReader;
import io.nightshift.infra.backup.Backups;
import io.nightshift.infra.backup.StoredBackup;
import io.nightshift.infra.backup.TestTar;
import io.nightshift.infra.replication.BackupManifest;
import io.nightshift.infra.replication.ManifestChecksum;
import io.nightshift.infra.replication.ManifestFile;
import io.nightshift.infra.replication.TestManifest;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.server.ChildJvm;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.storage.Storage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Exports of invented clusters from real directories: what is written, and what is left when something breaks. */
class ExportTest {

    private static final String LABEL = InventedBackups.LABEL;
    private static final String MAP = "16575 /mnt/fast\n";

    @TempDir
    private Path temporary;

    private final Cancellation cancellation = new Cancellation();
    private final Progress progress = new Progress();
    private InventedBackups backups;
    private WatchedStorage near;
    private WatchedStorage far;
    private Path directory;
    private Path fast;

    @BeforeEach
    void prepare() throws IOException {
        backups = InventedBackups.in(temporary);
        near = backups.near();
        far = backups.far();
        directory = backups.directory();
        fast = backups.fast();
    }

    // what is written

    @Test
    void writes_a_data_directory_with_every_file_and_the_tablespace_at_its_new_place() throws IOException {
        Map<String, TestTar> cluster = cluster(1);
        backups.store(LABEL, cluster);

        Exported exported = export();

        Map<String, byte[]> expected = InventedBackups.contents(cluster);
        expected.remove("tablespace_map");
        expected.remove("standby.signal");
        assertSame(files(directory), expected);
        assertThat(exported.files()).isEqualTo(expected.size());
        assertThat(exported.bytes())
                .isEqualTo(expected.values().stream()
                        .mapToLong(content -> content.length)
                        .sum());
        assertThat(exported.storages()).containsExactly("near");
        assertThat(exported.complaints()).isEmpty();
        assertThat(exported.notes()).hasSize(2);
        assertThat(Files.readSymbolicLink(directory.resolve("pg_tblspc/16575"))).isEqualTo(fast);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory)))
                .isEqualTo("rwx------");
        assertThat(listed()).doesNotContain("tablespace_map").contains("standby.signal", "backup_label");
    }

    @Test
    void writes_the_archives_as_they_are_stored_and_nothing_else_in_tar_format() throws IOException {
        backups.store(LABEL, cluster(2));

        Exported exported = new TarExport(InventedBackups.copies(near), directory).run(progress, cancellation);

        assertThat(names(directory)).containsExactlyInAnyOrder("16575.tar.zst", "base.tar.zst", "backup_manifest");
        for (String name : names(directory)) {
            assertThat(directory.resolve(name)).hasSameBinaryContentAs(backups.stored("near", name));
        }
        assertThat(exported.files()).isEqualTo(3);
        assertThat(exported.notes())
                .containsExactly(
                        "tablespace_map in base.tar still sends tablespace 16575 to /mnt/fast: correct it before a"
                                + " server starts");
    }

    @Test
    void reads_an_archive_without_an_index_from_its_beginning() throws IOException {
        Map<String, TestTar> cluster = cluster(3);
        backups.store(LABEL, cluster);
        backups.flip("near", "base.tar.zst", Files.size(backups.stored("near", "base.tar.zst")) - 1);

        export();

        Map<String, byte[]> expected = InventedBackups.contents(cluster);
        expected.keySet().removeAll(Set.of("tablespace_map", "standby.signal"));
        assertSame(files(directory), expected);
    }

    @Test
    void cuts_runs_where_frames_begin_and_leaves_no_member_out() {
        Map<String, TestTar> cluster = cluster(4);
        for (int file = 0; file < 10; file++) {
            cluster.get("base.tar").file("base/5/more" + file, TestTar.content(new Random(file), 5_000_000));
        }
        backups.store(LABEL, cluster);
        ArchiveIndex index = ArchiveReader.open(near, InventedBackups.object("base.tar.zst"))
                .index()
                .orElseThrow();

        List<List<ArchiveMember>> runs = new ArrayList<>();
        new MemberRuns(index).forEachRemaining(runs::add);

        List<ArchiveMember> all = new ArrayList<>();
        index.members().forEach(all::add);
        assertThat(runs).hasSizeGreaterThan(2);
        assertThat(runs.stream().flatMap(List::stream)).containsExactlyElementsOf(all);
        assertThat(runs).allSatisfy(run -> {
            long start = run.get(0).headerOffset();
            assertThat(index.frame(index.frameAt(start)).rawOffset()).isEqualTo(start);
        });
    }

    // what is refused, with nothing touched

    @Test
    void asks_where_the_tablespaces_go() {
        backups.store(LABEL, cluster(5));

        NightshiftException refused = failure(() -> new PlainExport(InventedBackups.copies(near), directory, Map.of()));

        assertThat(refused.kind()).isEqualTo(FailureKind.CONFIGURATION);
        assertThat(refused)
                .hasMessage(
                        "backup " + LABEL + " has tablespaces outside the data directory: 16575 (was in /mnt/fast)");
        assertThat(refused.hint()).contains("--tablespace 16575=" + directory + "-tablespace-16575");
    }

    @ParameterizedTest
    @CsvSource({
        "99, /a, backup 20261122T010000Z-full-r8f3 has no tablespace 99",
        "16575, relative, directory relative of tablespace 16575 is not absolute",
        "16575, DIR, would lie in the directory of",
        "16575, DIR/inside, would lie in the directory of the data directory",
        "16575, DIR/.., the data directory in",
    })
    void refuses_places_that_are_wrong(String oid, String place, String reason) {
        backups.store(LABEL, cluster(6));
        Map<String, Path> places = Map.of(oid, Path.of(place.replace("DIR", directory.toString())));

        NightshiftException refused = failure(() -> new PlainExport(InventedBackups.copies(near), directory, places));

        assertThat(refused.kind()).isEqualTo(FailureKind.CONFIGURATION);
        assertThat(refused).hasMessageContaining(reason);
        assertThat(temporary.resolve("to")).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(strings = {"to/data/mine", "to/fast/mine"})
    void refuses_a_directory_that_is_not_empty(String file) throws IOException {
        backups.store(LABEL, cluster(7));
        Files.createDirectories(temporary.resolve(file).getParent());
        Files.writeString(temporary.resolve(file), "mine");

        NightshiftException refused = failure(this::export);

        assertThat(refused.kind()).isEqualTo(FailureKind.REFUSED);
        assertThat(refused).hasMessage("directory " + temporary.resolve(file).getParent() + " is not empty");
        assertThat(files(temporary.resolve("to")).keySet()).containsExactly(file.substring("to/".length()));
    }

    @Test
    void refuses_what_does_not_fit() {
        NightshiftException refused =
                failure(() -> FreeSpace.require(Map.of(directory, 1000L, fast, Long.MAX_VALUE / 2)));

        assertThat(refused.kind()).isEqualTo(FailureKind.RESOURCES_EXHAUSTED);
        assertThat(refused).hasMessageMatching("[0-9.]+ TB do not fit into .*: [0-9.]+ .B free");
    }

    @Test
    void names_a_file_whose_name_cannot_be_written_before_anything_is() {
        Map<String, TestTar> cluster = cluster(8);
        cluster.get("base.tar").file("plain/na\uDCEFve", new byte[3]);
        backups.store(LABEL, cluster);

        NightshiftException refused = failure(this::export);

        assertThat(refused.kind()).isEqualTo(FailureKind.CONFIGURATION);
        assertThat(refused).hasMessage("cannot write file plain/na\\xefve: its name is not UTF-8");
        assertThat(directory).doesNotExist();
    }

    @Test
    void lets_one_of_two_at_once_have_a_directory() throws Exception {
        Map<String, TestTar> cluster = cluster(9);
        backups.store(LABEL, cluster);
        Files.createDirectories(directory);
        for (int round = 0; round < Effort.of(3, 50); round++) {
            var start = new CyclicBarrier(2);
            Path into = directory.resolveSibling("both" + round);

            List<CompletableFuture<Boolean>> both = Stream.of("a", "b")
                    .map(who -> CompletableFuture.supplyAsync(() -> {
                        try {
                            start.await();
                            new TarExport(InventedBackups.copies(near), into).run(new Progress(), new Cancellation());
                            return true;
                        } catch (NightshiftException refused) {
                            assertThat(refused.kind()).isEqualTo(FailureKind.REFUSED);
                            return false;
                        } catch (Exception unexpected) {
                            throw new IllegalStateException(unexpected);
                        }
                    }))
                    .toList();

            assertThat(both.stream().map(CompletableFuture::join)).containsExactlyInAnyOrder(true, false);
            assertThat(names(into)).containsExactlyInAnyOrder("16575.tar.zst", "base.tar.zst", "backup_manifest");
        }
    }

    // damage

    @Test
    void names_a_file_that_a_flipped_byte_touches_and_leaves_nothing() throws IOException {
        backups.store(LABEL, cluster(10));
        var random = new Random(10);
        for (String archive : List.of("base.tar.zst", "16575.tar.zst")) {
            ArchiveIndex index = ArchiveReader.open(near, InventedBackups.object(archive))
                    .index()
                    .orElseThrow();
            for (int round = 0; round < Effort.of(4, 100); round++) {
                ArchiveFrame frame = index.frame(random.nextInt(index.frameCount()));
                long at = frame.storedOffset() + random.nextInt(frame.storedLength());
                backups.flip("near", archive, at);

                NightshiftException damaged = failure(this::export);

                assertThat(damaged.kind()).isEqualTo(FailureKind.DATA_DAMAGED);
                assertThat(damaged)
                        .hasMessageMatching("file \\S+: archive " + InventedBackups.object(archive)
                                + " is damaged between bytes " + frame.storedOffset() + " and .*");
                assertThat(damaged.hint()).startsWith("nightshift verify " + LABEL);
                assertThat(temporary.resolve("to")).doesNotExist();
                backups.flip("near", archive, at);
            }
        }
        export();
        assertThat(directory.resolve("backup_manifest")).exists();
    }

    @Test
    void does_not_trust_the_index_but_the_manifest() {
        int labels = 0;
        for (String path : List.of("base/5/1007", "backup_label", "global/pg_control", "tablespace_map")) {
            Map<String, TestTar> cluster = cluster(11);
            TestManifest manifest = Backups.manifest(cluster, ManifestChecksum.CRC32C);
            byte[] content = cluster.get("base.tar").files().get(path).clone();
            content = Arrays.copyOf(content, Math.max(1, content.length));
            content[0] ^= 1;
            manifest.file(path.getBytes(UTF_8), content, ManifestChecksum.CRC32C);
            String label = "2026112" + labels++ + "T010000Z-full-r8f3";
            StoredBackup backup = Backups.store(List.of(near), label, cluster, manifest);

            NightshiftException damaged = failure(
                    () -> new PlainExport(BackupCopies.of(backup, List.of(near)), directory, Map.of("16575", fast))
                            .run(2, progress, cancellation));

            assertThat(damaged.kind()).isEqualTo(FailureKind.DATA_DAMAGED);
            assertThat(damaged).hasMessageMatching("file " + path + " has the (CRC32C|size) .*, the manifest says .*");
            assertThat(temporary.resolve("to")).doesNotExist();
        }
    }

    @Test
    void notices_a_file_too_few_or_too_many() {
        Map<String, TestTar> cluster = cluster(12);
        TestManifest manifest = Backups.manifest(cluster, ManifestChecksum.CRC32C);
        Backups.store(
                List.of(near),
                LABEL,
                cluster,
                manifest.file("base/5/lost".getBytes(UTF_8), new byte[1], ManifestChecksum.CRC32C));
        String other = "20261123T010000Z-full-r8f3";
        Map<String, TestTar> more = cluster(12);
        TestManifest fewer = Backups.manifest(more, ManifestChecksum.CRC32C).without("base/5/1003".getBytes(UTF_8));
        StoredBackup tooMany = Backups.store(List.of(near), other, more, fewer);

        NightshiftException lost = failure(this::export);
        NightshiftException extra =
                failure(() -> new PlainExport(BackupCopies.of(tooMany, List.of(near)), directory, Map.of("16575", fast))
                        .run(2, progress, cancellation));

        assertThat(lost)
                .hasMessage("1 files are in the manifest but not in the backup, the first by name: base/5/lost");
        assertThat(extra).hasMessageContaining("file base/5/1003 is not in the manifest, or twice in the backup");
        assertThat(temporary.resolve("to")).doesNotExist();
    }

    @Test
    void reads_from_another_copy_what_is_damaged_in_one() throws IOException {
        Map<String, TestTar> cluster = cluster(13);
        backups.store(LABEL, cluster, near, far);
        backups.flip("near", "base.tar.zst", 1000);
        backups.flip("far", "16575.tar.zst", 1000);
        backups.flip("near", "backup_manifest", 1000);

        Exported exported = export(near, far);

        Map<String, byte[]> expected = InventedBackups.contents(cluster);
        expected.keySet().removeAll(Set.of("tablespace_map", "standby.signal"));
        assertSame(files(directory), expected);
        assertThat(exported.storages()).containsExactly("far", "near");
        assertThat(exported.complaints()).singleElement().asString().startsWith("storage near: ");
        Exported archives =
                new TarExport(InventedBackups.copies(near, far), temporary.resolve("tar")).run(progress, cancellation);
        assertThat(temporary.resolve("tar/base.tar.zst")).hasSameBinaryContentAs(backups.stored("far", "base.tar.zst"));
        assertThat(archives.complaints()).hasSize(1);
    }

    @Test
    void tells_what_every_copy_lacks_when_none_is_good() throws IOException {
        backups.store(LABEL, cluster(14), near, far);
        backups.flip("near", "base.tar.zst", 1000);
        Files.delete(backups.stored("far", "base.tar.zst"));

        NightshiftException damaged = failure(() -> export(near, far));

        assertThat(damaged.kind()).isEqualTo(FailureKind.DATA_DAMAGED);
        assertThat(damaged)
                .hasMessageContaining("is damaged between bytes 0 and ")
                .hasMessageContaining("; in storage far: storage far has no object ");
        assertThat(temporary.resolve("to")).doesNotExist();
    }

    // what an export leaves that does not come to its end

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void leaves_the_place_as_it_was_when_it_is_stopped(boolean there) throws IOException {
        backups.store(LABEL, cluster(15));
        if (there) {
            Files.createDirectories(directory);
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-x---"));
        }
        near.after(1_000_000, () -> cancellation.cancel("stopped by the test"));

        NightshiftException stopped = failure(this::export);

        assertThat(stopped.kind()).isEqualTo(FailureKind.CANCELLED);
        assertThat(stopped).hasMessage("stopped by the test");
        assertThat(Files.exists(directory)).isEqualTo(there);
        assertThat(fast).doesNotExist();
        if (there) {
            assertThat(names(directory)).isEmpty();
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory)))
                    .isEqualTo("rwxr-x---");
        }
    }

    @Test
    void removes_nothing_that_somebody_else_put_beside_it() throws IOException {
        backups.store(LABEL, cluster(16));
        Files.createDirectories(directory.getParent());
        Path neighbour = directory.resolveSibling("neighbour");
        near.after(1_000_000, () -> {
            write(neighbour, "mine");
            cancellation.cancel("stopped by the test");
        });

        failure(this::export);

        assertThat(names(directory.getParent())).containsExactly("neighbour");
        assertThat(neighbour).hasContent("mine");
    }

    @ParameterizedTest
    @CsvSource({"export.before-control, false", "export.before-manifest, true"})
    void cannot_be_taken_for_complete_after_a_kill(String place, boolean control) throws IOException {
        backups.store(LABEL, cluster(17));

        try (ChildJvm child = child(Map.of("NIGHTSHIFT_CRASH_AT", place))) {
            assertThat(child.exitStatus()).as(child.toString()).isEqualTo(CrashPoint.EXIT_STATUS);
        }

        assertThat(directory.resolve("global/pg_control").toFile().exists()).isEqualTo(control);
        assertThat(directory.resolve("backup_manifest")).doesNotExist();
        assertThat(directory.resolve("nightshift-export.unfinished"))
                .content()
                .startsWith("backup " + LABEL + " is being written here");
        NightshiftException next = failure(this::export);
        assertThat(next.kind()).isEqualTo(FailureKind.REFUSED);
        assertThat(next).hasMessage("directory " + directory + " holds an unfinished export");
    }

    @Test
    void says_that_the_disk_is_full_and_takes_everything_back() throws Exception {
        backups.store(LABEL, cluster(18));
        // No file may grow beyond 4 MB: the largest relation would.
        Process child = new ProcessBuilder(
                        "bash",
                        "-c",
                        "ulimit -f 4096; exec \"$0\" \"$@\"",
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        ExportChild.class.getName(),
                        temporary.resolve("near").toString(),
                        LABEL,
                        directory.toString(),
                        fast.toString())
                .redirectErrorStream(true)
                .start();
        String output = new String(child.getInputStream().readAllBytes(), UTF_8);

        assertThat(child.waitFor()).as(output).isEqualTo(FailureKind.RESOURCES_EXHAUSTED.exitStatus());
        assertThat(output).containsPattern("cannot write .*/base/5/large: File too large, .* free");
        assertThat(temporary.resolve("to")).doesNotExist();
    }

    // a single file

    @Test
    void fetches_a_file_from_its_frames_alone() throws IOException {
        Map<String, TestTar> cluster = cluster(19);
        backups.store(LABEL, cluster);
        long size = Files.size(backups.stored("near", "base.tar.zst"));
        long manifest = Files.size(backups.stored("near", "backup_manifest"));
        near.after(Long.MAX_VALUE, () -> {});
        var file = new SingleFile(InventedBackups.copies(near), "base/5/1050");
        long before = near.read();

        Exported exported = file.into(directory, progress, cancellation);

        byte[] content = cluster.get("base.tar").files().get("base/5/1050");
        assertThat(directory.resolve("1050")).hasBinaryContent(content);
        assertThat(names(directory)).containsExactly("1050");
        assertThat(exported.bytes()).isEqualTo(content.length);
        ArchiveIndex index = ArchiveReader.open(near, InventedBackups.object("base.tar.zst"))
                .index()
                .orElseThrow();
        assertThat(index.frameCount()).isGreaterThan(5);
        assertThat(near.read() - before).isLessThan(manifest + size / 2).isPositive();
    }

    @Test
    void fetches_sound_files_of_a_damaged_archive_from_every_place() throws IOException {
        Map<String, TestTar> cluster = cluster(20);
        backups.store(LABEL, cluster);
        ArchiveIndex index = ArchiveReader.open(near, InventedBackups.object("base.tar.zst"))
                .index()
                .orElseThrow();
        ArchiveFrame first = index.frame(0);
        backups.flip("near", "base.tar.zst", first.storedOffset() + 20);

        NightshiftException lost = failure(() -> single("backup_label").into(directory, progress, cancellation));
        single("global/pg_control").into(directory, progress, cancellation);
        single("pg_tblspc/16575/PG_18_202506291/5/24577").into(directory, progress, cancellation);
        single("pg_wal/000000010000000000000020").into(directory, progress, cancellation);
        var out = new ByteArrayOutputStream();
        single("base/5/large").to(out, progress, cancellation);

        assertThat(lost.kind()).isEqualTo(FailureKind.DATA_DAMAGED);
        Map<String, byte[]> contents = InventedBackups.contents(cluster);
        assertThat(names(directory)).containsExactlyInAnyOrder("pg_control", "24577", "000000010000000000000020");
        assertThat(directory.resolve("24577"))
                .hasBinaryContent(contents.get("pg_tblspc/16575/PG_18_202506291/5/24577"));
        assertThat(out.toByteArray()).isEqualTo(contents.get("base/5/large"));
    }

    @Test
    void fetches_a_file_without_an_index_as_long_as_what_lies_before_it_is_sound() throws IOException {
        Map<String, TestTar> cluster = cluster(21);
        backups.store(LABEL, cluster);
        long size = Files.size(backups.stored("near", "base.tar.zst"));
        backups.flip("near", "base.tar.zst", size - 1);
        backups.flip("near", "base.tar.zst", size * 3 / 4);

        single("base/5/1001").into(directory, progress, cancellation);
        NightshiftException behind = failure(() -> single("global/pg_control").into(directory, progress, cancellation));

        assertThat(directory.resolve("1001"))
                .hasBinaryContent(cluster.get("base.tar").files().get("base/5/1001"));
        assertThat(behind.kind()).isEqualTo(FailureKind.DATA_DAMAGED);
        assertThat(names(directory)).containsExactly("1001");
    }

    @ParameterizedTest
    @CsvSource({
        "base/5/105o, did you mean base/5/1050?",
        "1050, did you mean base/5/1050?",
        "pg_tblspc/16575/24577, did you mean pg_tblspc/16575/PG_18_202506291/5/24577?",
        "pg_wal/none, 'paths are as in backup_manifest: from the data directory on, tablespaces as pg_tblspc/<oid>/…'",
    })
    void says_which_files_there_are_instead(String path, String hint) {
        backups.store(LABEL, cluster(22));

        NightshiftException unknown = failure(() -> single(path).into(directory, progress, cancellation));

        assertThat(unknown.kind()).isEqualTo(FailureKind.CONFIGURATION);
        assertThat(unknown).hasMessage("backup " + LABEL + " has no file " + path);
        assertThat(unknown.hint()).isEqualTo(hint);
    }

    @Test
    void does_not_overwrite_a_file() throws IOException {
        backups.store(LABEL, cluster(23));
        Files.createDirectories(directory);
        write(directory.resolve("1050"), "mine");

        NightshiftException refused = failure(() -> single("base/5/1050").into(directory, progress, cancellation));

        assertThat(refused.kind()).isEqualTo(FailureKind.REFUSED);
        assertThat(directory.resolve("1050")).hasContent("mine");
    }

    // fixtures

    /** As a standby sends it, with a tablespace. */
    private static Map<String, TestTar> cluster(int seed) {
        Map<String, TestTar> cluster = Backups.cluster(new Random(seed));
        cluster.get("base.tar").file("tablespace_map", MAP.getBytes(UTF_8)).file("standby.signal", new byte[0]);
        return cluster;
    }

    private Exported export() {
        return export(near);
    }

    private Exported export(Storage... storages) {
        return new PlainExport(InventedBackups.copies(storages), directory, Map.of("16575", fast))
                .run(2, progress, cancellation);
    }

    private SingleFile single(String path) {
        return new SingleFile(InventedBackups.copies(near), path);
    }

    private ChildJvm child(Map<String, String> environment) {
        return ChildJvm.start(
                ExportChild.class, environment, backups.coordinates().toArray(String[]::new));
    }

    private static NightshiftException failure(Runnable work) {
        return catchThrowableOfType(NightshiftException.class, work::run);
    }

    private static void write(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Every file below, through links; without the manifest. */
    private static Map<String, byte[]> files(Path root) throws IOException {
        Map<String, byte[]> files = InventedBackups.files(root);
        files.remove("backup_manifest");
        return files;
    }

    private static void assertSame(Map<String, byte[]> found, Map<String, byte[]> expected) {
        assertThat(found.keySet()).containsExactlyInAnyOrderElementsOf(new HashSet<>(expected.keySet()));
        expected.forEach((path, content) -> assertThat(found.get(path)).as(path).isEqualTo(content));
    }

    private List<String> listed() throws IOException {
        return BackupManifest.parse(new ByteArrayInputStream(Files.readAllBytes(directory.resolve("backup_manifest"))))
                .files()
                .stream()
                .map(ManifestFile::path)
                .toList();
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(entry -> Files.exists(entry, LinkOption.NOFOLLOW_LINKS))
                    .map(entry -> String.valueOf(entry.getFileName()))
                    .toList();
        }
    }
}
