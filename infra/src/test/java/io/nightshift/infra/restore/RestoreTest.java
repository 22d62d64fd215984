package io.nightshift.infra.restore;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.nightshift.infra.backup.Backups;
import io.nightshift.infra.backup.TestTar;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.Cancellation;
import io.nightshift.infra.run.CrashPoint;
import io.nightshift.infra.run.Progress;
import io.nightshift.infra.server.ChildJvm;
import io.nightshift.infra.server.Effort;
import io.nightshift.infra.server.FileTree;
import io.nightshift.infra.server.Seed;
import io.nightshift.infra.storage.Storage;
import java.io.IOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Restores of invented clusters into real directories: what is written, what goes on, and what is refused. */
class RestoreTest {

    private static final String LABEL = InventedBackups.LABEL;
    private static final String OTHER = "20261123T010000Z-full-r8f4";
    private static final String MARK = TargetDirectory.UNFINISHED;

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
    void writes_every_file_but_what_would_lead_to_the_source() throws IOException {
        Map<String, TestTar> cluster = cluster(1);
        backups.store(LABEL, cluster);

        Restored restored = restore();

        Map<String, byte[]> expected = contents(cluster);
        Map<String, byte[]> found = InventedBackups.files(directory);
        expected.forEach((path, content) -> assertThat(found.get(path)).as(path).isEqualTo(content));
        found.keySet().removeAll(expected.keySet());
        assertThat(found.keySet())
                .containsExactlyInAnyOrder(
                        "postgresql.conf",
                        "postgresql.auto.conf",
                        "pg_hba.conf",
                        "pg_ident.conf",
                        "recovery.signal",
                        "nightshift_wal/fetch",
                        "nightshift_wal/list");
        assertThat(Files.readSymbolicLink(directory.resolve("pg_tblspc/16575"))).isEqualTo(fast);
        assertThat(fast.resolve(MARK)).doesNotExist();
        assertThat(restored.files()).isEqualTo(expected.size());
        assertThat(restored.reused()).isZero();
        assertThat(restored.storages()).containsExactly("near");
        assertThat(restored.complaints()).isEmpty();
    }

    @Test
    void reads_from_another_copy_what_is_damaged_in_one() throws IOException {
        Map<String, TestTar> cluster = cluster(2);
        backups.store(LABEL, cluster, near, far);
        backups.flip("near", "base.tar.zst", 1000);
        backups.flip("far", "16575.tar.zst", 1000);

        Restored restored = restore(false, near, far);

        contents(cluster)
                .forEach((path, content) ->
                        assertThat(directory.resolve(path)).as(path).hasBinaryContent(content));
        assertThat(restored.storages()).containsExactly("far", "near");
        assertThat(restored.complaints())
                .isNotEmpty()
                .allSatisfy(line -> assertThat(line).startsWith("storage near: "));
    }

    @Test
    void puts_a_tablespace_to_its_old_place_where_nothing_is_there() throws IOException {
        Map<String, TestTar> cluster = cluster(3);
        backups.store(LABEL, cluster);
        Path old = temporary.resolve("old");
        var without = new Restore.Destination(directory, Map.of(), false, false);

        NightshiftException refused = failure(() -> Restores.of(List.of(near), LABEL, without));

        // The invented cluster's was in /mnt/fast.
        if (Files.exists(Path.of("/mnt/fast"))) {
            assertThat(refused).hasMessageContaining("16575 (was in /mnt/fast)");
        } else {
            assertThat(refused).isNull();
        }
        assertThat(old).doesNotExist();
        assertThat(directory).doesNotExist();
    }

    // what goes on

