package io.nightshift.infra.replication;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.DigestOutputStream;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.function.Function;

/** Writes a manifest line by line, as the server's own looks; its last line is the checksum of all before it. */
final class ManifestPrinter {

    private final DigestOutputStream out;

    ManifestPrinter(OutputStream out) {
        this.out = new DigestOutputStream(out, ManifestChecksum.SHA256.messageDigest());
    }

    void print(BackupManifest manifest) throws IOException {
        text("{ \"PostgreSQL-Backup-Manifest-Version\": " + manifest.version() + ",\n");
        if (manifest.systemIdentifier() != null) {
            text("\"System-Identifier\": " + manifest.systemIdentifier() + ",\n");
        }
        list("Files", manifest.files().iterator(), ManifestPrinter::file);
        list("WAL-Ranges", manifest.walRanges().iterator(), ManifestPrinter::range);
        String checksum = HexFormat.of().formatHex(out.getMessageDigest().digest());
        out.on(false);
        text("\"Manifest-Checksum\": \"" + checksum + "\"}\n");
        out.flush();
    }

    private <T> void list(String name, Iterator<T> elements, Function<T, String> printed) throws IOException {
        text("\"" + name + "\": [\n");
        while (elements.hasNext()) {
            text(printed.apply(elements.next()) + (elements.hasNext() ? ",\n" : "\n"));
        }
        text("],\n");
    }

    private static String file(ManifestFile file) {
        String path = file.utf8()
                ? "\"Path\": " + json(file.path())
                : "\"Encoded-Path\": \"" + HexFormat.of().formatHex(file.pathBytes()) + "\"";
        String checksum = file.algorithm() == ManifestChecksum.NONE
                ? ""
                : ", \"Checksum-Algorithm\": \"" + file.algorithm() + "\", \"Checksum\": \"" + file.checksum() + "\"";
        return "{ " + path + ", \"Size\": " + file.size() + ", \"Last-Modified\": \"1970-01-01 00:00:00 GMT\""
                + checksum + " }";
    }

    private static String range(WalRange range) {
        return "{ \"Timeline\": " + range.timeline() + ", \"Start-LSN\": \"" + range.start() + "\", \"End-LSN\": \""
                + range.end() + "\" }";
    }

    private static String json(String text) {
        var quoted = new StringBuilder("\"");
        text.codePoints().forEach(character -> {
            if (character == '"' || character == '\\') {
                quoted.append('\\').appendCodePoint(character);
            } else if (character < ' ') {
                quoted.append(String.format("\\u%04x", character));
            } else {
                quoted.appendCodePoint(character);
            }
        });
        return quoted.append('"').toString();
    }

    private void text(String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.UTF_8));
    }
}
