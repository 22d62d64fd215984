package io.nightshift.infra.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A password or the like. It never prints itself; whoever needs the text says so with {@link #reveal()}. */
public final class Secret {

    /** What is shown in place of any secret, whatever its length. */
    public static final String MASK = "********";

    private final String text;
    private final @Nullable Path file;

    public Secret(String text) {
        this(text, null);
    }

    private Secret(String text, @Nullable Path file) {
        if (text.isEmpty()) {
            throw new IllegalArgumentException("an empty secret is not accepted");
        }
        this.text = text;
        this.file = file;
    }

    /** What a file holds, without the end of its line. */
    static Secret fromFile(Path file, String content) {
        return new Secret(withoutLineEnd(content), file);
    }

    static String withoutLineEnd(String content) {
        return content.replaceFirst("\\r?\\n\\z", "");
    }

    /** As its file has it by now, so that a changed password needs no restart; as it is, where no file tells otherwise. */
    public Secret asOfNow() {
        if (file == null) {
            return this;
        }
        try {
            String content = withoutLineEnd(Files.readString(file));
            return content.isEmpty() ? this : new Secret(content, file);
        } catch (IOException unreadable) {
            return this;
        }
    }

    /** The text itself, for the one who connects. Never log it. */
    public String reveal() {
        return text;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Secret secret && text.equals(secret.text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    @Override
    public String toString() {
        return MASK;
    }
}
