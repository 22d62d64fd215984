package io.nightshift.infra.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.nightshift.infra.postgres.PostgresVersion;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.ByteArrayInputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

class PostgresBinariesTest {

    @TempDir
    Path cache;

    @TempDir
    Path directory;

    /** Unpacks the binaries in a jar and says where they are. */
    static final class Unpacker {

        public static void main(String[] arguments) {
            System.out.println("unpacked "
                    + PostgresBinaries.unpack(Path.of(arguments[0]), Path.of(arguments[1]))
                            .bin());
        }
    }

    private List<String> names() throws Exception {
        try (Stream<Path> entries = Files.list(cache)) {
            return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void are_unpacked_once_by_two_processes_at_the_same_time_also_after_a_third_was_killed() throws Exception {
        String[] arguments = {jarOfManyFiles().toString(), cache.toString()};
        try (var killed = ChildJvm.start(Unpacker.class, arguments)) {
            org.awaitility.Awaitility.await()
                    .pollInterval(5, TimeUnit.MILLISECONDS)
                    .until(() -> names().stream().anyMatch(name -> name.startsWith(".unpack-")));
            killed.kill();
        }
        assertThat(names()).hasSize(2).anyMatch(name -> name.startsWith(".unpack-"));

        try (var one = ChildJvm.start(Unpacker.class, arguments);
                var other = ChildJvm.start(Unpacker.class, arguments)) {
            assertThat(one.awaitLine("unpacked")).isEqualTo(other.awaitLine("unpacked"));
        }

        assertThat(names()).hasSize(2);
        assertThat(names().get(0)).matches("18\\.\\d+-[0-9a-f]{9,}");
        assertThat(names().get(1)).isEqualTo("unpack.lock");
        Path share = cache.resolve(names().get(0)).resolve("share");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(share)))
                .isEqualTo("rwxr-xr-x");
    }

    @Test
    void of_other_versions_come_out_of_their_jars() {
        assertThat(PostgresVersions.underTest())
                .allSatisfy(major -> assertThat(
                                TestPostgres.binaries(major).version().major())
                        .isEqualTo(major));
    }

    @Test
    void of_a_damaged_archive_are_not_left_half() throws Exception {
        byte[] whole = txz(Map.of("bin/postgres", "#!/bin/sh\nexit 0\n".repeat(5_000)));
        byte[] cut = java.util.Arrays.copyOf(whole, whole.length - 30);

        assertThatThrownBy(() ->
                        new BinariesArchive("cut.txz", "c07", () -> new ByteArrayInputStream(cut)).unpackedIn(cache))
                .isInstanceOf(NightshiftException.class)
                .hasMessageStartingWith("could not unpack cut.txz into " + cache);

        assertThat(names()).containsExactly("unpack.lock");
    }

    @Test
    void once_unpacked_are_found_without_running_or_reading_anything() throws Exception {
        PostgresBinaries unpacked = PostgresBinaries.unpack(jar("18.4"), cache);
        Files.writeString(unpacked.bin().resolve("postgres"), "#!/bin/sh\nexit 1\n");
        String fingerprint = names().get(0).substring("18.4-".length());

        var again = new BinariesArchive("unread.txz", fingerprint, () -> {
                    throw new AssertionError("the archive was read");
                })
                .unpackedIn(cache);

        assertThat(again).isEqualTo(unpacked);
        assertThat(again.version()).isEqualTo(new PostgresVersion(180_004));
    }

    @Test
    void of_an_upgraded_jar_are_unpacked_beside_the_old_ones_which_may_still_run() throws Exception {
        PostgresBinaries old = PostgresBinaries.unpack(jar("18.4"), cache);

        PostgresBinaries upgraded = PostgresBinaries.unpack(jar("18.6"), cache);

        assertThat(upgraded.version()).isEqualTo(new PostgresVersion(180_006));
        assertThat(PostgresBinaries.of(upgraded.bin()).version()).isEqualTo(upgraded.version());
        assertThat(PostgresBinaries.of(old.bin()).version()).isEqualTo(new PostgresVersion(180_004));
    }

