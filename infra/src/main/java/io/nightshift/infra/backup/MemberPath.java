package io.nightshift.infra.backup;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Paths as text without loss. A data directory may hold names that are no UTF-8; a byte b of such a name becomes the
 * character U+DC00 + b, which no UTF-8 text contains.
 */
public final class MemberPath {

    private static final char ESCAPE = 0xDC00;

    private MemberPath() {}

    public static String decode(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException notUtf8) {
            var text = new StringBuilder(bytes.length);
            for (byte each : bytes) {
                text.append((char) (each >= 0 ? each : ESCAPE + (each & 0xFF)));
            }
            return text.toString();
        }
    }

    public static byte[] encode(String path) {
        if (path.chars().noneMatch(MemberPath::isEscaped)) {
            return path.getBytes(StandardCharsets.UTF_8);
        }
        var bytes = new ByteArrayOutputStream(path.length());
        path.chars().forEach(each -> bytes.write(isEscaped(each) ? each - ESCAPE : each));
        return bytes.toByteArray();
    }

    private static boolean isEscaped(int character) {
        return character >= ESCAPE + 0x80 && character <= ESCAPE + 0xFF;
    }
}
