package io.nightshift.infra.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import io.nightshift.infra.run.CrashPoint;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirectoryStorageTest extends StorageContractTest {

    private static final Instant NOW = Instant.parse("2026-11-22T01:00:00Z");
    private static final Clock CLOCK = Clock.fixed(NOW, ZoneOffset.UTC);

    @TempDir
    private Path temporary;

    private DirectoryStorage storage;

    @BeforeEach
    void prepare() {
        storage = new DirectoryStorage("local", root());
        storage.prepare();
    }

    @Override
    protected Storage storage() {
        return storage;
    }

    @Test
    void keeps_everything_from_other_users() throws IOException {
        write(storage, "a/b/c", "x");

        assertThat(mode(root().resolve("a/b/c"))).isEqualTo("rw-------");
        for (Path folder : List.of(root(), root().resolve("a"), root().resolve("a/b"))) {
            assertThat(mode(folder)).isEqualTo("rwx------");
        }
    }

    @Test
    void says_that_the_disk_is_not_mounted_instead_of_filling_the_one_below() throws IOException {
        var away = new DirectoryStorage("usb", root().resolve("mnt"));

        for (Runnable call : List.<Runnable>of(
                () -> write(away, "a", "x"),
                () -> away.list(""),
                () -> away.folders(""),
                () -> away.stat("a"),
                () -> away.open("a"),
                () -> away.delete("a"))) {
            assertThatThrownBy(call::run)
                    .isInstanceOfSatisfying(NightshiftException.class, failure -> {
                        assertThat(failure.kind()).isEqualTo(FailureKind.STORAGE_UNAVAILABLE);
                        assertThat(failure.hint()).isEqualTo("mount it, or correct the path of storage usb");
                    })
                    .hasMessageContaining("directory " + root().resolve("mnt") + " does not exist");
        }

        assertThat(root().resolve("mnt")).doesNotExist();
    }

    @Test
    void does_not_write_beside_a_disk_that_was_unmounted_meanwhile() throws IOException {
        Path disk = Files.createDirectory(root().resolve("disk"));
        Path mountPoint = Files.createDirectory(root().resolve("mount-point"));
        Path mounted = Files.createSymbolicLink(root().resolve("mounted"), disk);
        var storage = new DirectoryStorage("usb", mounted);
        write(storage, "a", "on the disk");
        Files.delete(mounted);
        Files.createSymbolicLink(mounted, mountPoint);

        assertThatThrownBy(() -> write(storage, "b", "beside it"))
                .isInstanceOfSatisfying(
                        NightshiftException.class,
                        failure -> assertThat(failure.kind()).isEqualTo(FailureKind.STORAGE_UNAVAILABLE))
                .hasMessage("cannot create object b in storage usb: another directory is there than before;"
                        + " is its disk still mounted?");
        assertThat(mountPoint).isEmptyDirectory();
    }

    @Test
    void a_writer_killed_before_the_link_leaves_an_invisible_part() throws Exception {
        int status = child("storage.before-link", "");

        assertThat(status).isEqualTo(CrashPoint.EXIT_STATUS);
        assertThat(storage.stat("folder/object")).isEmpty();
        assertThat(parts()).hasSize(1);
        write(storage, "folder/object", "second try");
        assertThat(content("folder/object")).isEqualTo("second try");
    }

    @Test
    void a_writer_killed_after_the_link_leaves_the_whole_object() throws Exception {
        int status = child("storage.after-link", "");

        assertThat(status).isEqualTo(CrashPoint.EXIT_STATUS);
        assertThat(content("folder/object")).hasSize(StorageChild.BYTES);
        assertThat(parts()).hasSize(1);
        age(parts().get(0), NOW.minusSeconds(90_000));
        assertThat(storage.sweepParts(CLOCK)).isEqualTo(1);
        assertThat(content("folder/object")).hasSize(StorageChild.BYTES);
    }

    @Test
    void a_writer_killed_while_it_replaces_leaves_the_old_object_or_the_new_one() throws Exception {
        write(storage, "folder/object", "old");

        assertThat(child("storage.before-link", "", "replace")).isEqualTo(CrashPoint.EXIT_STATUS);
        assertThat(content("folder/object")).isEqualTo("old");
        assertThat(parts()).hasSize(1);

        assertThat(child("storage.after-rename", "", "replace")).isEqualTo(CrashPoint.EXIT_STATUS);
        assertThat(content("folder/object")).hasSize(StorageChild.BYTES);
        assertThat(parts()).hasSize(1);
    }

    @Test
    void the_same_writer_left_alone_leaves_only_the_object() throws Exception {
        int status = child("", "");

        assertThat(status).isZero();
        assertThat(content("folder/object")).hasSize(StorageChild.BYTES);
        assertThat(parts()).isEmpty();
    }

    @Test
    void a_full_disk_fails_with_the_bytes_free_and_leaves_nothing() throws Exception {
        int status = child("", "ulimit -f 64; ");

        assertThat(status).isEqualTo(FailureKind.RESOURCES_EXHAUSTED.exitStatus());
        assertThat(Files.readString(temporary.resolve("child.log")))
                .contains("cannot write object folder/object in storage local: File too large, ")
                .contains(" bytes free in " + root());
        assertThat(parts()).isEmpty();
        assertThat(storage.stat("folder/object")).isEmpty();
    }

    @Test
    void a_device_without_space_is_told_from_a_broken_one() {
        var failures = new DirectoryFailures("local", root());

        assertThatThrownBy(() -> {
                    try (var full = new FileOutputStream("/dev/full")) {
                        full.write(1);
                    } catch (IOException noSpace) {
                        throw failures.of("write", "a", noSpace);
                    }
                })
                .isInstanceOfSatisfying(
                        NightshiftException.class,
                        failure -> assertThat(failure.kind()).isEqualTo(FailureKind.RESOURCES_EXHAUSTED))
                .hasMessageStartingWith("cannot write object a in storage local: No space left on device, ");

        assertThat(failures.of("write", "a", new IOException("Input/output error")))
                .hasMessage("cannot write object a in storage local: Input/output error")
                .extracting(NightshiftException::kind)
                .isEqualTo(FailureKind.STORAGE_UNAVAILABLE);
    }

    @Test
    void sweeps_only_parts_that_nobody_has_touched_for_a_day() throws IOException {
        write(storage, "a/object", "x");
        StoredObjectWriter young = storage.create("a/young");
        Path old = Files.writeString(root().resolve("a/.old.0123456789abcdef.part"), "dead");
        age(old, NOW.minusSeconds(25 * 3600));
        age(root().resolve("a/object"), NOW.minusSeconds(1_000_000));
        age(parts().stream().filter(part -> !part.equals(old)).findFirst().orElseThrow(), NOW.minusSeconds(3600));

        int swept = storage.sweepParts(CLOCK);
        young.commit();

        assertThat(swept).isEqualTo(1);
        assertThat(parts()).isEmpty();
        assertThat(storage.list("").map(StoredObject::name)).containsExactly("a/object", "a/young");
    }

    @Test
    void keeps_every_byte_of_an_object_that_is_synced_while_it_is_written() throws IOException {
        var random = new Random(14);
        var piece = new byte[1 << 20];
        var sent = new CRC32C();
        try (StoredObjectWriter writer = storage.create("large")) {
            for (int megabyte = 0; megabyte < 100; megabyte++) {
                random.nextBytes(piece);
                sent.update(piece);
                writer.write(piece);
            }
            writer.commit();
        }

        var found = new CRC32C();
        try (InputStream stream = storage.open("large")) {
            for (int count = stream.read(piece); count >= 0; count = stream.read(piece)) {
                found.update(piece, 0, count);
            }
        }

        assertThat(storage.stat("large").orElseThrow().bytes()).isEqualTo(100L << 20);
        assertThat(found.getValue()).isEqualTo(sent.getValue());
    }

    @Test
    void shows_no_file_that_is_not_an_object() throws IOException {
        write(storage, "a/object", "x");
        Files.createDirectory(root().resolve(".snapshot"));
        Files.writeString(root().resolve(".snapshot/object"), "x");
        Files.writeString(root().resolve("a/.nfs0001"), "x");
        Files.writeString(root().resolve("a/read me.txt"), "x");
        Files.createDirectory(root().resolve("lost+found"));

        assertThat(storage.list("").map(StoredObject::name)).containsExactly("a/object");
        assertThat(storage.folders("")).containsExactly("a");
    }

    @Test
    void follows_a_folder_that_was_moved_to_another_disk_but_not_in_circles() throws IOException {
        Path other = Files.createDirectory(temporary.resolve("other-disk"));
        Files.createSymbolicLink(root().resolve("moved"), other);
        Files.createSymbolicLink(other.resolve("back"), other);

        write(storage, "moved/a/b", "x");

        assertThat(storage.list("").map(StoredObject::name)).containsExactly("moved/a/b");
        assertThat(other.resolve("a/b")).hasContent("x");
    }

    private int child(String crashAt, String limits, String... how) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                "sh",
                "-c",
                limits + "exec \"$@\"",
                "sh",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:-UsePerfData",
                "-Xshare:auto",
                "-cp",
                System.getProperty("java.class.path"),
                StorageChild.class.getName(),
                root().toString()));
        command.addAll(List.of(how));
        var builder = new ProcessBuilder(command);
        builder.environment().put("NIGHTSHIFT_CRASH_AT", crashAt);
        builder.redirectErrorStream(true);
        // The log is read through a pipe: a file would meet the size limit that the test sets.
        Process process = builder.start();
        Files.write(temporary.resolve("child.log"), process.getInputStream().readAllBytes());
        return process.waitFor();
    }

    private Path root() {
        return temporary.resolve("storage");
    }

    private List<Path> parts() throws IOException {
        try (Stream<Path> files = Files.walk(root())) {
            return new ArrayList<>(files.filter(PartWriter::isPart).toList());
        }
    }

    private String content(String object) throws IOException {
        try (var stream = storage.open(object)) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static void write(Storage storage, String object, String content) {
        try (StoredObjectWriter writer = storage.create(object)) {
            writer.write(content.getBytes(StandardCharsets.UTF_8));
            writer.commit();
        }
    }

    private static void age(Path file, Instant modified) throws IOException {
        Files.setLastModifiedTime(file, FileTime.from(modified));
    }

    private static String mode(Path file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }
}