    @ParameterizedTest
    @CsvSource({
        "restore.before-control, false, false",
        "restore.before-unmark, true, false",
        "restore.without-control, false, true",
        "restore.before-control, false, true"
    })
    void goes_on_after_a_kill_with_what_is_there(String place, boolean control, boolean delta) throws IOException {
        Map<String, TestTar> cluster = cluster(4);
        backups.store(LABEL, cluster);
        if (delta) {
            restore();
            flipFile(directory.resolve("base/5/1003"));
        }

        try (ChildJvm child = child(place, delta)) {
            assertThat(child.exitStatus()).as(child.toString()).isEqualTo(CrashPoint.EXIT_STATUS);
        }
        assertThat(directory.resolve(MARK)).exists();
        assertThat(directory.resolve("global/pg_control").toFile().exists()).isEqualTo(control);
        Path changed = directory.resolve("base/5/1001");
        flipFile(changed);

        Restored restored = restore(delta, near);

        assertRestored(cluster);
        assertThat(restored.files()).isEqualTo(contents(cluster).size());
        assertThat(restored.reused()).isGreaterThan(100).isLessThan(restored.files());
    }

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.Seed#underTest")
    void goes_on_after_it_was_stopped_anywhere(Seed seed) throws IOException {
        Map<String, TestTar> cluster = cluster(5);
        backups.store(LABEL, cluster);
        Random random = seed.random();
        for (int round = 0; round < Effort.of(1, 50); round++) {
            for (int stop = 0; stop < 2; stop++) {
                var stopped = new Cancellation();
                near.after(1 + random.nextInt(11_000_000), () -> stopped.cancel("stopped by the test"));
                failure(() -> restores(LABEL, false, near).run(2, progress, stopped));
            }
            near.after(Long.MAX_VALUE, () -> {});
            if (!Files.exists(directory.resolve(MARK))) {
                FileTree.delete(directory.getParent()); // it was complete before the stop
            } else {
                assertThat(directory.resolve("global/pg_control")).doesNotExist();
            }

            restore();

            assertRestored(cluster);
            FileTree.delete(directory.getParent());
        }
    }

    @Test
    void leaves_an_unfinished_directory_to_the_restore_that_began_it() throws IOException {
        backups.store(LABEL, cluster(6));
        backups.store(OTHER, cluster(7));
        near.after(1_000_000, () -> cancellation.cancel("stopped by the test"));
        failure(() -> restore());
        near.after(Long.MAX_VALUE, () -> {});

        NightshiftException refused = failure(() -> restores(OTHER, false, near).run(2, progress, new Cancellation()));
        NightshiftException export =
                failure(() -> new PlainExport(InventedBackups.copies(near), directory, Map.of("16575", fast))
                        .run(2, progress, new Cancellation()));

        assertThat(refused.kind()).isEqualTo(FailureKind.REFUSED);
        assertThat(refused)
                .hasMessage("directory " + directory + " holds an unfinished restore of backup " + LABEL
                        + ", system identifier 7711071849857489922");
        assertThat(export.kind()).isEqualTo(FailureKind.REFUSED);
    }

    @Test
    void does_not_write_over_a_directory_on_which_a_server_has_run_since() throws IOException {
        backups.store(LABEL, cluster(8));
        try (ChildJvm child = child("restore.before-unmark", false)) {
            assertThat(child.exitStatus()).isEqualTo(CrashPoint.EXIT_STATUS);
        }
        flipFile(directory.resolve("global/pg_control"));

        NightshiftException refused = failure(this::restore);

        assertThat(refused.kind()).isEqualTo(FailureKind.REFUSED);
        assertThat(refused).hasMessage("a server has run on " + directory + " since it was restored");
        assertThat(directory.resolve("base/5/1001")).exists();
    }

    @Test
    void says_that_the_disk_is_full_and_goes_on_when_there_is_room() throws Exception {
        Map<String, TestTar> cluster = cluster(9);
        backups.store(LABEL, cluster);
        // No file may grow beyond 4 MB: the largest relation would.
        Process child = new ProcessBuilder(
                        "bash",
                        "-c",
                        "ulimit -f 4096; exec \"$0\" \"$@\"",
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        RestoreChild.class.getName(),
                        temporary.resolve("near").toString(),
                        LABEL,
                        directory.toString(),
                        fast.toString(),
                        "false")
                .redirectErrorStream(true)
                .start();
        String output = new String(child.getInputStream().readAllBytes(), UTF_8);

        assertThat(child.waitFor()).as(output).isEqualTo(FailureKind.RESOURCES_EXHAUSTED.exitStatus());
        assertThat(output).containsPattern("cannot write .*/base/5/large: File too large, .* free");
        assertThat(directory.resolve("global/pg_control")).doesNotExist();
        assertThat(restore().reused()).isPositive();
        assertRestored(cluster);
    }

    // over what is there

    @ParameterizedTest
    @MethodSource("io.nightshift.infra.server.Seed#underTest")
    void makes_of_a_changed_directory_what_a_fresh_one_would_be(Seed seed) throws IOException {
        Map<String, TestTar> cluster = cluster(10);
        backups.store(LABEL, cluster);
        restore();
        Random random = seed.random();
        for (int round = 0; round < Effort.of(1, 100); round++) {
            int changed = change(random);

            Restored restored = restore(true, near);

            assertRestored(cluster);
            assertThat(restored.reused())
                    .as("round %d with %d changes", round, changed)
                    .isLessThan(restored.files())
                    .isGreaterThan(restored.files() - changed - 10);
        }
    }

