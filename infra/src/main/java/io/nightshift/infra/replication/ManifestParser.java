package io.nightshift.infra.replication;

import io.nightshift.infra.postgres.Lsn;
import io.nightshift.infra.postgres.SystemIdentifier;
import io.nightshift.infra.postgres.Timeline;
import io.nightshift.infra.resilience.FailureKind;
import io.nightshift.infra.resilience.NightshiftException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.json.JsonFactory;

/** Reads a manifest token by token; as strict as the server's own parser about what may be in it. */
final class ManifestParser {

    /** A manifest is UTF-8, whatever damage at its beginning may look like. */
    private static final JsonFactory JSON = JsonFactory.builder()
            .disable(TokenStreamFactory.Feature.CHARSET_DETECTION)
            .build();

    private static final int OLDEST_VERSION = 1;
    private static final int NEWEST_VERSION = 2;

    private static final String HINT =
            "compare it with a copy in another storage; without it the backup cannot be verified";

    private final JsonParser json;
    private int version;
    private @Nullable SystemIdentifier systemIdentifier;
    private @Nullable List<ManifestFile> files;
    private @Nullable List<WalRange> walRanges;
    private @Nullable String checksum;

    private ManifestParser(JsonParser json) {
        this.json = json;
    }

    static BackupManifest parse(InputStream in) throws IOException {
        ManifestBytes bytes = new ManifestBytes(in);
        try (JsonParser json = JSON.createParser(ObjectReadContext.empty(), bytes)) {
            ManifestParser parser = new ManifestParser(json);
            parser.manifest();
            bytes.drain();
            return parser.verified(bytes.verifiedChecksum());
        } catch (JacksonException | IllegalArgumentException garbage) {
            IOException unreadable = bytes.failure();
            if (unreadable != null) {
                throw unreadable;
            }
            throw new NightshiftException(FailureKind.DATA_DAMAGED, fact(firstLine(garbage)), HINT, garbage);
        }
    }

    static NightshiftException damaged(String what) {
        return new NightshiftException(FailureKind.DATA_DAMAGED, fact(what), HINT);
    }

    private static String fact(String what) {
        return "damaged backup manifest: " + what;
    }

    private void manifest() {
        expect(JsonToken.START_OBJECT);
        for (String key = nextKey(); key != null; key = nextKey()) {
            if (version == 0 && !key.equals("PostgreSQL-Backup-Manifest-Version")) {
                throw damaged("it does not begin with its version");
            }
            switch (key) {
                case "PostgreSQL-Backup-Manifest-Version" -> version = version(number());
                case "System-Identifier" -> systemIdentifier = SystemIdentifier.parse(integer());
                case "Files" -> files = files();
                case "WAL-Ranges" -> walRanges = walRanges();
                case "Manifest-Checksum" -> checksum = string();
                default -> throw unknown(key);
            }
        }
        if (json.nextToken() != null) {
            throw damaged("it goes on after its end");
        }
    }

    private BackupManifest verified(String verifiedChecksum) {
        if (files == null || walRanges == null || checksum == null) {
            throw damaged("it lacks its files, its WAL ranges or its checksum");
        }
        if (!checksum.toLowerCase(Locale.ROOT).equals(verifiedChecksum)) {
            throw damaged("it has two checksums");
        }
        return new BackupManifest(version, systemIdentifier, files, walRanges, verifiedChecksum);
    }

    private static int version(long number) {
        if (number < OLDEST_VERSION || number > NEWEST_VERSION) {
            throw damaged("its version is " + number + "; 1 and 2 are known");
        }
        return (int) number;
    }

    private List<ManifestFile> files() {
        List<ManifestFile> list = new ArrayList<>();
        expect(JsonToken.START_ARRAY);
        while (nextObject()) {
            list.add(file());
        }
        return list;
    }

