package io.nightshift.infra.config;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Reads a secret that is written as {@code ${VARIABLE}}, as {@code file:/run/secrets/x}, or, unwisely, as plain text.
 * Only what is written can name a file: a variable whose value begins with {@code file:} is that text.
 */
final class SecretReader {

    private static final String FILE = "file:";
    private static final long LARGEST = 64 * 1024;

    private final Problems problems;

    SecretReader(Problems problems) {
        this.problems = problems;
    }

    Optional<Secret> read(Value.Text text, String path) {
        if (text.written().startsWith(FILE)) {
            return fromFile(text, path);
        }
        if (text.text().equals(Secret.MASK)) {
            problems.add(text.at(), path, "is masked; a secret cannot be read back from what was shown");
            return Optional.empty();
        }
        if (!text.written().contains("${")) {
            problems.warn(text.at(), path, "a secret in plain text; better ${VARIABLE}, file:/path, or .pgpass");
        }
        return notEmpty(text, text.text(), path);
    }

    private Optional<Secret> fromFile(Value.Text text, String path) {
        String name = text.text().substring(FILE.length());
        String shown = text.written().substring(FILE.length());
        Path file = Path.of(name.replace("\0", ""));
        if (!file.isAbsolute()) {
            problems.add(text.at(), path, "secret file " + shown + " is not accepted; accepted: an absolute path");
        } else if (!Files.isRegularFile(file)) {
            problems.add(text.at(), path, "secret file " + shown + " not found");
        } else {
            return content(text, file, shown, path);
        }
        return Optional.empty();
    }

    private Optional<Secret> content(Value.Text text, Path file, String shown, String path) {
        try {
            if (Files.size(file) > LARGEST) {
                problems.add(text.at(), path, "secret file " + shown + " is larger than 64kB");
                return Optional.empty();
            }
            String content = Files.readString(file);
            return notEmpty(text, Secret.withoutLineEnd(content), path).map(read -> Secret.fromFile(file, content));
        } catch (CharacterCodingException notText) {
            problems.add(text.at(), path, "secret file " + shown + " is not UTF-8 text");
        } catch (IOException unreadable) {
            problems.add(text.at(), path, "secret file " + shown + " cannot be read: " + Failures.words(unreadable));
        }
        return Optional.empty();
    }

    private Optional<Secret> notEmpty(Value.Text text, String content, String path) {
        if (content.isEmpty()) {
            problems.add(text.at(), path, "the secret is empty");
            return Optional.empty();
        }
        return Optional.of(new Secret(content));
    }
}