    @Test
    void does_not_keep_what_makes_a_server_follow_or_write_elsewhere() throws IOException {
        Map<String, TestTar> cluster = cluster(11);
        backups.store(LABEL, cluster);
        restore();
        Files.write(
                directory.resolve("tablespace_map"),
                cluster.get("base.tar").files().get("tablespace_map"));
        Files.createFile(directory.resolve("standby.signal"));
        Files.writeString(directory.resolve("postgresql.auto.conf"), "primary_conninfo = 'host=production'\n");

        restore(true, near);

        assertRestored(cluster);
        assertThat(directory.resolve("postgresql.auto.conf")).content().doesNotContain("production");
    }

    @Test
    void leaves_another_version_s_files_in_the_directory_of_a_tablespace() throws IOException {
        Map<String, TestTar> cluster = cluster(12);
        backups.store(LABEL, cluster);
        restore();
        Path older = Files.createDirectories(fast.resolve("PG_17_202406281/5"));
        Files.writeString(older.resolve("24576"), "of the version before");

        restore(true, near);

        assertThat(older.resolve("24576")).hasContent("of the version before");
        FileTree.delete(fast.resolve("PG_17_202406281"));
        assertRestored(cluster);
    }

    // what is refused, with nothing touched

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void refuses_a_directory_with_something_else_in_it(boolean delta) throws IOException {
        backups.store(LABEL, cluster(13));
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("mine"), "mine");

        NightshiftException refused = failure(() -> restore(delta, near));