    private ManifestFile file() {
        String path = null;
        boolean utf8 = true;
        long size = -1;
        ManifestChecksum algorithm = ManifestChecksum.NONE;
        String hex = "";
        for (String key = nextKey(); key != null; key = nextKey()) {
            switch (key) {
                case "Path" -> path = string();
                case "Encoded-Path" -> {
                    byte[] bytes = HexFormat.of().parseHex(string());
                    utf8 = isUtf8(bytes);
                    path = new String(bytes, utf8 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1);
                }
                case "Size" -> size = number();
                case "Last-Modified" -> string();
                case "Checksum-Algorithm" -> algorithm = ManifestChecksum.valueOf(string());
                case "Checksum" -> hex = string().toLowerCase(Locale.ROOT);
                default -> throw unknown(key);
            }
        }
        if (path == null || size < 0) {
            throw damaged("a file has no path or no size");
        }
        checkPath(path);
        if (hex.length() != algorithm.hexLength() || !hex.chars().allMatch(HexFormat::isHexDigit)) {
            throw damaged("file " + path + " has a checksum that is not " + algorithm);
        }
        return new ManifestFile(path, utf8, size, algorithm, hex);
    }

    /** A restore writes to these paths: none may lead out of its directory. */
    private static void checkPath(String path) {
        boolean inside = !path.isEmpty()
                && path.indexOf('\0') < 0
                && Arrays.stream(path.split("/", -1))
                        .noneMatch(name -> name.isEmpty() || name.equals(".") || name.equals(".."));
        if (!inside) {
            throw damaged("path \"" + path.replaceAll("\\p{Cntrl}", "?") + "\" is not below the data directory");
        }
    }

    private List<WalRange> walRanges() {
        List<WalRange> list = new ArrayList<>();
        expect(JsonToken.START_ARRAY);
        while (nextObject()) {
            list.add(walRange());
        }
        return list;
    }

    private WalRange walRange() {
        Timeline timeline = null;
        Lsn start = null;
        Lsn end = null;
        for (String key = nextKey(); key != null; key = nextKey()) {
            switch (key) {
                case "Timeline" -> timeline = Timeline.parse(integer());
                case "Start-LSN" -> start = Lsn.parse(string());
                case "End-LSN" -> end = Lsn.parse(string());
                default -> throw unknown(key);
            }
        }
        if (timeline == null || start == null || end == null || end.isBefore(start)) {
            throw damaged("a WAL range is not whole");
        }
        return new WalRange(timeline, start, end);
    }

    /** The next key of the present object; null at its end. */
    private @Nullable String nextKey() {
        JsonToken token = json.nextToken();
        if (token == JsonToken.END_OBJECT) {
            return null;
        }
        if (token != JsonToken.PROPERTY_NAME) {
            throw misplaced(token);
        }
        return json.currentName();
    }

    /** Whether another object of the present array has begun. */
    private boolean nextObject() {
        JsonToken token = json.nextToken();
        if (token == JsonToken.END_ARRAY) {
            return false;
        }
        if (token != JsonToken.START_OBJECT) {
            throw misplaced(token);
        }
        return true;
    }

    private String string() {
        expect(JsonToken.VALUE_STRING);
        return json.getString();
    }

    /** An integer of any size, as text: system identifiers are unsigned. */
    private String integer() {
        expect(JsonToken.VALUE_NUMBER_INT);
        return json.getString();
    }

    private long number() {
        return Long.parseLong(integer());
    }

    private void expect(JsonToken wanted) {
        JsonToken token = json.nextToken();
        if (token != wanted) {
            throw misplaced(token);
        }
    }

    private NightshiftException misplaced(@Nullable JsonToken token) {
        return damaged(
                token == null
                        ? "it is cut off"
                        : token + " in the wrong place, line "
                                + json.currentTokenLocation().getLineNr());
    }

    private static NightshiftException unknown(String key) {
        return damaged("unknown key \"" + key.replaceAll("\\p{Cntrl}", "?") + "\"");
    }

    private static boolean isUtf8(byte[] bytes) {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
            return true;
        } catch (CharacterCodingException notUtf8) {
            return false;
        }
    }

    private static String firstLine(RuntimeException garbage) {
        String message = String.valueOf(garbage.getMessage());
        return message.lines().findFirst().orElse(garbage.getClass().getSimpleName());
    }
}
