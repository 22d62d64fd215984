package io.nightshift.infra.restore;

import io.nightshift.infra.backup.MemberPath;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Collection;

/** Names that this process can give to a file: Java passes text in the encoding of the locale, never bytes. */
final class FileNames {

    private FileNames() {}

    /** Fails before anything is written if one of the names cannot be given. */
    static void requireWritable(Collection<String> paths) {
        for (String path : paths) {
            if (!isAscii(path)) {
                resolve(Path.of(""), path);
            }
        }
    }

    static Path resolve(Path directory, String path) {
        try {
            return directory.resolve(path);
        } catch (InvalidPathException unmappable) {
            throw isUtf8(path)
                    ? new NightshiftException(
                            FailureKind.CONFIGURATION,
                            "cannot write file " + path + ": the locale of this process (" + encoding()
                                    + ") has no such characters",
                            "set LC_ALL=C.UTF-8 in its environment",
                            unmappable)
                    : new NightshiftException(
                            FailureKind.CONFIGURATION,
                            "cannot write file " + printable(path) + ": its name is not UTF-8",
                            "use --format tar and unpack the archives with tar",
                            unmappable);
        }
    }

    private static boolean isAscii(String path) {
        return path.chars().allMatch(character -> character < 0x80);
    }

    private static boolean isUtf8(String path) {
        byte[] bytes = MemberPath.encode(path);
        return new String(bytes, StandardCharsets.UTF_8).equals(path);
    }

    private static String printable(String path) {
        var text = new StringBuilder();
        for (byte each : MemberPath.encode(path)) {
            text.append(each >= ' ' ? String.valueOf((char) each) : String.format("\\x%02x", each & 0xFF));
        }
        return text.toString();
    }

    private static String encoding() {
        return System.getProperty("sun.jnu.encoding", "unknown");
    }
}