    @Test
    void are_unpacked_again_when_somebody_removed_a_part() throws Exception {
        Path jar = jar("18.4");
        PostgresBinaries whole = PostgresBinaries.unpack(jar, cache);
        Files.delete(whole.bin().resolve("initdb"));

        PostgresBinaries again = PostgresBinaries.unpack(jar, cache);

        assertThat(again).isEqualTo(whole);
        assertThat(whole.bin().resolve("initdb")).exists();
    }

    @Test
    void do_not_come_out_of_an_archive_that_leads_elsewhere() throws Exception {
        byte[] hostile = txz(Map.of("../../outside", "x"));

        assertThatThrownBy(() -> new BinariesArchive("hostile.txz", "bad", () -> new ByteArrayInputStream(hostile))
                        .unpackedIn(cache))
                .hasMessageContaining("entry ../../outside leads out of the archive");

        assertThat(names()).containsExactly("unpack.lock");
    }

    @Test
    void are_missed_in_a_jar_without_them() throws Exception {
        Path jar = directory.resolve("other.jar");
        try (var zip = new ZipOutputStream(Files.newOutputStream(jar))) {
            zip.putNextEntry(new ZipEntry("README"));
        }

        assertThatThrownBy(() -> PostgresBinaries.unpack(jar, cache))
                .isInstanceOfSatisfying(
                        NightshiftException.class, e -> assertThat(e.kind()).isEqualTo(FailureKind.CONFIGURATION))
                .hasMessage(jar + " holds no PostgreSQL binaries");
    }

    @Test
    void of_a_version_that_is_not_installed_are_missed_with_a_hint() {
        assertThatThrownBy(() -> PostgresBinaries.installed(99))
                .isInstanceOfSatisfying(
                        NightshiftException.class, e -> assertThat(e.hint()).contains("postgresql-99"))
                .hasMessageStartingWith("PostgreSQL 99 is not installed on this machine; looked at")
                .hasMessageContaining("/usr/lib/postgresql/99/bin");
    }

    @Test
    void know_their_version_whoever_built_them() throws Exception {
        assertThat(versionOf("postgres (PostgreSQL) 18.4 (Debian 18.4-1.pgdg12+1)"))
                .isEqualTo(new PostgresVersion(180_004));
        assertThat(versionOf("postgres (PostgreSQL) 19beta1")).isEqualTo(new PostgresVersion(190_000));
    }

    private PostgresVersion versionOf(String line) throws Exception {
        for (String program : List.of("postgres", "initdb", "pg_ctl")) {
            Path file = Files.writeString(cache.resolve(program), "#!/bin/sh\necho '" + line + "'\n");
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        return PostgresBinaries.of(cache).version();
    }

    /** A jar whose server only knows its version. */
    private Path jar(String version) throws Exception {
        return jar(version, 0);
    }

    /** One that takes a while to unpack, for its files are put on disk one by one. */
    private Path jarOfManyFiles() throws Exception {
        return jar("18.4", Effort.of(300, 5_000));
    }

    private Path jar(String version, int more) throws Exception {
        String postgres = "#!/bin/sh\necho 'postgres (PostgreSQL) " + version + "'\n";
        Path jar = directory.resolve("binaries.jar");
        try (var zip = new ZipOutputStream(Files.newOutputStream(jar))) {
            zip.putNextEntry(new ZipEntry("postgres-linux-x86_64.txz"));
            Map<String, String> files = new LinkedHashMap<>();
            for (int file = 0; file < more; file++) {
                files.put("share/" + file, "file " + file);
            }
            files.putAll(Map.of("bin/postgres", postgres, "bin/initdb", "", "bin/pg_ctl", ""));
            zip.write(txz(files));
        }
        return jar;
    }

    private static byte[] txz(Map<String, String> files) throws Exception {
        var bytes = new java.io.ByteArrayOutputStream();
        try (OutputStream xz = new XZOutputStream(bytes, new LZMA2Options(LZMA2Options.PRESET_MIN));
                var tar = new TarArchiveOutputStream(xz)) {
            for (var file : files.entrySet()) {
                byte[] content = file.getValue().getBytes(StandardCharsets.UTF_8);
                var entry = new TarArchiveEntry(file.getKey(), true);
                entry.setSize(content.length);
                entry.setMode(0755);
                tar.putArchiveEntry(entry);
                tar.write(content);
                tar.closeArchiveEntry();
            }
        }
        return bytes.toByteArray();
    }
}
