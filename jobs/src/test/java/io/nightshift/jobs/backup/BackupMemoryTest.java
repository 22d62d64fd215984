package io.nightshift.jobs.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.nightshift.infra.backup.BackupType;
import io.nightshift.infra.postgres.PostgresVersion;
import io.nightshift.infra.server.ChildJvm;
import io.nightshift.infra.server.Effort;
import io.nightshift.jobs.TestCluster;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Memory does not grow with the cluster; where there is too little of it, the run says so. */
class BackupMemoryTest {

    private static final long GOAL_KILOBYTES = 600 << 10;
    private static final int FILES = Effort.of(2_000, 100_000);
    private static final int MEGABYTES = Effort.of(200, 10_240);

    /**
     * Where blocks are compared, which needs more than storing what a server sends. The second backup holds more changed
     * blocks than are held in memory, and less than the whole file.
     */
    @Test
    void backups_of_many_and_of_large_files_need_little_memory() throws Exception {
        try (TestCluster cluster = TestCluster.start(PostgresVersion.OLDEST_SUPPORTED_MAJOR, Map.of())) {
            addFiles(cluster.postgres().dataDirectory());
            Path database = cluster.postgres().dataDirectory().resolve("base/5");
            List<String> options = List.of("-Xmx300m", BackupChild.INCREMENTAL);
            for (BackupType type : List.of(BackupType.FULL, BackupType.INCREMENTAL)) {
                addPages(database, type.toString().hashCode());

                long kilobytes;
                try (ChildJvm child = ChildJvm.start(options, BackupChild.class, Map.of(), cluster.coordinates())) {
                    assertThat(child.exitStatus()).as(child.toString()).isZero();
                    child.output().forEach(System.out::println);
                    kilobytes = Long.parseLong(child.awaitLine("VmHWM:").replaceAll("[^0-9]", ""));
                }

                System.out.println("FIGURE " + type + " backup of " + FILES + " files and " + MEGABYTES + " MB, and "
                        + MEGABYTES / 2 + " MB of compared blocks, with -Xmx300m: " + kilobytes / 1024
                        + " MB resident, goal <= " + GOAL_KILOBYTES / 1024);
                assertThat(kilobytes).isLessThanOrEqualTo(GOAL_KILOBYTES);
            }
            assertThat(cluster.backups())
                    .extracting(backup -> backup.label().type())
                    .containsExactly(BackupType.FULL, BackupType.INCREMENTAL);
        }
    }

    /** Relation files that no database knows, with every twentieth page as it was at no time before. */
    private static void addPages(Path database, int content) throws IOException {
        for (int number = 0, left = MEGABYTES / 2; left > 0; number++, left -= 1024) {
            Path file = database.resolve(number == 0 ? "999999" : "999999." + number);
            try (var pages = new RandomAccessFile(file.toFile(), "rw")) {
                long bytes = Math.min(left, 1024) * 1048576L;
                for (long at = 0; at < bytes; at += 20 * 8192) {
                    pages.seek(at + 1000);
                    pages.write(content);
                }
                pages.setLength(bytes);
            }
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        }
    }

    @Test
    void a_process_with_too_little_memory_ends_and_says_what_it_lacks() {
        try (TestCluster cluster = TestCluster.start(18, Map.of())) {
            List<String> tooLittle = List.of("-XX:TieredStopAtLevel=1", "-Xmx200m", "-XX:MaxDirectMemorySize=20m");

            try (ChildJvm child = ChildJvm.start(tooLittle, BackupChild.class, Map.of(), cluster.coordinates())) {
                int status = child.exitStatus();

                assertThat(status).isEqualTo(1);
                assertThat(child.output())
                        .anySatisfy(line -> assertThat(line).startsWith("this process ran out of memory: "))
                        .anySatisfy(line -> assertThat(line).startsWith("HINT: give it more than -Xmx"));
            }
            assertThat(cluster.files()).containsExactly("local/installation.json");
        }
    }

    /** Files that no database knows; a base backup takes them along. */
    private static void addFiles(Path dataDirectory) throws IOException {
        var readable = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x"));
        Path many = Files.createDirectory(dataDirectory.resolve("many"), readable);
        for (int file = 0; file < FILES; file++) {
            Files.writeString(many.resolve("file_of_some_length_" + file), "content " + file);
        }
        Path large = Files.createDirectory(dataDirectory.resolve("large"), readable);
        for (int left = MEGABYTES; left > 0; left -= 1024) {
            try (var sparse = new RandomAccessFile(large.resolve("left_" + left).toFile(), "rw")) {
                sparse.setLength(Math.min(left, 1024) * 1048576L);
            }
        }
    }
}