        assertThat(refused.kind()).isEqualTo(FailureKind.REFUSED);
        assertThat(refused).hasMessageContaining("directory " + directory + " is not empty");
        assertThat(InventedBackups.files(directory).keySet()).containsExactly("mine");
    }

    @Test
    void refuses_the_data_directory_of_another_cluster() throws IOException {
        backups.store(LABEL, cluster(14));
        restore();
        InventedBackups.flip(directory.resolve("global/pg_control"), 0);
        Map<String, byte[]> before = InventedBackups.files(directory);

        NightshiftException refused = failure(() -> restore(true, near));

        assertThat(refused.kind()).isEqualTo(FailureKind.REFUSED);
        assertThat(refused).hasMessageStartingWith(directory + " is no data directory of this cluster: ");
        assertUntouched(before);
    }

    @Test
    void refuses_to_empty_a_directory_that_is_not_the_tablespace_s_now() throws IOException {
        backups.store(LABEL, cluster(15));
        restore();
        Map<String, byte[]> before = InventedBackups.files(directory);
        Path home = Files.createDirectory(temporary.resolve("home"));
        Files.writeString(home.resolve("mine"), "mine");
        var wrong = new Restore.Destination(directory, Map.of("16575", home), true, false);

        NightshiftException refused =
                failure(() -> Restores.of(List.of(near), LABEL, wrong).run(2, progress, new Cancellation()));

        assertThat(refused.kind()).isEqualTo(FailureKind.REFUSED);
        assertThat(refused).hasMessage("directory " + home + " is not empty");
        assertThat(home.resolve("mine")).hasContent("mine");
        assertUntouched(before);
    }

    @Test
    void refuses_to_write_and_delete_behind_a_link() throws IOException {
        backups.store(LABEL, cluster(16));
        restore();
        Path elsewhere = temporary.resolve("elsewhere");
        Files.move(directory.resolve("base/5"), elsewhere);
        Files.createSymbolicLink(directory.resolve("base/5"), elsewhere);
        Map<String, byte[]> before = InventedBackups.files(directory);

        NightshiftException refused = failure(() -> restore(true, near));

        assertThat(refused.kind()).isEqualTo(FailureKind.REFUSED);
        assertThat(refused).hasMessageStartingWith(directory + "/base/5 is a link to " + elsewhere);
        assertUntouched(before);
    }

    @Test
    void finds_the_tablespaces_of_a_directory_that_is_written_over() throws IOException {
        Map<String, TestTar> cluster = cluster(17);
        backups.store(LABEL, cluster);
        restore();
        var same = new Restore.Destination(directory, Map.of(), true, false);

        Restores.of(List.of(near), LABEL, same).run(2, progress, new Cancellation());

        assertRestored(cluster);
        assertThat(Files.readSymbolicLink(directory.resolve("pg_tblspc/16575"))).isEqualTo(fast);
    }

    // fixtures

    /** As a standby sends it, with a tablespace. */
    private static Map<String, TestTar> cluster(int seed) {
        Map<String, TestTar> cluster = Backups.cluster(new Random(seed));
        cluster.get("base.tar")
                .file("tablespace_map", "16575 /mnt/fast\n".getBytes(UTF_8))
                .file("standby.signal", new byte[0]);
        return cluster;
    }

    private Restored restore() {
        return restore(false, near);
    }

    private Restored restore(boolean delta, Storage... storages) {
        return restores(LABEL, delta, storages).run(2, progress, cancellation);
    }

    private Restore restores(String label, boolean delta, Storage... storages) {
        return Restores.of(
                List.of(storages), label, new Restore.Destination(directory, Map.of("16575", fast), delta, false));
    }

    private ChildJvm child(String crash, boolean delta) {
        List<String> arguments = new ArrayList<>(backups.coordinates());
        arguments.add(Boolean.toString(delta));
        return ChildJvm.start(
                RestoreChild.class, Map.of("NIGHTSHIFT_CRASH_AT", crash), arguments.toArray(String[]::new));
    }

    /** Changes, deletes and adds files, as a server and its people would; returns how many of the backup's it touched. */
    private int change(Random random) throws IOException {
        List<Path> all = new ArrayList<>();
        try (Stream<Path> walk = Files.walk(directory, FileVisitOption.FOLLOW_LINKS)) {
            walk.filter(Files::isRegularFile)
                    .filter(file -> !file.endsWith("pg_control"))
                    .sorted()
                    .forEach(all::add);
        }
        int changes = 1 + random.nextInt(20);
        for (int change = 0; change < changes; change++) {
            Path file = all.get(random.nextInt(all.size()));
            switch (random.nextInt(5)) {
                case 0 -> Files.deleteIfExists(file);
                case 1 -> Files.write(file, new byte[random.nextInt(20_000)]);
                case 2 -> Files.writeString(file.resolveSibling("9" + random.nextInt(1000)), "new relation");
                case 3 ->
                    Files.writeString(
                            Files.createDirectories(directory.resolve("base/" + random.nextInt(100)))
                                    .resolve("1"),
                            "new database");
                default -> {
                    if (Files.exists(file) && Files.size(file) > 0) {
                        InventedBackups.flip(file, random.nextInt((int) Files.size(file)));
                    }
                }
            }
        }
        if (random.nextBoolean()) {
            FileTree.delete(directory.resolve("base"));
            return 110;
        }
        return changes;
    }

    /** What a restore must have made, by content: the backup's files, and what belongs to an inert server. */
    private void assertRestored(Map<String, TestTar> cluster) throws IOException {
        Map<String, byte[]> expected = contents(cluster);
        Map<String, byte[]> found = InventedBackups.files(directory);
        expected.forEach((path, content) ->
                assertThat(Arrays.equals(found.get(path), content)).as(path).isTrue());
        found.keySet().removeAll(expected.keySet());
        assertThat(found.keySet())
                .containsExactlyInAnyOrder(
                        "postgresql.conf",
                        "postgresql.auto.conf",
                        "pg_hba.conf",
                        "pg_ident.conf",
                        "recovery.signal",
                        "nightshift_wal/fetch",
                        "nightshift_wal/list");
    }

    private void assertUntouched(Map<String, byte[]> before) throws IOException {
        Map<String, byte[]> now = InventedBackups.files(directory);
        assertThat(now.keySet()).isEqualTo(before.keySet());
        before.forEach((path, content) ->
                assertThat(Arrays.equals(now.get(path), content)).as(path).isTrue());
    }

    /** What a restore brings back of it. */
    private static Map<String, byte[]> contents(Map<String, TestTar> cluster) {
        Map<String, byte[]> contents = InventedBackups.contents(cluster);
        contents.keySet().removeAll(List.of("tablespace_map", "standby.signal"));
        return contents;
    }

    private static void flipFile(Path file) throws IOException {
        if (Files.size(file) == 0) {
            Files.write(file, new byte[1]);
        } else {
            InventedBackups.flip(file, Files.size(file) - 1);
        }
    }

    private static NightshiftException failure(Runnable work) {
        return catchThrowableOfType(NightshiftException.class, work::run);
    }
}
