package io.nightshift.infra.server;

import io.nightshift.infra.postgres.PostgresVersion;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;

/**
 * A {@code .txz} of server binaries, unpacked once per content into {@code <cache>/<version>-<fingerprint>}. The directory
 * appears by one rename, complete, on disk, and named after the version that its {@code postgres} gave, so that finding it
 * again needs no look into the archive and starts no program.
 *
 * @param name for messages
 * @param fingerprint CRC-32 and size of the archive in hexadecimal, both as the jar knows them
 */
record BinariesArchive(String name, String fingerprint, ByteSource source) {

    private static final String UNFINISHED = ".unpack-";
    private static final Duration LIMIT = Duration.ofMinutes(3);

    /** Opens the bytes of an archive; each call begins at the first byte. */
    @FunctionalInterface
    interface ByteSource {
        InputStream open() throws IOException;
    }

    /** The archive on the class path: in a jar, which knows its fingerprint, or a plain file, which must be read for it. */
    static BinariesArchive at(String name, URL archive) {
        try {
            URLConnection connection = archive.openConnection();
            connection.setUseCaches(false);
            if (connection instanceof JarURLConnection inJar) {
                try (JarFile jar = inJar.getJarFile()) {
                    return new BinariesArchive(
                            name, fingerprint(Objects.requireNonNull(jar.getEntry(name))), archive::openStream);
                }
            }
            try (InputStream bytes = connection.getInputStream()) {
                return new BinariesArchive(name, fingerprint(bytes), archive::openStream);
            }
        } catch (IOException e) {
            throw new NightshiftException(
                    FailureKind.CONFIGURATION, "could not read " + archive + ": " + e, "install Nightshift again", e);
        }
    }

    static BinariesArchive in(ZipFile zip, ZipEntry entry) {
        return new BinariesArchive(entry.getName(), fingerprint(entry), () -> zip.getInputStream(entry));
    }

    @SuppressWarnings("try") // the claim is held, not used
    PostgresBinaries unpackedIn(Path cache) {
        try {
            Optional<PostgresBinaries> present = findIn(cache);
            if (present.isPresent()) {
                return present.get();
            }
            ServerUser user = ServerUser.of(cache.resolve("no-data-directory"));
            user.createPassableDirectories(cache.toAbsolutePath());
            try (FileClaim claim = FileClaim.take(cache.resolve("unpack.lock"), LIMIT)) {
                present = findIn(cache);
                return present.isPresent() ? present.get() : unpack(cache);
            }
        } catch (IOException e) {
            throw new NightshiftException(
                    FailureKind.RESOURCES_EXHAUSTED,
                    "could not unpack " + name + " into " + cache + ": " + e,
                    "it takes about 70 MB; check the space and the rights there",
                    e);
        }
    }

    /** What was unpacked before, unless somebody has removed programs from it since. */
    private Optional<PostgresBinaries> findIn(Path cache) throws IOException {
        Pattern finished = Pattern.compile("(\\d+)\\.(\\d+)-" + fingerprint);
        if (!Files.isDirectory(cache)) {
            return Optional.empty();
        }
        try (Stream<Path> entries = Files.list(cache)) {
            return entries.flatMap(entry -> {
                        Matcher name = finished.matcher(String.valueOf(entry.getFileName()));
                        return name.matches() ? Stream.of(binaries(entry, name)) : Stream.empty();
                    })
                    .filter(found -> PostgresBinaries.isComplete(found.bin()))
                    .findFirst();
        }
    }

    private static PostgresBinaries binaries(Path directory, Matcher name) {
        int version = Integer.parseInt(name.group(1)) * 10_000 + Integer.parseInt(name.group(2));
        return new PostgresBinaries(directory.resolve("bin"), new PostgresVersion(version));
    }

    private PostgresBinaries unpack(Path cache) throws IOException {
        // We hold the claim, so whatever is unfinished belongs to a process that died.
        try (Stream<Path> entries = Files.list(cache)) {
            for (Path debris : entries.filter(this::isDebris).toList()) {
                FileTree.delete(debris);
            }
        }
        Path unfinished = Files.createTempDirectory(cache, UNFINISHED);
        boolean moved = false;
        try {
            Files.setPosixFilePermissions(unfinished, PosixFilePermissions.fromString("rwxr-xr-x"));
            extract(unfinished);
            FileTree.sync(unfinished);
            PostgresBinaries binaries = PostgresBinaries.of(unfinished.resolve("bin"));
            Path finished = cache.resolve(binaries.version() + "-" + fingerprint);
            Files.move(unfinished, finished, StandardCopyOption.ATOMIC_MOVE);
            moved = true;
            FileTree.syncDirectory(cache);
            return new PostgresBinaries(finished.resolve("bin"), binaries.version());
        } finally {
            if (!moved) {
                FileTree.delete(unfinished);
            }
        }
    }

    private void extract(Path target) throws IOException {
        try (InputStream bytes = new BufferedInputStream(source.open(), 1 << 16);
                TarArchiveInputStream tar = new TarArchiveInputStream(new XZCompressorInputStream(bytes))) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                Path path = target.resolve(entry.getName()).normalize();
                if (!path.startsWith(target)) {
                    throw new IOException("entry " + entry.getName() + " leads out of the archive");
                }
                if (entry.isDirectory()) {
                    createDirectories(path, target);
                    continue;
                }
                createDirectories(path.resolveSibling(""), target);
                if (entry.isSymbolicLink()) {
                    Files.createSymbolicLink(path, Path.of(entry.getLinkName()));
                } else if (entry.isFile()) {
                    Files.copy(tar, path);
                    Files.setPosixFilePermissions(
                            path,
                            PosixFilePermissions.fromString((entry.getMode() & 0100) != 0 ? "rwxr-xr-x" : "rw-r--r--"));
                } else {
                    throw new IOException("entry " + entry.getName() + " is neither file, directory nor symbolic link");
                }
            }
        }
    }

    /** Readable by all whatever the umask: the server's user is not the one who unpacks. */
    private static void createDirectories(Path directory, Path root) throws IOException {
        Path path = directory.normalize();
        if (path.equals(root) || Files.isDirectory(path)) {
            return;
        }
        createDirectories(path.resolveSibling(""), root);
        Files.createDirectory(path);
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private boolean isDebris(Path path) {
        String fileName = String.valueOf(path.getFileName());
        return fileName.startsWith(UNFINISHED) || fileName.endsWith("-" + fingerprint);
    }

    private static String fingerprint(ZipEntry entry) {
        return fingerprint(entry.getCrc(), entry.getSize());
    }

    private static String fingerprint(InputStream bytes) throws IOException {
        var crc = new CRC32();
        try (var checked = new CheckedInputStream(bytes, crc)) {
            long size = checked.transferTo(OutputStream.nullOutputStream());
            return fingerprint(crc.getValue(), size);
        }
    }

    private static String fingerprint(long crc, long size) {
        return String.format(Locale.ROOT, "%08x%x", crc, size);
    }
}
